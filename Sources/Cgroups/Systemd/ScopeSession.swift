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
        ScopeUnit(name: scope.unit, isUser: scope.isUser).removeUnused(cgroup)
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

    private func stop(_ manager: SystemdManager) throws(Failure) {
        try manager.stop(name)
    }

    /// Ends it: its processes, the unit and what is left of its cgroups.
    ///
    /// Without D-Bus, or when systemd does not answer, processes and cgroups go all the same, and systemd drops a scope
    /// without processes by itself.
    public func remove(_ cgroup: Cgroup) throws(Failure) {
        try cgroup.signalAll(9)
        removeUnused(cgroup)
        try cgroup.remove()
    }

    /// How long systemd may take to notice that a scope is empty, in milliseconds.
    private static let patience: CInt = 500

    /// systemd hears of an empty scope by its cgroup.events, of which the kernel tells at most every 10 ms, and nothing any
    /// more when the directory is gone by then: it would keep the unit for ever.
    private func leaveToSystemd(_ cgroup: Cgroup) {
        guard let watched = cgroup.directories.first(where: { $0.isUnified || $0.has("name=systemd") })
        else { return }
        var left = ScopeUnit.patience
        while left > 0, clinux_exists(watched.path) == 0 {
            clinux_sleep(20)
            left -= 20
        }
    }

    /// Ends a unit that has no processes, while its cgroup is still there: systemd drops it by itself if it does not
    /// answer.
    public func removeUnused(_ cgroup: Cgroup) {
        do throws(Failure) {
            try stop(try SystemdManager(isUser: isUser))
        } catch {
            leaveToSystemd(cgroup)
        }
    }
}
