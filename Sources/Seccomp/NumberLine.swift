internal import CSeccomp
internal import OCI

/// What a profile says about every number of a family: segments of numbers with one answer.
struct NumberLine {
    /// Rules with conditions for one call, to be tried in their order.
    struct Checks {
        /// Rules of the profile, with the first argument of socketcall or ipc that they need (0: none).
        let alternatives: [(rule: Int, selector: UInt32)]
        let isWide: Bool
    }

    enum Answer: Equatable {
        case value(UInt32)
        /// Index into `checks`.
        case checks(Int)
    }

    /// Each reaches to the start of the next; the first starts at 0, the last ends at `UInt32.max`.
    private(set) var segments: [(start: UInt32, answer: Answer)] = []
    private(set) var checks: [Checks] = []

    init(_ profile: Profile, family: Family, abis: [ABI]) {
        segments.reserveCapacity(256)
        for abi in abis {
            let claims = Claims(profile, abi)
            append(.value(profile.defaultReturn), from: abi.firstNumber)
            add(claims.sorted, profile, abi)
            if profile.refusesNewCalls, let greatest = claims.greatest {
                refuseNewCalls(after: greatest, abi, profile)
            }
        }
        if let first = family.firstOptionalNumber, !abis.contains(where: { $0.firstNumber == first }) {
            append(.value(ReturnValue.killThread), from: first)
            // -1: a tracer has cancelled the call (seccomp(2), SECCOMP_RET_TRACE).
            append(.value(profile.defaultReturn), from: .max)
        }
    }

    private mutating func append(_ answer: Answer, from start: UInt32) {
        if let last = segments.last {
            if last.start == start { segments.removeLast() }
            if let last = segments.last, last.answer == answer { return }
        }
        segments.append((start, answer))
    }

    /// `claims` are sorted by number, and those of one number by rule.
    private mutating func add(_ claims: [Claims.Claim], _ profile: Profile, _ abi: ABI) {
        var index = 0
        while index < claims.count {
            let number = claims[index].number
            var alternatives: [(rule: Int, selector: UInt32)] = []
            var decided: UInt32?
            while index < claims.count, claims[index].number == number {
                let claim = claims[index]
                if profile.rules[claim.rule].clauses.isEmpty && claim.selector == 0 {
                    decided = decided ?? profile.rules[claim.rule].returnValue
                } else if decided == nil {
                    alternatives.append((claim.rule, claim.selector))
                }
                index += 1
            }
            if let decided {
                append(.value(decided), from: number)
            } else {
                checks.append(Checks(alternatives: alternatives, isWide: abi.isWide))
                append(.checks(checks.count - 1), from: number)
            }
            if number < .max { append(.value(profile.defaultReturn), from: number + 1) }
        }
    }

    /// Everything after `greatest` has the default answer so far, up to the architecture's private numbers.
    private mutating func refuseNewCalls(after greatest: UInt32, _ abi: ABI, _ profile: Profile) {
        let start = greatest + 1
        let kept = segments.filter { $0.start >= abi.firstPrivateNumber }
        while let last = segments.last, last.start >= start { segments.removeLast() }
        append(.value(ReturnValue.enosys), from: start)
        if abi.firstPrivateNumber < .max {
            append(.value(profile.defaultReturn), from: abi.firstPrivateNumber)
            for segment in kept { append(segment.answer, from: segment.start) }
        }
    }
}

/// Which rules of a profile are about which numbers of an ABI.
struct Claims {
    struct Claim {
        /// Number, rule and selector in one, in this order: sorting is comparing integers.
        fileprivate let packed: UInt64

        var number: UInt32 { UInt32(truncatingIfNeeded: packed >> 32) }
        var rule: Int { Int(packed >> 8 & 0xff_ffff) }
        /// First argument of socketcall or ipc, or 0.
        var selector: UInt32 { UInt32(packed & 0xff) }

        fileprivate init(_ number: UInt32, _ rule: Int, _ selector: UInt32 = 0) {
            packed = UInt64(number) << 32 | UInt64(rule) << 8 | UInt64(selector)
        }
    }

    private(set) var sorted: [Claim] = []
    /// The greatest number named, private ones left out; `nil` when no name is a call of this ABI.
    private(set) var greatest: UInt32?

    init(_ profile: Profile, _ abi: ABI) {
        sorted.reserveCapacity(512)
        for (index, rule) in profile.rules.enumerated() {
            for name in rule.names {
                let number = seccomp_syscall_resolve_name_arch(abi.token, name)
                if number >= 0 {
                    add(UInt32(number), index, rule, abi)
                } else if abi.architecture == .x86, let call = MultiplexedCalls.call(number),
                    !rule.isRedundant
                {
                    sorted.append(Claim(call.multiplexer, index, call.selector))
                    if let direct = call.direct { sorted.append(Claim(direct, index)) }
                }
            }
        }
        sorted.sort { $0.packed < $1.packed }
    }

    private mutating func add(_ number: UInt32, _ index: Int, _ rule: ProfileRule, _ abi: ABI) {
        if number < abi.firstPrivateNumber { greatest = max(greatest ?? 0, number) }
        if !rule.isRedundant { sorted.append(Claim(number, index)) }
    }
}
