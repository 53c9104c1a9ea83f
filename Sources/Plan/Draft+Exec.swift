internal import CPlan
public import Diagnostics
public import OCI

/// A container that an exec joins.
public struct Joining: Sendable {
    /// Files through which the process enters the container's cgroups of version 1, each path ended by NUL.
    public var entrances: [UInt8]
    /// gantry's own hard limit on processes of a user (RLIMIT_NPROC).
    public var processLimit: UInt64
    /// What is joined is not an exec but a hook.
    var hook: JoiningHook?

    public init(entrances: [UInt8], processLimit: UInt64) {
        self.entrances = entrances
        self.processLimit = processLimit
    }
}

extension Planner {
    /// The facts that the plan of an exec depends on.
    public static func execRequests(_ process: Spec.Process, in spec: Spec) -> [FactRequest] {
        [.permittedCapabilities] + labelRequests(for: completed(process, from: spec.process))
    }

    /// Plans one more process in a container that is there. Slot CONTAINER holds a pidfd of a process in it.
    ///
    /// - Parameters:
    ///   - process: what to run; the validator let it pass.
    ///   - spec: the container's configuration. It gives what `process` does not: capabilities, limits, umask,
    ///     oom score; and the system-call filter and the personality.
    ///   - options: `intoCgroup`: slot CGROUP holds the version 2 cgroup to enter.
    public static func planExec(
        _ process: Spec.Process, in spec: Spec, joining: Joining, facts: HostFacts, options: PlanOptions
    ) throws(Failure) -> Plan {
        var joined = spec
        joined.process = completed(process, from: spec.process)
        var options = options
        options.joining = joining
        var draft = Draft(spec: joined, facts: facts, options: options)
        try draft.planJoining(joining)
        try draft.planProcess()
        return Plan(
            draft.steps, firstPrivate: UInt32(clamping: 3 + options.preserveFDs), filterOp: draft.filterOp,
            warnings: draft.warnings)
    }

    private static func completed(_ process: Spec.Process, from container: Spec.Process?) -> Spec.Process {
        guard let container else { return process }
        var process = process
        if process.capabilities == nil { process.capabilities = container.capabilities }
        if process.rlimits.isEmpty { process.rlimits = container.rlimits }
        if process.apparmorProfile == nil { process.apparmorProfile = container.apparmorProfile }
        if process.selinuxLabel == nil { process.selinuxLabel = container.selinuxLabel }
        if process.oomScoreAdj == nil { process.oomScoreAdj = container.oomScoreAdj }
        if process.user.umask == nil { process.user.umask = container.user.umask }
        return process
    }
}

/// Stage 1 of an exec, on the host and then in the container, whose processes cannot see it: it is in their pid
/// namespace only by its child, and that is made when nothing but the exec remains (CVE-2016-9962).
extension Draft {
    mutating func planJoining(_ joining: Joining) throws(Failure) {
        try planJoiningBeforeRoot(joining)
        if hasMountNamespace {
            try planOpenRoot("/")
        } else {
            steps.origin = Origin("root.path")
            steps.add(.chroot, src: Slot.root)
        }
        if process.terminal { planTerminal(in: Slot.root) } else { planContainersNull() }
    }

    /// Cgroups and namespaces. Afterwards "/" is what it is in the container's mount namespace.
    mutating func planJoiningBeforeRoot(_ joining: Joining) throws(Failure) {
        planProc()
        try planScore()
        steps.origin = .none
        steps.add(.resetSignals)
        // Into version 2 one is born, at a tenth of what it takes to move there. It takes privileges, so the
        // last fork, behind which there are none, would be too late.
        if options.intoCgroup { steps.add(.fork, src: Slot.cgroup) }
        if !joining.entrances.isEmpty {
            let files = steps.position
            for path in joining.entrances.split(separator: 0) { _ = try steps.text(bytes: path) }
            steps.add(.enter, str: files, len: steps.position - files)
        }
        if !hasMountNamespace { try planOpenRoot(options.rootfs) }
        steps.origin = Origin("linux.namespaces")
        let kinds = linux.namespaces.reduce(0) { $0 | Draft.kind($1.type).flag }
        if kinds != 0 { steps.add(.setNS, src: Slot.container, kinds) }
        try planKeyring()
    }

    private mutating func planOpenRoot(_ path: String) throws(Failure) {
        steps.origin = Origin("root.path")
        let text = try steps.text(path)
        steps.add(.open, dst: Slot.root, str: text, OpenFlag.path | OpenFlag.directory, 0)
    }

    /// Whoever may change the mode of its standard input must not change the host's null device by it. A
    /// container that has put something else in its place gets what the caller gave.
    private mutating func planContainersNull() {
        steps.origin = .none
        let path = steps.literal("dev/null")
        steps.add(
            .open, flags: UInt32(CPLAN_F_OPTIONAL), dst: Slot.null, src: Slot.root, skip: 2, str: path,
            OpenFlag.path, Resolve.container)
        steps.add(
            .check, flags: UInt32(CPLAN_F_OPTIONAL), src: Slot.null, skip: 1, FileType.character,
            deviceNumber(1, 3))
        steps.add(.stdioNull, src: Slot.null)
    }
}
