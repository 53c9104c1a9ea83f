internal import CPlan
internal import Diagnostics
internal import OCI

/// Where a mount goes, and what must hold there.
struct MountTarget {
    /// Clean, from "/".
    let path: String
    /// File system type; `bind` for a bind mount.
    let type: String
    /// CPLAN_F_* of OPEN_TARGET.
    let flags: UInt32

    /// Files of procfs that may be covered, as lxcfs does it. Nothing else in it may: the container, or we
    /// ourselves, could be told lies through it (CVE-2019-16884).
    private static let procAllowed: [StaticString] = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    ]

    /// - Parameter isProcfs: the source of a bind mount is on a procfs.
    /// - Throws: `invalid` for a destination or a type that cannot be.
    init(_ mount: Spec.Mount, index: Int, settings: MountSettings, isProcfs: Bool) throws(Failure) {
        let destination = PathText.cleaned(mount.destination)
        if mount.destination.isEmpty {
            throw Failure(.invalid, "must not be empty", at: "mounts[\(index)].destination")
        }
        if destination.isSame(as: "/") {
            throw Failure(
                .invalid, "must not be \"/\": what is mounted there would hide the root file system",
                at: "mounts[\(index)].destination")
        }
        let type = try MountTarget.type(mount, index: index, settings: settings)
        path = destination
        self.type = type
        flags = try MountTarget.procRules(
            destination, type: type, index: index, isProcfs: isProcfs)
    }

    private init(path: String, type: String, flags: UInt32) {
        self.path = path
        self.type = type
        self.flags = flags
    }

    /// The same place for another file system type.
    func retyped(_ type: String) -> MountTarget { MountTarget(path: path, type: type, flags: flags) }

    private static func type(_ mount: Spec.Mount, index: Int, settings: MountSettings) throws(Failure)
        -> String
    {
        if settings.isBind { return "bind" }
        guard let type = mount.type, !type.isEmpty else {
            throw Failure(
                .invalid, "must be given, unless \"bind\" or \"rbind\" is among the options",
                at: "mounts[\(index)].type")
        }
        if type.isSame(as: "bind") || type.isSame(as: "none") {
            throw Failure(
                .invalid,
                "\"\(type)\" is no file system; a bind mount has \"bind\" or \"rbind\" among its options",
                at: "mounts[\(index)].type")
        }
        return type
    }

    private static func procRules(
        _ path: String, type: String, index: Int, isProcfs: Bool
    ) throws(Failure) -> UInt32 {
        let noSymlinks = UInt32(CPLAN_F_NO_SYMLINKS)
        let refuseProc = UInt32(CPLAN_F_REFUSE_PROC)
        if path.isSame(as: "/proc") {
            if type.isSame(as: "proc") { return noSymlinks }
            // Also the second of two mounts there: it is on a procfs.
            if type.isSame(as: "bind"), isProcfs { return noSymlinks }
            throw Failure(
                .invalid, "/proc must be a proc file system, or a bind mount of one",
                at: "mounts[\(index)].destination")
        }
        if PathText.isInside(path, "/proc") {
            if type.isSame(as: "bind") {
                for allowed in procAllowed where path.isSame(as: allowed) { return 0 }
            }
            throw Failure(
                .invalid, "\(path) is inside /proc, where nothing may be mounted",
                at: "mounts[\(index)].destination")
        }
        if type.isSame(as: "proc") || type.isSame(as: "sysfs") { return noSymlinks | refuseProc }
        return refuseProc
    }

    /// Directories are made and devices put into it before it becomes read-only; so they are with a tmpfs.
    func becomesReadOnlyLater(_ settings: MountSettings) -> Bool {
        settings.isReadOnly && (type.isSame(as: "tmpfs") || path.isSame(as: "/dev"))
    }

    /// A tmpfs over a directory of the image gets that directory's mode, unless an option gives one.
    func takesModeOfDirectory(_ settings: MountSettings) -> Bool {
        guard type.isSame(as: "tmpfs") else { return false }
        for option in settings.data where option.utf8.starts(with: "mode=".utf8) { return false }
        return true
    }
}
