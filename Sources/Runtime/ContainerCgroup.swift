internal import CPlan
internal import Cgroups
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// The container's cgroup in a start, and later from its record.
struct ContainerCgroup {
    private let plan: CgroupPlan
    /// Whether stage 2 sees the cgroups as gantry does when the time comes to enter them, and has its rights.
    private let canEnter: Bool

    init(_ spec: Spec, id: String) throws(Failure) {
        plan = try CgroupPlan(spec, id: id, layout: try Layout.detect())
        canEnter = !(spec.linux?.namespaces ?? []).contains { namespace in
            switch namespace.type {
            case .user: true
            case .mount, .cgroup: namespace.path != nil
            default: false
            }
        }
    }

    private var isUnified: Bool { plan.layout.isUnified }

    /// Whether the process is born in a cgroup of version 2.
    var isBornInside: Bool { isUnified || (plan.hasUnified && canEnter) }

    var warnings: [String] { plan.warnings }

    /// What the planner wants to know.
    var layout: CgroupLayout {
        let pairs = zip(plan.layout.hierarchies, plan.cgroup.directories)
        if isUnified, let directory = plan.cgroup.directories.first {
            return .unified(directory: directory.path)
        }
        var hierarchies: [CgroupLayout.Hierarchy] = []
        for (hierarchy, directory) in pairs where !hierarchy.isUnified {
            hierarchies.append(
                CgroupLayout.Hierarchy(
                    controllers: hierarchy.controllers, name: hierarchy.name,
                    mountpoint: hierarchy.mountPoint,
                    directory: directory.path))
        }
        return .legacy(hierarchies)
    }

    var recorded: [Record.Cgroup] {
        plan.cgroup.directories.map { Record.Cgroup(controllers: $0.controllers, path: $0.path) }
    }

    /// - Returns: the directory that the process is to be born in.
    func makeBeforeSpawn() throws(Failure) -> Descriptor? {
        guard isBornInside else { return nil }
        try plan.create(.unified)
        return try plan.open()
    }

    /// Makes the others, while stage 1 makes its namespaces.
    func makeAfterSpawn() throws(Failure) {
        if !isUnified { try plan.create(isBornInside ? .legacy : .all) }
    }

    /// What stage 2 is to do to enter the cgroups of version 1: the payload of PLACE's reply. Empty when
    /// gantry has moved it, or when there are none.
    func place(_ pid: Int32) throws(Failure) -> [UInt8] {
        let entrances = plan.entrances
        if canEnter && entrances.count < Int(CPLAN_VALUE_MAX) { return entrances }
        if isBornInside { try plan.placeLegacy(pid) } else { try plan.place(pid) }
        return []
    }

    /// Lets a process go on that is frozen in there, when it is alone: otherwise the cgroup is somebody else's.
    func thaw(for pid: Int32) throws(Failure) {
        if try plan.cgroup.isFrozen(), try plan.cgroup.processes() == [pid] { try plan.cgroup.thaw() }
    }

    /// Takes back what a start that failed has made. Processes are gone by then, and `create` itself takes
    /// back what it made when it fails: a directory in use is somebody else's.
    func remove() throws(Failure) {
        try plan.cgroup.removeUnused(patience: 100)
    }
}

// From the record.
extension ContainerCgroup {
    /// Kills what is in them. For a container whose process is known, or was.
    static func remove(_ record: Record) throws(Failure) {
        try cgroup(record).remove()
    }

    static func isFrozen(_ record: Record) throws(Failure) -> Bool {
        try cgroup(record).isFrozen()
    }

    static func thaw(_ record: Record) throws(Failure) {
        try cgroup(record).thaw()
    }

    /// Returns when all processes have stopped.
    static func pause(_ record: Record) throws(Failure) {
        try cgroup(record).freeze()
    }

    /// Returns when all processes go on.
    static func resume(_ record: Record) throws(Failure) {
        try cgroup(record).thawWaiting()
    }

    /// - Parameter keep: as for `Cgroup.update`.
    static func update(
        _ record: Record, to resources: Spec.Linux.Resources, changing changes: Spec.Linux.Resources,
        devices: DeviceUpdate?, keep: () throws(Failure) -> Void
    ) throws(Failure) -> [String] {
        try cgroup(record).update(to: resources, changing: changes, devices: devices, keep: keep)
    }

    static func statistics(_ record: Record) throws(Failure) -> Statistics {
        try cgroup(record).statistics()
    }

    static func watchMemory(_ record: Record) throws(Failure) -> OOMWatch? {
        try OOMWatch.begin(try cgroup(record))
    }

    /// All processes of the container, those of nested cgroups among them, sorted.
    static func processes(_ record: Record) throws(Failure) -> [Int32] {
        try cgroup(record).processes().sorted()
    }

    static func signalAll(_ record: Record, _ signal: CInt) throws(Failure) {
        try cgroup(record).signalAll(signal)
    }

    static func cgroup(_ record: Record) throws(Failure) -> Cgroup {
        try Cgroup(record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
    }
}
