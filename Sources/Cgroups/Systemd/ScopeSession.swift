internal import CLinux
internal import DBus
public import Diagnostics
internal import Linux
internal import OCI

/// The making of a container's scope, and its unmaking when the start fails.
///
/// A class: what a start has made is known to the one that takes it back.
public final class ScopeSession {
    public let scope: Scope
    private let basic: [UnitProperty]
    private let annotated: [UnitProperty]
    private var connected: SystemdManager?
    /// Whether there may be a unit of ours.
    private var isMade = false

    /// - Throws: `invalid` at the annotation that is.
    init(_ scope: Scope, _ spec: Spec, id: String, isUnified: Bool) throws(Failure) {
        self.scope = scope
        basic = UnitProperty.basic(scope, id: id, isUnified: isUnified)
        annotated = try UnitProperty.annotated(spec.annotations)
    }

    /// The connection of this command.
    func manager() throws(Failure) -> SystemdManager {
        if let connected { return connected }
        let manager = try SystemdManager(isUser: scope.isUser)
        connected = manager
        return manager
    }

    /// Starts the unit with a process in it. What annotations say comes last.
    func start(_ pid: Int32, _ resources: [UnitProperty]) throws(Failure) {
        var properties = basic
        properties.append(UnitProperty("PIDs", .array(of: "u", [.uint32(UInt32(pid))])))
        for property in resources + annotated { properties.set(property) }
        try manager().start(scope.unit, properties, made: &isMade)
    }

    /// Ends the unit of a start that has failed, if there is one. The connection of the start may be what did not answer.
    func end(_ cgroup: Cgroup) {
        guard isMade else { return }
        try? ScopeUnit(name: scope.unit, isUser: scope.isUser).removeUnused(cgroup)
        isMade = false
    }
}

/// A container's scope as its record names it.
public struct ScopeUnit: Equatable, Sendable {
    public let name: String
    public let isUser: Bool

    public init(name: String, isUser: Bool) {
        self.name = name
        self.isUser = isUser
    }

    /// Ends it: its processes, the unit and what is left of its cgroups.
    ///
    /// Without D-Bus, or when systemd does not answer, processes and cgroups go all the same, and systemd drops a scope
    /// without processes by itself.
    public func remove(_ cgroup: Cgroup) throws(Failure) {
        try cgroup.signalAll(9)
        stop(cgroup)
        try cgroup.remove()
    }

    /// Ends what a start that came to nothing may have made, before its cgroups are removed: the unit whose directory is
    /// where the container's would be, and has no processes. Another's of the same name has its directory elsewhere, or
    /// is in use; and one of ours without a directory has no processes, so that systemd drops it by itself.
    public func removeUnused(_ cgroup: Cgroup) throws(Failure) {
        guard let directory = directory(of: cgroup), clinux_exists(directory) == 0 else { return }
        // The init may be about to end.
        var left = ScopeUnit.deathPatience
        while try !cgroup.processes(in: directory).isEmpty {
            guard left > 0 else { return }
            clinux_sleep(ScopeUnit.pause)
            left -= ScopeUnit.pause
        }
        stop(cgroup)
    }

    /// How long processes that are about to end may take, in milliseconds.
    private static let deathPatience: CInt = 1_000
    /// How long systemd may take to notice that a scope is empty, in milliseconds.
    private static let patience: CInt = 500
    /// Between two looks, in milliseconds.
    private static let pause: CInt = 20

    /// systemd hears of an empty scope by its cgroup.events, of which the kernel tells at most every 10 ms, and nothing any
    /// more when the directory is gone by then: it would keep the unit for ever. So it gets time when it cannot be told.
    private func stop(_ cgroup: Cgroup) {
        if (try? SystemdManager(isUser: isUser).stop(name)) != nil { return }
        guard let directory = directory(of: cgroup) else { return }
        var left = ScopeUnit.patience
        while left > 0, clinux_exists(directory) == 0 {
            clinux_sleep(ScopeUnit.pause)
            left -= ScopeUnit.pause
        }
    }

    /// The scope's own directory in the hierarchy by which systemd knows: the container's may be one below.
    private func directory(of cgroup: Cgroup) -> String? {
        guard let known = cgroup.directories.first(where: { $0.isUnified || $0.has("name=systemd") })
        else { return nil }
        let names = known.path.utf8.split(separator: UInt8(ascii: "/"))
        guard let own = names.lastIndex(where: { $0.elementsEqual(name.utf8) }) else { return nil }
        return names[...own].map { "/" + String(Substring($0)) }.joined()
    }
}
