/// The mount options that are not handed to the file system: one row each (mount(8), config-linux.md).
/// `features` prints from the same rows.
public struct MountOption: Sendable {
    public let name: StaticString
    let effect: Effect

    enum Effect: Sendable {
        /// Known, and the default anyway.
        case nothing
        /// MS_* flags that the option sets or takes back; a later option wins over an earlier one.
        case set(UInt32)
        case clear(UInt32)
        /// MS_SHARED and its like, with MS_REC for a whole tree; applied in order once the mount is attached.
        case propagation(UInt32)
        /// MOUNT_ATTR_* for the mount and all below it.
        case recursive(set: UInt64, clear: UInt64)
        /// Fills the new tmpfs with what the directory held.
        case copyUp
        /// An id-mapped mount.
        case idMap
    }

    private init(_ name: StaticString, _ effect: Effect) {
        self.name = name
        self.effect = effect
    }

    /// Whether this build executes the option.
    public var isSupported: Bool {
        switch effect {
        case .idMap, .set(MountFlag.remount): false
        default: true
        }
    }

    /// The effect of an option, or `nil` when it is the file system's.
    static func find(_ text: String) -> Effect? {
        var text = text
        return text.withUTF8 { text in
            // No row has a "=", and most of a file system's options do.
            for byte in text where byte == UInt8(ascii: "=") { return nil }
            for row in all where row.name.utf8CodeUnitCount == text.count {
                var index = 0
                while index < text.count, text[index] == row.name.utf8Start[index] { index += 1 }
                if index == text.count { return row.effect }
            }
            return nil
        }
    }

    /// Every row, in the order in which they are best read.
    public static let all: [MountOption] = [
        // Flags of mount(2).
        MountOption("defaults", .nothing),
        MountOption("ro", .set(MountFlag.readOnly)),
        MountOption("rw", .clear(MountFlag.readOnly)),
        MountOption("nosuid", .set(MountFlag.noSUID)),
        MountOption("suid", .clear(MountFlag.noSUID)),
        MountOption("nodev", .set(MountFlag.noDev)),
        MountOption("dev", .clear(MountFlag.noDev)),
        MountOption("noexec", .set(MountFlag.noExec)),
        MountOption("exec", .clear(MountFlag.noExec)),
        MountOption("bind", .set(MountFlag.bind)),
        MountOption("rbind", .set(MountFlag.bind | MountFlag.recursive)),
        MountOption("relatime", .set(MountFlag.relATime)),
        MountOption("norelatime", .clear(MountFlag.relATime)),
        MountOption("noatime", .set(MountFlag.noATime)),
        MountOption("atime", .clear(MountFlag.noATime)),
        MountOption("strictatime", .set(MountFlag.strictATime)),
        MountOption("nostrictatime", .clear(MountFlag.strictATime)),
        MountOption("nodiratime", .set(MountFlag.noDirATime)),
        MountOption("diratime", .clear(MountFlag.noDirATime)),
        MountOption("nosymfollow", .set(MountFlag.noSymlinkFollow)),
        MountOption("symfollow", .clear(MountFlag.noSymlinkFollow)),
        MountOption("sync", .set(MountFlag.synchronous)),
        MountOption("async", .clear(MountFlag.synchronous)),
        MountOption("dirsync", .set(MountFlag.dirSync)),
        MountOption("lazytime", .set(MountFlag.lazyTime)),
        MountOption("nolazytime", .clear(MountFlag.lazyTime)),
        MountOption("mand", .set(MountFlag.mandatoryLocks)),
        MountOption("nomand", .clear(MountFlag.mandatoryLocks)),
        MountOption("silent", .set(MountFlag.silent)),
        MountOption("loud", .clear(MountFlag.silent)),
        MountOption("iversion", .set(MountFlag.iVersion)),
        MountOption("noiversion", .clear(MountFlag.iVersion)),
        MountOption("acl", .set(MountFlag.posixACL)),
        MountOption("noacl", .clear(MountFlag.posixACL)),
        MountOption("remount", .set(MountFlag.remount)),

        // Propagation (mount_namespaces(7)).
        MountOption("private", .propagation(MountFlag.private)),
        MountOption("shared", .propagation(MountFlag.shared)),
        MountOption("slave", .propagation(MountFlag.slave)),
        MountOption("unbindable", .propagation(MountFlag.unbindable)),
        MountOption("rprivate", .propagation(MountFlag.private | MountFlag.recursive)),
        MountOption("rshared", .propagation(MountFlag.shared | MountFlag.recursive)),
        MountOption("rslave", .propagation(MountFlag.slave | MountFlag.recursive)),
        MountOption("runbindable", .propagation(MountFlag.unbindable | MountFlag.recursive)),

        // The mount and all below it (mount_setattr(2)). Taking an access-time mode back means the kernel's
        // default, relatime, as without the "r".
        MountOption("rro", .recursive(set: MountAttribute.readOnly, clear: 0)),
        MountOption("rrw", .recursive(set: 0, clear: MountAttribute.readOnly)),
        MountOption("rnosuid", .recursive(set: MountAttribute.noSUID, clear: 0)),
        MountOption("rsuid", .recursive(set: 0, clear: MountAttribute.noSUID)),
        MountOption("rnodev", .recursive(set: MountAttribute.noDev, clear: 0)),
        MountOption("rdev", .recursive(set: 0, clear: MountAttribute.noDev)),
        MountOption("rnoexec", .recursive(set: MountAttribute.noExec, clear: 0)),
        MountOption("rexec", .recursive(set: 0, clear: MountAttribute.noExec)),
        MountOption("rnodiratime", .recursive(set: MountAttribute.noDirATime, clear: 0)),
        MountOption("rdiratime", .recursive(set: 0, clear: MountAttribute.noDirATime)),
        MountOption("rrelatime", .recursive(set: 0, clear: MountAttribute.accessTimeMask)),
        MountOption("rnorelatime", .nothing),
        MountOption(
            "rnoatime", .recursive(set: MountAttribute.noATime, clear: MountAttribute.accessTimeMask)),
        MountOption("ratime", .recursive(set: 0, clear: MountAttribute.accessTimeMask)),
        MountOption(
            "rstrictatime",
            .recursive(set: MountAttribute.strictATime, clear: MountAttribute.accessTimeMask)),
        MountOption("rnostrictatime", .recursive(set: 0, clear: MountAttribute.accessTimeMask)),
        MountOption("rnosymfollow", .recursive(set: MountAttribute.noSymlinkFollow, clear: 0)),
        MountOption("rsymfollow", .recursive(set: 0, clear: MountAttribute.noSymlinkFollow)),

        MountOption("tmpcopyup", .copyUp),
        MountOption("idmap", .idMap),
        MountOption("ridmap", .idMap),
    ]
}
