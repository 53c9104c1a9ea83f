internal import Diagnostics
internal import JSON

/// Who makes a container's cgroups (`--cgroup-manager`).
public enum CgroupManager: String, CaseIterable, Sendable {
    /// gantry, in the mounted file systems.
    case cgroupfs
    /// systemd, as a transient scope unit.
    case systemd
    /// Nobody: the container stays in its caller's.
    case disabled

    /// What a file says; cgroupfs when it says nothing.
    static func read(_ value: JSONValue?) throws(Failure) -> CgroupManager {
        guard let value else { return .cgroupfs }
        guard let manager = CgroupManager(rawValue: try value.string()) else {
            throw value.failure("must be cgroupfs, systemd or disabled")
        }
        return manager
    }
}
