internal import CPlan
public import Diagnostics
public import OCI

/// A hook that runs in a container's namespaces.
public struct JoiningHook: Sendable {
    /// Whose rights it has, and where its path is looked up.
    public enum Place: Sendable {
        /// createContainer: the mounts are made, the root is not entered. Root with all that gantry may do.
        case beforeRoot
        /// startContainer: what the container's process is, in its root.
        case asProcess
    }

    public var hook: Spec.Hook
    public var place: Place
    /// Its index in the array of config.json.
    public var index: Int
    /// Whether its standard streams may be given to the container's user: they are nobody else's.
    public var ownsStreams: Bool

    public init(_ hook: Spec.Hook, _ place: Place, index: Int, ownsStreams: Bool) {
        self.hook = hook
        self.place = place
        self.index = index
        self.ownsStreams = ownsStreams
    }

    var origin: Origin {
        switch place {
        case .beforeRoot: Origin("hooks.createContainer", index)
        case .asProcess: Origin("hooks.startContainer", index)
        }
    }
}

extension Planner {
    /// Plans a hook that joins a container. As for `planExec`, slot CONTAINER holds a pidfd of a process in it.
    public static func planHook(
        _ hook: JoiningHook, in spec: Spec, joining: Joining, facts: HostFacts, options: PlanOptions
    ) throws(Failure) -> Plan {
        var joining = joining
        joining.hook = hook
        var options = options
        options.joining = joining
        var joined = spec
        var process = joined.process ?? Spec.Process()
        process.args = hook.hook.args.isEmpty ? [hook.hook.path] : hook.hook.args
        process.env = hook.hook.env
        process.terminal = false
        process.consoleSize = nil
        joined.process = process
        var draft = Draft(spec: joined, facts: facts, options: options)
        switch hook.place {
        case .beforeRoot:
            try draft.planJoiningBeforeRoot(joining)
            try draft.planHookBeforeRoot()
        case .asProcess:
            try draft.planJoining(joining)
            try draft.planProcess()
        }
        return Plan(draft.steps, firstPrivate: 3, filterOp: draft.filterOp, warnings: draft.warnings)
    }
}

extension Draft {
    /// A child of gantry's with gantry's rights, in the container's cgroups and namespaces. The tree is still the
    /// host's, with the container's root in its place.
    mutating func planHookBeforeRoot() throws(Failure) {
        steps.origin = .none
        steps.add(.umask, 0o022)
        steps.add(.closeFrom, 3)
        steps.origin = Origin("root.path")
        let directory = try steps.text(options.rootfs)
        steps.add(.chdir, str: directory)
        try planExecutable(Environment([]))
        steps.add(.fork)
        planDeathSignal()
        try planExec(Environment([]))
    }

    /// A hook does not outlive gantry, which counts its time. A change of user would make the kernel forget this.
    mutating func planDeathSignal() {
        guard options.joining?.hook != nil else { return }
        steps.origin = .none
        steps.add(.deathSignal, 9)
    }
}
