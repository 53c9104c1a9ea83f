internal import CLinux
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Seccomp
internal import Store

/// A container that could be made: everything that can be known and refused before anything is touched.
struct Preparation {
    let options: CreateOptions
    let bundle: Bundle
    let plan: Plan
    let cgroup: ContainerCgroup
    var record: Record
    /// `create`: the user's program waits for `start`.
    let waitsForStart: Bool

    /// Loads, validates and plans.
    init(_ options: CreateOptions, waitsForStart: Bool) throws(Failure) {
        try ContainerID.check(options.id)
        let bundle = try Bundle.load(options.bundle)
        let spec = bundle.spec
        try Validator.check(spec)
        let rootfs = try bundle.resolveRootfs()
        let cgroup = try ContainerCgroup(spec, id: options.id, by: options.cgroupManager)
        self.options = options
        self.bundle = bundle
        self.cgroup = cgroup
        self.waitsForStart = waitsForStart
        plan = try Preparation.plan(options, bundle, rootfs, cgroup, waitsForStart: waitsForStart)
        record = Record(
            id: options.id, bundle: bundle.path, rootfs: rootfs, created: clinux_realtime(),
            ownerUID: clinux_effective_uid(),
            annotations: spec.annotations.map { (key: $0.key, value: $0.value) },
            hasPidNamespace: spec.linux?.namespaces.contains { $0.type == .pid && $0.path == nil } ?? false,
            hasKeyring: !options.noNewKeyring, cgroups: cgroup.recorded,
            cgroupManager: options.cgroupManager, unit: cgroup.unit, hasHooks: !spec.hooks.isEmpty)
    }

    var process: Spec.Process? { bundle.spec.process }

    /// What the configuration has that does not come to pass, a sentence each.
    var warnings: [String] { Validator.warnings(bundle.spec) + plan.warnings + cgroup.warnings }

    /// Whether its process gets into a pid namespace that has others already.
    var joinsProcesses: Bool {
        bundle.spec.linux?.namespaces.contains { $0.type == .pid && $0.path != nil } ?? false
    }

    /// nil without any.
    var hooks: Hooks? {
        bundle.spec.hooks.isEmpty ? nil : Hooks(spec: bundle.spec, id: options.id, bundle: bundle.path)
    }

    /// The steps of a start, with the filter compiled.
    static func plan(
        _ options: CreateOptions, _ bundle: Bundle, _ rootfs: String, _ cgroup: ContainerCgroup,
        waitsForStart: Bool
    ) throws(Failure) -> Plan {
        var spec = bundle.spec
        if options.notifySocket != nil {
            let root = try Paths.absolute(options.root)
            spec = NotifySocket.mounted(
                StoredContainer.notifyDirectory(of: options.id, root: root), in: spec)
        }
        let facts = try FactGatherer.gather(Planner.requests(for: spec), cgroup: cgroup)
        let planOptions = PlanOptions(
            id: options.id, bundle: bundle.path, rootfs: rootfs, noPivot: options.noPivot,
            noNewKeyring: options.noNewKeyring, preserveFDs: options.inheritedFDs,
            waitsForStart: waitsForStart, intoCgroup: cgroup.isBornInside,
            environment: SocketActivation.environment(options.listenFDs)
                + (options.notifySocket != nil ? [NotifySocket.environment] : []),
            hasInit: options.hasInit)
        var plan = try Planner.plan(spec, facts: facts, options: planOptions)
        if plan.needsFilter, let seccomp = bundle.spec.linux?.seccomp {
            try plan.attach(filter: try SeccompCompiler.compile(seccomp).bytes)
        }
        return plan
    }

    /// The sentence for what an init told.
    func describe(_ failure: InitFailure?) -> Failure {
        guard let failure else { return Failure(.system, "the init failed without a reason") }
        return plan.describe(op: failure.op, errno: failure.errno, kind: failure.kind, detail: failure.detail)
    }

    /// The sentence for an init that ended without a word.
    func describeDeath(_ status: WaitStatus) -> Failure {
        if status.signal == 9, let failure = cgroup.memoryShortage(bundle.spec) { return failure }
        guard let signal = status.signal else {
            return Failure(.system, "the init ended with exit code \(status.code) before the container ran")
        }
        return Failure(.system, "the init was killed by signal \(signal) before the container ran")
    }
}
