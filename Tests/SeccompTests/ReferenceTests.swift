import CSeccomp
import Glibc
import OCI
import Testing

@testable import Seccomp

/// Random profiles against what the profile's text says, and against the programs that libseccomp generates.
@Suite struct ReferenceTests {
    typealias Seccomp = Spec.Linux.Seccomp

    /// Names whose numbers this file knows by itself (asm/unistd_64.h, asm/unistd_32.h, asm-generic/unistd.h
    /// of Linux 6.1, arch/arm/tools/syscall.tbl). None is multiplexed on i386.
    static let calls: [(name: String, x86_64: UInt32, i386: UInt32, aarch64: UInt32, arm: UInt32)] = [
        ("read", 0, 3, 63, 3), ("write", 1, 4, 64, 4), ("openat", 257, 295, 56, 322), ("close", 3, 6, 57, 6),
        ("clone", 56, 120, 220, 120), ("clone3", 435, 435, 435, 435), ("prctl", 157, 172, 167, 172),
        ("personality", 135, 136, 92, 136), ("mount", 165, 21, 40, 21), ("ptrace", 101, 26, 117, 26),
        ("ioctl", 16, 54, 29, 54), ("getuid", 102, 24, 174, 24), ("faccessat2", 439, 439, 439, 439),
    ]

    private static let places:
        [(architecture: UInt32, isWide: Bool, machine: Int, number: @Sendable (Int) -> UInt32)] = [
            (Call.x86_64, true, 0, { calls[$0].x86_64 }), (Call.i386, false, 0, { calls[$0].i386 }),
            (Call.aarch64, true, 1, { calls[$0].aarch64 }), (Call.arm, false, 1, { calls[$0].arm }),
        ]

    static func holds(_ argument: Seccomp.Argument, _ call: Call, isWide: Bool) -> Bool {
        let kept: UInt64 = isWide ? .max : 0xffff_ffff
        let actual = call.arguments[Int(argument.index)] & kept
        let value = argument.value & kept
        switch argument.op {
        case .notEqual: return actual != value
        case .less: return actual < value
        case .lessOrEqual: return actual <= value
        case .equal: return actual == value
        case .greaterOrEqual: return actual >= value
        case .greater: return actual > value
        case .maskedEqual: return actual & value == argument.valueTwo & kept
        }
    }

    /// The rule that decides about `name`: the first unconditional one, else the first that holds.
    static func decide(_ profile: Seccomp, _ name: String, _ call: Call, isWide: Bool) -> (
        Seccomp.Action, UInt32?
    ) {
        let rules = profile.syscalls.filter { rule in
            rule.names.contains(name)
                && (rule.action != profile.defaultAction
                    || (rule.errnoRet ?? 1) != (profile.defaultErrnoRet ?? 1))
        }
        let decisive =
            rules.first { $0.args.isEmpty }
            ?? rules.first { rule in
                let repeated = Set(rule.args.map(\.index)).count < rule.args.count
                return repeated
                    ? rule.args.contains { holds($0, call, isWide: isWide) }
                    : rule.args.allSatisfy { holds($0, call, isWide: isWide) }
            }
        return decisive.map { ($0.action, $0.errnoRet) } ?? (profile.defaultAction, profile.defaultErrnoRet)
    }

    /// linux/seccomp.h.
    static func value(_ action: Seccomp.Action, _ errno: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: 0
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno: 0x0005_0000 | (errno ?? 1)
        case .trace: 0x7ff0_0000 | (errno ?? 1)
        case .log: 0x7ffc_0000
        case .allow: 0x7fff_0000
        case .notify: 0x7fc0_0000
        }
    }

    /// `rules` rules; where `isTame`, at most one per name with conditions, and of one clause, since
    /// libseccomp 2.5.4 merges several into wrong comparisons of upper halves.
    static func randomProfile(_ random: inout SplitMix, isTame: Bool) -> Seccomp {
        let actions: [Seccomp.Action] = [.errno, .allow, .log, .trace, .trap, .killProcess, .killThread]
        var profile = Seccomp(defaultAction: isTame ? [.allow, .log].randomElement(using: &random)! : .errno)
        if !isTame { profile.defaultErrnoRet = 38 }
        profile.architectures = [.x86_64, .x86, .x32, .aarch64, .arm]
        let values: [UInt64] = [
            0, 1, 5, 0xffff_ffff, .max, 0x1_0000_0000, 0x7e02_0000, 0x5_0000_0005, 1 << 63,
        ]
        var names = calls.map(\.name).shuffled(using: &random)
        for _ in 0..<12 {
            let name = isTame ? names.removeLast() : names.randomElement(using: &random)!
            let action = actions.randomElement(using: &random)!
            var rule = Seccomp.Rule(names: [name], action: action)
            if action == .errno || action == .trace, Bool.random(using: &random) { rule.errnoRet = 77 }
            if rule.action == profile.defaultAction { continue }
            for index in 0..<6 where Int.random(in: 0..<4, using: &random) == 0 {
                for _ in 0..<(isTame ? 1 : Int.random(in: 1...2, using: &random)) {
                    let op = Seccomp.Comparison.allCases.randomElement(using: &random)!
                    let value = values.randomElement(using: &random)!
                    let two = values.randomElement(using: &random)! & (isTame ? value : .max)
                    rule.args.append(.init(index: UInt32(index), value: value, valueTwo: two, op: op))
                }
            }
            profile.syscalls.append(rule)
        }
        return profile
    }

    @Test func answersAsTheTextSays() throws {
        var random = SplitMix(state: 1)
        for round in 0..<300 {
            let profile = Self.randomProfile(&random, isTame: false)
            let programs = try [Machine.x86_64, .arm64].map {
                try Interpreter(SeccompCompiler.compile(profile, for: $0).bytes)
            }
            for list in Samples(profile).arguments(20, &random) {
                for place in Self.places {
                    for (index, entry) in Self.calls.enumerated() {
                        let call = Call(
                            architecture: place.architecture, number: place.number(index), arguments: list)
                        let (action, errno) = Self.decide(profile, entry.name, call, isWide: place.isWide)
                        let actual = try programs[place.machine].run(call)
                        try #require(
                            actual == Self.value(action, errno), "round \(round), \(entry.name): \(call)")
                    }
                }
            }
        }
    }

    @Test func answersAsLibseccomp() throws {
        var random = SplitMix(state: 2)
        for round in 0..<40 {
            let profile = Self.randomProfile(&random, isTame: true)
            for (machine, tokens, architectures) in [
                (Machine.x86_64, [0xc000_003e, 0x4000_0003, 0x4000_003e], [Call.x86_64, Call.i386]),
                (Machine.arm64, [0xc000_00b7, 0x4000_0028], [Call.aarch64, Call.arm]),
            ] as [(Machine, [UInt32], [UInt32])] {
                let ours = try Interpreter(SeccompCompiler.compile(profile, for: machine).bytes)
                let theirs = try Interpreter(libseccomp(profile, tokens))
                let lists = Samples(profile).arguments(8, &random)
                for architecture in architectures + [0x8000_0016] {
                    for number in Samples.numbers {
                        for list in lists {
                            let call = Call(architecture: architecture, number: number, arguments: list)
                            let (mine, expected) = (try ours.run(call), try theirs.run(call))
                            if mine != expected {
                                try #require(mine == expected, "round \(round): \(call)\n\(profile)")
                            }
                        }
                    }
                }
            }
        }
    }

    /// What libseccomp itself makes of a profile.
    private func libseccomp(_ profile: Seccomp, _ tokens: [UInt32]) throws -> [UInt8] {
        let context = try #require(seccomp_init(Self.value(profile.defaultAction, profile.defaultErrnoRet)))
        defer { seccomp_release(context) }
        for token in tokens where seccomp_arch_exist(context, token) != 0 {
            #expect(seccomp_arch_add(context, token) == 0)
        }
        if !tokens.contains(seccomp_arch_native()) {
            #expect(seccomp_arch_remove(context, seccomp_arch_native()) == 0)
        }
        let operators: [Seccomp.Comparison: scmp_compare] = [
            .notEqual: SCMP_CMP_NE, .less: SCMP_CMP_LT, .lessOrEqual: SCMP_CMP_LE, .equal: SCMP_CMP_EQ,
            .greaterOrEqual: SCMP_CMP_GE, .greater: SCMP_CMP_GT, .maskedEqual: SCMP_CMP_MASKED_EQ,
        ]
        for rule in profile.syscalls {
            let arguments = rule.args.map {
                scmp_arg_cmp(arg: $0.index, op: operators[$0.op]!, datum_a: $0.value, datum_b: $0.valueTwo)
            }
            let result = seccomp_rule_add_array(
                context, Self.value(rule.action, rule.errnoRet), seccomp_syscall_resolve_name(rule.names[0]),
                UInt32(arguments.count), arguments)
            #expect(result == 0, "\(rule)")
        }
        let file = try #require(tmpfile())
        defer { fclose(file) }
        try #require(seccomp_export_bpf(context, fileno(file)) == 0)
        rewind(file)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }
}
