internal import CPlan

/// Flags and numbers of ops in words.
extension Plan {
    private static func list(_ value: UInt64, _ names: [(UInt64, StaticString)]) -> String {
        var words: [String] = []
        for (bit, name) in names where value & bit != 0 { words.append(name.description) }
        return words.joined(separator: ",")
    }

    /// CLONE_NEW* as the configuration spells them.
    static func namespaces(_ flags: UInt64) -> String {
        list(
            flags,
            [
                (Clone.newPID, "pid"), (Clone.newNetwork, "network"), (Clone.newMount, "mount"),
                (Clone.newIPC, "ipc"),
                (Clone.newUTS, "uts"), (Clone.newUser, "user"), (Clone.newCgroup, "cgroup"),
                (Clone.newTime, "time"),
            ])
    }

    /// MOUNT_ATTR_* as mount options.
    static func attributes(_ value: UInt64) -> String {
        list(
            value,
            [
                (MountAttribute.readOnly, "ro"), (MountAttribute.noSUID, "nosuid"),
                (MountAttribute.noDev, "nodev"),
                (MountAttribute.noExec, "noexec"), (MountAttribute.noATime, "noatime"),
                (MountAttribute.strictATime, "strictatime"), (MountAttribute.noDirATime, "nodiratime"),
                (MountAttribute.noSymlinkFollow, "nosymfollow"),
            ])
    }

    /// What MOUNT_ATTR sets and takes away.
    static func attributes(_ op: Op) -> String {
        var words: [String] = []
        let set = attributes(op.raw.arg0)
        if !set.isEmpty { words.append(set) }
        let accessTime = MountAttribute.accessTimeMask
        if op.raw.arg1 & accessTime != 0, op.raw.arg0 & accessTime == 0 { words.append("relatime") }
        let taken = attributes(op.raw.arg1 & ~accessTime)
        if !taken.isEmpty { words.append("without " + taken) }
        return words.joined(separator: ", ")
    }

    /// MS_* of a mount(2).
    static func mountFlags(_ value: UInt64) -> String {
        list(
            value,
            [
                (UInt64(MountFlag.readOnly), "ro"), (UInt64(MountFlag.noSUID), "nosuid"),
                (UInt64(MountFlag.noDev), "nodev"), (UInt64(MountFlag.noExec), "noexec"),
                (UInt64(MountFlag.synchronous), "sync"), (UInt64(MountFlag.mandatoryLocks), "mand"),
                (UInt64(MountFlag.dirSync), "dirsync"), (UInt64(MountFlag.noSymlinkFollow), "nosymfollow"),
                (UInt64(MountFlag.noATime), "noatime"), (UInt64(MountFlag.noDirATime), "nodiratime"),
                (UInt64(MountFlag.silent), "silent"), (UInt64(MountFlag.posixACL), "acl"),
                (UInt64(MountFlag.relATime), "relatime"), (UInt64(MountFlag.iVersion), "iversion"),
                (UInt64(MountFlag.strictATime), "strictatime"), (UInt64(MountFlag.lazyTime), "lazytime"),
            ])
    }

    static func propagation(_ op: Op) -> String {
        let kind = list(
            op.raw.arg0,
            [
                (UInt64(MountFlag.private), "private"), (UInt64(MountFlag.shared), "shared"),
                (UInt64(MountFlag.slave), "slave"), (UInt64(MountFlag.unbindable), "unbindable"),
            ])
        return op.has(CPLAN_F_RECURSIVE) ? "r" + kind : kind
    }

    /// Names of the capabilities in a mask.
    static func capabilities(_ mask: UInt64) -> String {
        if mask == 0 { return "none" }
        var words: [String] = []
        for number in 0..<64 where mask >> UInt64(number) & 1 == 1 {
            let names = NameTable.capabilities.names
            words.append(number < names.count ? "CAP_" + names[number].description : "capability \(number)")
        }
        return words.joined(separator: ",")
    }

    static func rlimit(_ number: UInt64) -> String {
        let names = NameTable.rlimits.names
        return number < UInt64(names.count) ? "RLIMIT_" + names[Int(number)].description : "limit \(number)"
    }

    static func limit(_ value: UInt64) -> String { value == .max ? "unlimited" : String(value) }

    static func octal(_ value: UInt64) -> String { "0" + String(value, radix: 8) }
}
