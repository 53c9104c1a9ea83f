public import Diagnostics
public import OCI

/// Turns `linux.seccomp` into the classic BPF program that seccomp(2) takes.
///
/// libseccomp knows names and numbers of system calls; the program is written here, because libseccomp needs
/// 10 to 20 ms to generate one for an engine's default profile, more than the rest of a start, and this
/// compiler 0.3 ms. The decisions are libseccomp's and runc's, which the profiles in the field were written
/// against; the tests compare them number by number:
///
/// - A name that libseccomp does not know is skipped: engines list calls newer than the library. So is a name
///   that an architecture does not have, for that architecture.
/// - A rule whose action is the default action is skipped.
/// - Among several rules for one call, the first without conditions decides. When there is none, the first
///   rule in document order whose conditions hold does; where conditions of rules with different actions
///   overlap, libseccomp's order is its own affair and need not be this one.
/// - Conditions of one rule must all hold; but if two of them name the same argument, every condition of the
///   rule is an alternative.
/// - Conditions look at 32 bits of an argument on 32-bit architectures and x32, and at 64 bits otherwise.
/// - On i386 a rule for a call of the socket or System V IPC families also covers its older form through
///   socketcall(2) or ipc(2) (see `MultiplexedCalls`).
/// - A call of an architecture that the profile does not list kills the thread, x32 counting as one. The
///   machine's own always counts as listed.
///
/// **ENOSYS for calls newer than the profile.** Programs probe for new calls and fall back when they are
/// missing (ENOSYS), not when they are forbidden (EPERM). So where the default action is one that denies
/// (`SCMP_ACT_ERRNO` unless with ENOSYS itself, `SCMP_ACT_KILL*`, `SCMP_ACT_TRAP`), a number greater than the
/// greatest that the profile names, per architecture, returns ENOSYS instead. "Names" includes rules that are
/// otherwise skipped; numbers that libseccomp does not know cannot count. `SCMP_ACT_TRACE` counts as
/// permissive: a tracer emulates new calls itself.
public enum SeccompCompiler {
    /// Most instructions the kernel takes (`BPF_MAXINSNS`, linux/bpf_common.h).
    static let maximumLength = 4096

    /// Compiles `seccomp` for the machine this code runs on.
    ///
    /// - Throws: `.invalid` for values that the OCI text forbids (config-linux.md, "Seccomp"), `.unsupported`
    ///   for `SCMP_ACT_NOTIFY` and for a profile that needs more than 4096 instructions.
    public static func compile(_ seccomp: Spec.Linux.Seccomp) throws(Failure) -> Filter {
        try compile(seccomp, for: .current)
    }

    static func compile(_ seccomp: Spec.Linux.Seccomp, for machine: Machine) throws(Failure) -> Filter {
        if seccomp.listenerMetadata != nil && seccomp.listenerPath == nil {
            throw Failure(
                .invalid, "must not be set without listenerPath", at: "linux.seccomp.listenerMetadata")
        }
        let profile = try Profile(seccomp)
        var writer = ProgramWriter()
        let badArchitecture = writer.returning(ReturnValue.killThread)
        var entry = badArchitecture
        for family in machine.families.reversed() {
            let requested = family.abis.filter { abi in
                abi.isAlwaysOn || seccomp.architectures.contains(abi.architecture)
            }
            if requested.isEmpty { continue }
            let line = NumberLine(profile, family: family, abis: requested)
            var generator = Generator(profile: profile, line: line, writer: writer)
            let body = generator.generate()
            writer = generator.writer
            entry = writer.jump(.equal, family.auditArchitecture, then: body, else: entry)
        }
        writer.load(SeccompData.architecture)
        if writer.count > maximumLength {
            throw Failure(
                .unsupported,
                "the profile needs \(writer.count) instructions, and the kernel takes \(maximumLength)",
                at: "linux.seccomp")
        }
        return Filter(bytes: writer.bytes(), flags: flags(of: seccomp))
    }

    /// `SECCOMP_FILTER_FLAG_*` of linux/seccomp.h. WAIT_KILLABLE_RECV says how a process waits for the answer
    /// to a notification; the kernel refuses it (EINVAL) for a filter without a listener, where it would have
    /// no meaning.
    private static func flags(of seccomp: Spec.Linux.Seccomp) -> UInt32 {
        var bits: UInt32 = 0
        for flag in seccomp.flags where flag != .waitKillableReceive { bits |= flag.mask }
        return bits
    }
}
