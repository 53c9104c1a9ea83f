internal import Cgroups
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// The container's cgroup in a start, and later from its record.
struct ContainerCgroup {
    private let plan: CgroupPlan

    init(_ spec: Spec, id: String) throws(Failure) {
        plan = try CgroupPlan(spec, id: id, layout: try Layout.detect())
    }

    /// Whether the process is born in its cgroup, instead of being moved.
    var isUnified: Bool { plan.layout.isUnified }

    var warnings: [String] { plan.warnings }

    /// What the planner wants to know.
    var layout: CgroupLayout {
        let pairs = zip(plan.layout.hierarchies, plan.cgroup.directories)
        if isUnified, let directory = plan.cgroup.directories.first { return .unified(directory: directory.path) }
        var hierarchies: [CgroupLayout.Hierarchy] = []
        for (hierarchy, directory) in pairs where !hierarchy.isUnified {
            hierarchies.append(
                CgroupLayout.Hierarchy(
                    controllers: hierarchy.controllers, name: hierarchy.name, mountpoint: hierarchy.mountPoint,
                    directory: directory.path))
        }
        return .legacy(hierarchies)
    }

    var recorded: [Record.Cgroup] {
        plan.cgroup.directories.map { Record.Cgroup(controllers: $0.controllers, path: $0.path) }
    }

    /// - Returns: the directory that the process is to be born in.
    func makeBeforeSpawn() throws(Failure) -> Descriptor? {
        guard isUnified else { return nil }
        try plan.create()
        return try plan.open()
    }

    func makeAfterSpawn() throws(Failure) {
        if !isUnified { try plan.create() }
    }

    /// Moves stage 1; the container's process inherits it. Nothing to do on a unified host.
    func place(_ pid: Int32) throws(Failure) {
        if !isUnified { try plan.place(pid) }
    }

    /// Writes the limits that stage 1 would not have fitted in.
    func settle() throws(Failure) {
        try plan.settle()
    }

    /// Takes back what a start that failed has made. Processes are gone by then, and `create` itself takes back
    /// what it made when it fails: a directory in use is somebody else's.
    func remove() throws(Failure) {
        try plan.cgroup.removeUnused(patience: 100)
    }
}

// From the record.
extension ContainerCgroup {
    /// - Parameter wasEntered: whether there has been a process of the container's. Otherwise the directories may
    ///   turn out to be somebody else's, and what is in them is not killed.
    static func remove(_ record: Record, wasEntered: Bool) throws(Failure) {
        let cgroup = try cgroup(record)
        if wasEntered { try cgroup.remove() } else { try cgroup.removeUnused() }
    }

    static func isFrozen(_ record: Record) throws(Failure) -> Bool {
        try cgroup(record).isFrozen()
    }

    static func thaw(_ record: Record) throws(Failure) {
        try cgroup(record).thaw()
    }

    static func signalAll(_ record: Record, _ signal: CInt) throws(Failure) {
        try cgroup(record).signalAll(signal)
    }

    private static func cgroup(_ record: Record) throws(Failure) -> Cgroup {
        try Cgroup(record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
    }
}
