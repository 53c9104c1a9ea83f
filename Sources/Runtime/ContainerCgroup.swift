internal import CLinux
internal import CPlan
internal import Cgroups
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// The container's cgroup in a start, and later from its record.
struct ContainerCgroup {
    private let manager: CgroupManager
    /// Of `disabled`: where the container stays.
    private let plan: CgroupPlan
    /// Whether stage 2 sees the cgroups as gantry does when the time comes to enter them, and has its rights.
    private let canEnter: Bool

    init(_ spec: Spec, id: String, by manager: CgroupManager) throws(Failure) {
        self.manager = manager
        let layout = try Layout.detect()
        switch manager {
        case .cgroupfs: plan = try CgroupPlan(spec, id: id, layout: layout)
        case .systemd:
            plan = try CgroupPlan(
                scopeFor: spec, id: id, isUser: clinux_effective_uid() != 0, layout: layout)
        case .disabled: plan = try CgroupPlan(stayingFor: spec, layout: layout)
        }
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
    var isBornInside: Bool {
        switch manager {
        case .cgroupfs: isUnified || (plan.hasUnified && canEnter)
        // systemd needs a process to make a scope around.
        case .systemd, .disabled: false
        }
    }

    var warnings: [String] { plan.warnings }

    /// What the planner wants to know.
    var layout: CgroupLayout {
        if isUnified { return .unified }
        let pairs = zip(plan.layout.hierarchies, plan.cgroup.directories)
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
        if manager == .disabled { return [] }
        return plan.cgroup.directories.map { Record.Cgroup(controllers: $0.controllers, path: $0.path) }
    }

    var unit: Record.Unit? {
        plan.scopeUnit.map { Record.Unit(name: $0.name, isUser: $0.isUser) }
    }

    /// - Returns: the directory that the process is to be born in.
    func makeBeforeSpawn() throws(Failure) -> Descriptor? {
        if manager == .systemd { try plan.connect() }
        guard isBornInside else { return nil }
        try plan.create(.unified)
        return try plan.open()
    }

    /// Makes the others, while stage 1 makes its namespaces.
    func makeAfterSpawn() throws(Failure) {
        if manager == .cgroupfs, !isUnified { try plan.create(isBornInside ? .legacy : .all) }
    }

    /// What stage 2 is to do to enter the cgroups of version 1: the payload of PLACE's reply. Empty when
    /// gantry has moved it, or when there are none.
    func place(_ pid: Int32) throws(Failure) -> [UInt8] {
        switch manager {
        case .cgroupfs: break
        case .systemd:
            try plan.createScope(around: pid)
            return []
        case .disabled: return []
        }
        let entrances = plan.entrances
        if canEnter && entrances.count < Int(CPLAN_VALUE_MAX) { return entrances }
        if isBornInside { try plan.placeLegacy(pid) } else { try plan.place(pid) }
        return []
    }

    /// Lets a process go on that is frozen in there, when it is alone: otherwise the cgroup is somebody else's.
    func thaw(for pid: Int32) throws(Failure) {
        if manager == .disabled { return }
        if try plan.cgroup.isFrozen(), try plan.cgroup.processes() == [pid] { try plan.cgroup.thaw() }
    }

    /// That the kernel killed the init for want of memory; nil when it did not.
    func memoryShortage(_ spec: Spec) -> Failure? {
        Self.memoryShortage(plan.cgroup, spec, isScope: manager == .systemd)
    }

    /// Takes back what a start that failed has made. Processes are gone by then, and `create` itself takes
    /// back what it made when it fails: a directory in use is somebody else's.
    func remove() throws(Failure) {
        if manager == .disabled { return }
        plan.endScope()
        try plan.cgroup.removeUnused(patience: 100)
    }
}

// From the record.
extension ContainerCgroup {
    /// Kills what is in them. For a container whose process is known, or was.
    static func remove(_ record: Record) throws(Failure) {
        let cgroup = try cgroup(record)
        if let unit = unit(record) { return try unit.remove(cgroup) }
        try cgroup.remove()
    }

    static func unit(_ record: Record) -> ScopeUnit? {
        record.unit.map { ScopeUnit(name: $0.name, isUser: $0.isUser) }
    }

    static func isFrozen(_ record: Record) throws(Failure) -> Bool {
        try cgroup(record).isFrozen()
    }

    /// See `Cgroup.thawToDie`.
    static func thawToDie(_ record: Record) throws(Failure) {
        try cgroup(record).thawToDie()
    }

    static func thaw(_ record: Record) throws(Failure) {
        try cgroup(record).thaw()
    }

    /// That the kernel killed the container's process for want of memory before its program ran; nil when it did not.
    /// For a process that was killed.
    static func memoryShortage(_ record: Record, _ spec: Spec) throws(Failure) -> Failure? {
        memoryShortage(try cgroup(record), spec, isScope: record.unit != nil)
    }

    private static func memoryShortage(_ cgroup: Cgroup, _ spec: Spec, isScope: Bool) -> Failure? {
        if isScope, cgroup.memoryIsForgotten { return possibleShortage(spec) }
        guard cgroup.outOfMemoryKills() > 0 else { return nil }
        let use = cgroup.statistics().memory.usage
        let resources = spec.linux?.resources
        let limit = resources?.memory?.limit ?? 0
        var place: String?
        if limit > 0 { place = "linux.resources.memory.limit" }
        if resources?.unified.contains(where: { $0.key.utf8.elementsEqual("memory.max".utf8) }) ?? false {
            place = "linux.resources.unified[\"memory.max\"]"
        }
        // The kernel counts pages, of which the limit may be none, and has one for "no limit".
        let known = limit > 0 ? UInt64(limit) : use.limit
        let limits =
            known < 1 << 62 ? "\(known) bytes are" : "the bytes that a cgroup above its own allows are"
        return Failure(
            .system,
            limits + " too few for the container to start: the kernel killed its init, which had used"
                + " \(max(use.peak, use.usage)) bytes of memory", at: place)
    }

    /// Of a scope, which systemd removes with its last process.
    private static func possibleShortage(_ spec: Spec) -> Failure? {
        guard let limit = spec.linux?.resources?.memory?.limit, limit > 0 else { return nil }
        return Failure(
            .system,
            "\(limit) bytes are perhaps too few for the container to start: its init was killed, and systemd has"
                + " removed the cgroup that could tell why", at: "linux.resources.memory.limit")
    }

    /// Returns when all processes have stopped.
    static func pause(_ record: Record) throws(Failure) {
        try own(record, "pause").freeze()
    }

    /// Returns when all processes go on.
    static func resume(_ record: Record) throws(Failure) {
        try own(record, "resume").thawWaiting()
    }

    /// - Parameters:
    ///   - present: what is in force.
    ///   - keep: as for `Cgroup.update`.
    static func update(
        _ record: Record, to resources: Spec.Linux.Resources, from present: Spec.Linux.Resources,
        changing changes: Spec.Linux.Resources, devices: DeviceUpdate?, keep: () throws(Failure) -> Void
    ) throws(Failure) -> [String] {
        let cgroup = try own(record, "update")
        guard let unit = unit(record) else {
            return try cgroup.update(to: resources, changing: changes, devices: devices, keep: keep)
        }
        let warnings = try cgroup.update(to: resources, changing: changes, devices: devices) {
            () throws(Failure) in
            try unit.update(cgroup, to: resources, from: present, devices: devices, keep: keep)
        }
        // systemd has written what it makes of them: a quota is rounded, for one.
        _ = try cgroup.update(to: resources, changing: changes) {}
        return warnings
    }

    static func statistics(_ record: Record) throws(Failure) -> Statistics {
        try own(record, "events").statistics()
    }

    static func watchMemory(_ record: Record) throws(Failure) -> OOMWatch? {
        try OOMWatch.begin(try own(record, "events"))
    }

    /// All processes of the container, those of nested cgroups among them, sorted.
    static func processes(_ record: Record) throws(Failure) -> [Int32] {
        try own(record, "ps").processes().sorted()
    }

    /// Those without a cgroup of their own are left to the end of their pid namespace.
    static func killAll(_ record: Record) throws(Failure) {
        try cgroup(record).signalAll(9)
    }

    static func signalAll(_ record: Record, _ signal: CInt) throws(Failure) {
        try own(record, "kill --all").signalAll(signal)
    }

    /// The cgroup, for a command that is about nothing else.
    private static func own(_ record: Record, _ command: String) throws(Failure) -> Cgroup {
        guard record.cgroupManager != .disabled else {
            throw Failure(
                .unsupported, "the container has no cgroup of its own (--cgroup-manager disabled)",
                at: command)
        }
        return try cgroup(record)
    }

    static func cgroup(_ record: Record) throws(Failure) -> Cgroup {
        try Cgroup(record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
    }
}
