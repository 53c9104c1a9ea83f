public import Diagnostics
public import Linux
public import OCI

/// What a start does about cgroups: which directories, which values. Nothing is made before `create`.
///
///     let plan = try CgroupPlan(spec, id: id, layout: try Layout.detect())
///     record plan.cgroup.directories
///     try plan.create()
///     v1: stage 2 enters plan.entrances   v2: hand plan.open() to clone3(CLONE_INTO_CGROUP)
public struct CgroupPlan {
    public let layout: Layout
    /// A directory per hierarchy of `layout`, in its order.
    public let cgroup: Cgroup
    /// Sentences about properties that are left out, each with its JSON path.
    public internal(set) var warnings: [String]

    let settings: [Setting]
    let devices: DevicePolicy
    /// Of a version 1 host, where devices are a controller.
    let deviceExceptions: DeviceExceptions?
    /// Who the cgroup is handed over to; root for nobody.
    let owner: UInt32
    /// The unit that is the cgroup, when systemd makes it.
    let scope: ScopeSession?

    /// - Throws: `invalid` or `unsupported`, at the property's JSON path.
    public init(_ spec: Spec, id: String, layout: Layout) throws(Failure) {
        let path = try CgroupPath(spec.linux?.cgroupsPath, id: id)
        let own = path.isAbsolute ? OwnCgroups([]) : try OwnCgroups.read()
        try self.init(spec, path: path, own: own, layout: layout)
    }

    /// The same without a system call.
    init(_ spec: Spec, path: CgroupPath, own: OwnCgroups, layout: Layout) throws(Failure) {
        var directories: [Cgroup.Directory] = []
        directories.reserveCapacity(layout.hierarchies.count)
        for hierarchy in layout.hierarchies {
            directories.append(
                Cgroup.Directory(
                    controllers: hierarchy.label,
                    path: try path.directory(in: hierarchy, own: own, onUnifiedHost: layout.isUnified)))
        }
        try self.init(spec, directories: directories, layout: layout)
    }

    /// - Parameter directories: one in each hierarchy.
    init(
        _ spec: Spec, directories: [Cgroup.Directory], layout: Layout, scope: ScopeSession? = nil
    ) throws(Failure) {
        self.layout = layout
        self.scope = scope
        owner = Self.owner(spec)
        cgroup = Cgroup(trusted: directories)
        let resources = try ResourceSettings(spec.linux?.resources, layout.isUnified ? .v2 : .v1)
        settings = resources.settings
        warnings = resources.warnings
        devices = try DevicePolicy(spec.linux?.resources?.devices ?? [])
        let hasDeviceController = directories.contains { $0.has("devices") }
        deviceExceptions = hasDeviceController ? try DeviceExceptions(devices) : nil
        if !layout.isUnified { try checkControllers() }
    }

    /// On version 1 the mounts tell which controllers there are.
    private func checkControllers() throws(Failure) {
        for setting in settings where !cgroup.directories.contains(where: { $0.has(setting.controller) }) {
            throw Failure(
                .unsupported, "needs the cgroup controller \(setting.controller), which is not mounted",
                at: setting.place)
        }
    }

    /// The version 2 directory, for clone3(2) with CLONE_INTO_CGROUP. `create` comes before.
    public func open() throws(Failure) -> Descriptor {
        guard let directory = try cgroup.openUnified() else {
            throw Failure(.unsupported, "there is no cgroup v2 hierarchy", at: Layout.mountPoint)
        }
        return directory
    }

    /// Whether there is a directory of version 2 for `open`.
    public var hasUnified: Bool { cgroup.unified != nil }

    /// See `Cgroup.entrances`.
    public var entrances: [UInt8] { cgroup.entrances }

    /// Moves a process into every version 1 directory: one that cannot enter by itself.
    public func placeLegacy(_ pid: Int32) throws(Failure) {
        for directory in cgroup.directories where !directory.isUnified { try place(pid, directory) }
    }

    /// Moves a process into every directory.
    public func place(_ pid: Int32) throws(Failure) {
        for directory in cgroup.directories { try place(pid, directory) }
    }

    func place(_ pid: Int32, _ directory: Cgroup.Directory) throws(Failure) {
        let result = CgroupFile.write(String(pid), to: directory.path + "/cgroup.procs")
        if result < 0 { throw Self.placementFailure(-result, pid, directory) }
    }

    /// Why a process cannot enter a cgroup (cgroups(7)).
    static func placementFailure(_ errno: CInt, _ pid: Int32, _ directory: Cgroup.Directory) -> Failure {
        let reason =
            switch errno {
            case CgroupErrno.busy where directory.isUnified:
                "controllers are enabled for its children, so it must have no processes"
            case CgroupErrno.notSupported: "it is threaded, and a container needs a domain cgroup"
            case CgroupErrno.noSpace: "its cpuset has no CPUs or no memory nodes"
            default: "the kernel refused"
            }
        return Failure.system(
            errno, "write \(pid) to \(directory.path)/cgroup.procs",
            "cannot put process \(pid) into the cgroup: \(reason)")
    }
}

/// Error numbers that mean something special for cgroups.
enum CgroupErrno {
    static let permission: CInt = 1
    static let notFound: CInt = 2
    static let noProcess: CInt = 3
    static let access: CInt = 13
    static let busy: CInt = 16
    static let exists: CInt = 17
    static let invalid: CInt = 22
    static let noSpace: CInt = 28
    static let range: CInt = 34
    static let readOnly: CInt = 30
    static let notEmpty: CInt = 39
    static let notSupported: CInt = 95
    static let noDevice: CInt = 19

    /// Whether a directory is not there (any more): it may go while a call looks at it.
    static func isGone(_ result: CInt) -> Bool { result == -notFound || result == -noDevice }
}
