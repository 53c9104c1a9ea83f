internal import CLinux
internal import DBus
public import Diagnostics
internal import Linux
public import OCI

// Cgroups made by systemd: it makes the scope, in the hierarchies that it manages, around a process that is there. What
// it has no property for is done as on cgroupfs.
extension CgroupPlan {
    /// - Parameters:
    ///   - isUser: by the user's own instance of systemd.
    ///   - layout: how cgroup file systems are mounted.
    public init(
        scopeFor spec: Spec, id: String, isUser: Bool, layout: Layout
    ) throws(Failure) {
        let subgroup = spec.annotations.last { $0.key.utf8.elementsEqual("run.oci.systemd.subgroup".utf8) }
        let scope = try Scope(
            spec.linux?.cgroupsPath, id: id, subgroup: subgroup?.value, isUser: isUser)
        let session = try ScopeSession(scope, spec, id: id, isUnified: layout.isUnified)
        let root: OwnCgroups
        if isUser {
            // The user's instance has its units in a cgroup of the system's.
            let own = try session.manager().controlGroup()
            root = OwnCgroups(own, inAll: layout)
        } else {
            root = try OwnCgroups.ofSystemd()
        }
        try self.init(spec, scope: session, root: root, layout: layout)
    }

    /// The same without a system call.
    init(_ spec: Spec, scope session: ScopeSession, root: OwnCgroups, layout: Layout) throws(Failure) {
        var directories: [Cgroup.Directory] = []
        let below = session.scope.path + (session.scope.subgroup.map { "/" + $0 } ?? "")
        for hierarchy in layout.hierarchies {
            let path = hierarchy.mountPoint + (try root.path(below: hierarchy)) + below
            directories.append(Cgroup.Directory(controllers: hierarchy.label, path: path))
        }
        try self.init(spec, directories: directories, layout: layout, scope: session)
    }

    /// Starts the scope around a process and sets its limits.
    public func createScope(around pid: Int32) throws(Failure) {
        guard let scope else { return }
        let version = UnitProperty.dependOnVersion(settings) ? try scope.manager().version() : 0
        var properties = UnitProperty.devices(devices)
        for property in try UnitProperty.properties(of: settings, version: version) {
            properties.set(property)
        }
        try scope.start(pid, properties)
        var made: [String] = []
        for (hierarchy, directory) in zip(layout.hierarchies, cgroup.directories) {
            if hierarchy.isUnified || hierarchy.name != nil {
                try checkIsIn(pid, hierarchy, directory)
            }
            try fill(hierarchy, directory, pid, &made)
        }
        try limitDevices(.all, made)
    }

    /// systemd has put the process where we, and later `delete`, think.
    private func checkIsIn(
        _ pid: Int32, _ hierarchy: Layout.Hierarchy, _ directory: Cgroup.Directory
    ) throws(Failure) {
        guard let scope = scope?.scope, hierarchy.isUnified || isSystemds(hierarchy) else { return }
        let own = OwnCgroups(try ProcFile.read("/proc/\(pid)/cgroup"))
        let expected = Self.scopeDirectory(directory.path, scope)
        guard let path = own.path(in: hierarchy), expected.utf8.count >= path.utf8.count,
            expected.utf8.suffix(path.utf8.count).elementsEqual(path.utf8)
        else {
            throw Failure(
                .system,
                "has put the container's process into \(own.path(in: hierarchy) ?? "another cgroup"),"
                    + " not into \(expected)", at: "systemd")
        }
    }

    private func isSystemds(_ hierarchy: Layout.Hierarchy) -> Bool {
        hierarchy.name.map { $0.utf8.elementsEqual("systemd".utf8) } ?? false
    }

    /// The scope's own directory: the container may be in one below.
    private static func scopeDirectory(_ path: String, _ scope: Scope) -> String {
        guard let subgroup = scope.subgroup else { return path }
        return String(Substring(path.utf8.dropLast(subgroup.utf8.count + 1)))
    }

    /// What is left to do in one hierarchy.
    private func fill(
        _ hierarchy: Layout.Hierarchy, _ directory: Cgroup.Directory, _ pid: Int32, _ made: inout [String]
    ) throws(Failure) {
        if layout.isUnified {
            var controllers = try Self.controllers(of: hierarchy)
            var obstacles: [Obstacle] = []
            let parents = Self.ancestors(of: directory.path, below: hierarchy.mountPoint)
            let scopeDepth = parents.count - (scope?.scope.subgroup == nil ? 0 : 1)
            for parent in [hierarchy.mountPoint] + parents[..<scopeDepth] {
                Self.enable(&controllers, in: parent, &obstacles)
            }
            if scopeDepth < parents.count {
                // No controllers below a cgroup that has processes.
                try enter(pid, directory)
                Self.enable(&controllers, in: parents[scopeDepth], &obstacles)
            }
            try apply(to: directory, controllers, obstacles)
            return try handOver(directory)
        }
        // What systemd manages on a hybrid host, it has made: the others are ours.
        if scope?.scope.subgroup != nil || !(hierarchy.isUnified || isSystemds(hierarchy)) {
            try enterLegacy(hierarchy, directory, pid, &made)
        }
    }

    private func enter(_ pid: Int32, _ directory: Cgroup.Directory) throws(Failure) {
        let result = clinux_mkdirat(AT.cwd, directory.path, 0o755)
        if result < 0, result != -CgroupErrno.exists {
            throw Failure.system(-result, "mkdir \(directory.path)", "cannot make the container's cgroup")
        }
        try place(pid, directory)
    }

    private func enterLegacy(
        _ hierarchy: Layout.Hierarchy, _ directory: Cgroup.Directory, _ pid: Int32, _ made: inout [String]
    ) throws(Failure) {
        let parents = Self.ancestors(of: directory.path, below: hierarchy.mountPoint)
        for path in parents + [directory.path] {
            let result = clinux_mkdirat(AT.cwd, path, 0o755)
            if result == 0 {
                made.append(path)
            } else if result != -CgroupErrno.exists {
                throw Failure.system(-result, "mkdir \(path)", "cannot make the container's cgroup")
            }
        }
        if directory.has("cpuset") {
            let isNew = made.contains { $0.utf8.elementsEqual(directory.path.utf8) }
            try fillCpuset(directory, below: hierarchy.mountPoint, isNew: isNew)
        }
        try applyLegacy(to: directory)
        try place(pid, directory)
    }

    /// Takes back what a start that failed has made. Its processes are gone.
    public func endScope() {
        scope?.end(cgroup)
    }

    /// Fails when systemd is not there, before anything is made.
    public func connect() throws(Failure) {
        _ = try scope?.manager()
    }
}

// Changes of a container's limits.
extension ScopeUnit {
    /// Tells systemd of limits that the cgroup has got, so that it does not undo them; and when `keep` fails, that they
    /// are again what they were.
    ///
    /// - Parameters:
    ///   - resources: all that shall be in force.
    ///   - present: what was in force before.
    public func update(
        _ cgroup: Cgroup, to resources: Spec.Linux.Resources, from present: Spec.Linux.Resources,
        devices: DeviceUpdate?, keep: () throws(Failure) -> Void
    ) throws(Failure) {
        let new = try ResourceSettings(resources, cgroup.isUnified ? .v2 : .v1).settings
        let old = try ResourceSettings(present, cgroup.isUnified ? .v2 : .v1).settings
        if new == old, devices == nil { return try keep() }
        let manager = try SystemdManager(isUser: isUser)
        let version = UnitProperty.dependOnVersion(new + old) ? try manager.version() : 0
        let before = try UnitProperty.properties(of: old, version: version)
        let after = try UnitProperty.properties(of: new, version: version)
        let changes = UnitProperty.changes(from: before, to: after)
        do throws(Failure) {
            try set(changes, devices, manager, cgroup)
            try keep()
        } catch {
            var back = changes.map { UnitProperty.unset($0.name) }
            for property in before where changes.contains(where: { $0.name == property.name }) {
                back.set(property)
            }
            try? set(back, devices?.reversed, manager, cgroup)
            throw error
        }
    }

    private func set(
        _ changes: [UnitProperty], _ devices: DeviceUpdate?, _ manager: SystemdManager, _ cgroup: Cgroup
    ) throws(Failure) {
        guard let devices else { return try manager.set(name, changes) }
        try devices.letSystemd(cgroup) { () throws(Failure) in
            try manager.set(name, changes + UnitProperty.replacing(devices.new))
        }
    }
}

// Where systemd's units are.
extension OwnCgroups {
    /// systemd is process 1, and in a scope of its own since version 226: what is above that is above all its units.
    fileprivate static func ofSystemd() throws(Failure) -> OwnCgroups {
        var all = OwnCgroups(try ProcFile.read("/proc/1/cgroup"))
        let scope = "/init.scope"
        for index in all.entries.indices {
            let path = all.entries[index].path
            guard path.utf8.count >= scope.utf8.count,
                path.utf8.suffix(scope.utf8.count).elementsEqual(scope.utf8)
            else { continue }
            all.entries[index].path = String(Substring(path.utf8.dropLast(scope.utf8.count)))
        }
        return all
    }

    /// The same path in each hierarchy.
    fileprivate init(_ path: String, inAll layout: Layout) {
        self.init([])
        entries = layout.hierarchies.map { Entry(label: $0.label, path: path) }
    }
}

extension CgroupPlan {
    /// As the record names it; nil when systemd does not make it.
    public var scopeUnit: ScopeUnit? {
        scope.map { ScopeUnit(name: $0.scope.unit, isUser: $0.scope.isUser) }
    }
}
