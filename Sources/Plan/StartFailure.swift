internal import CPlan
public import Diagnostics
public import OCI

/// A failure between `start` and the exec. The plan is gone by then; the op's code and the configuration say
/// enough.
public enum StartFailure {
    private typealias Row = (code: Op.Code, purpose: StaticString, place: StaticString)

    private static let rows: [Row] = [
        (.rlimit, "cannot set a resource limit", "process.rlimits"),
        (.noNewPrivileges, "cannot set no_new_privs", "process.noNewPrivileges"),
        (.caps, "cannot set the capabilities", "process.capabilities"),
        (.seccomp, "cannot load the system-call filter", "linux.seccomp"),
    ]

    /// - Parameters:
    ///   - opcode: `enum cplan_opcode` of the op that failed.
    ///   - detail: for an exec, the file's path, a NUL, and its first bytes; empty for one of the reaper.
    ///   - spec: the configuration of the container as it was at `create`.
    public static func describe(opcode: UInt16, errno: Int32, detail: [UInt8], spec: Spec) -> Failure {
        if opcode == Op.Code.exec.rawValue {
            // The program's path comes with its own failure alone.
            guard !detail.isEmpty else { return ExecFailure.reaper(errno) }
            return ExecFailure.refused(detail, name: spec.process?.args.first ?? "", errno: errno)
        }
        let cause = { Failure.Cause(call: $0, errno: Errno(rawValue: errno)) }
        guard let row = rows.first(where: { $0.code.rawValue == opcode }) else {
            return Failure(
                .system, "the init failed at step \(opcode): this is a bug in gantry", cause: cause("init"))
        }
        return Failure(
            .system, row.purpose.description, at: row.place.description, cause: cause(Plan.call(row.code)))
    }
}
