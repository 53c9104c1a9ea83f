internal import CPlan

/// One step of a plan: `struct cplan_op` of CPlan.h and where it comes from. Until `Plan.encode()`, `str` and
/// `str2` are offsets into the plan's blob.
public struct Op: Sendable {
    var raw: cplan_op
    /// The property of config.json that asked for this step.
    public let origin: Origin

    /// `enum cplan_opcode`, in its order.
    public enum Code: UInt16, CaseIterable, Sendable {
        case nop
        case open, openTarget, check, close
        case setNS, unshare, fork, sync, loopback, hostname, domainname, keyring, personality, rlimit, umask,
            write
        case propagation, openTree, makeFS, mountAttr, attach, mountData, cover, pivot, moveRoot, mkdir,
            mknod, symlink
        case stdioNull, stdioOwner, capBounding, identity, caps, noNewPrivileges, seccomp, chdir, resolveExec
        case waitStart, closeFrom, exec
        case chroot
        case copyUp
        case resetSignals, enter, openMount
        case ptyMaster, ptySlave, ptyControl
        case deathSignal
    }

    public var code: Code { Code(rawValue: raw.code) ?? .nop }

    func has(_ flag: Int32) -> Bool { raw.flags & UInt16(truncatingIfNeeded: flag) != 0 }
    func has(_ flag: UInt32) -> Bool { raw.flags & UInt16(truncatingIfNeeded: flag) != 0 }
}

/// Numbers of descriptor slots (CPlan.h). Temporaries are simply filled again: that closes what was in them.
enum Slot {
    static let none = Int16(CPLAN_SLOT_NONE)
    static let control = Int16(CPLAN_SLOT_CONTROL)
    static let start = Int16(CPLAN_SLOT_START)
    static let container = Int16(CPLAN_SLOT_CONTAINER)
    static let cgroup = Int16(CPLAN_SLOT_CGROUP)
    static let proc = Int16(CPLAN_SLOT_PROC)
    static let root = Int16(CPLAN_SLOT_ROOT)
    static let null = Int16(CPLAN_SLOT_NULL)
    static let mask = Int16(CPLAN_SLOT_MASK)
    static let dev = Int16(CPLAN_SLOT_DEV)
    static let reaper = Int16(CPLAN_SLOT_REAPER)

    /// Where the mount in work goes.
    static let target = Int16(CPLAN_SLOT_FIRST_FREE)
    /// The mount in work.
    static let tree = target + 1
    /// The tmpfs that hierarchies of cgroup v1 are mounted in.
    static let hierarchies = target + 2
    /// The container's /etc/passwd.
    static let passwd = target + 3
    /// A directory that a node goes into.
    static let parent = target + 4
    /// The terminal's two ends.
    static let master = target + 5
    static let slave = target + 6
    /// Namespaces to join, one each: at most eight kinds.
    static let firstNamespace = target + 7
    /// Mounts that become read-only at the end, from the last slot down to this one.
    static let lastKept = firstNamespace + 8
    static let firstKept = Int16(CPLAN_SLOTS) - 1
}
