// Kernel constants by name: Swift's importer does not see most of them (macros with casts, new headers).

/// CLONE_NEW* of linux/sched.h.
enum Clone {
    static let newTime: UInt64 = 0x80
    static let newMount: UInt64 = 0x0002_0000
    static let newCgroup: UInt64 = 0x0200_0000
    static let newUTS: UInt64 = 0x0400_0000
    static let newIPC: UInt64 = 0x0800_0000
    static let newUser: UInt64 = 0x1000_0000
    static let newPID: UInt64 = 0x2000_0000
    static let newNetwork: UInt64 = 0x4000_0000
}

/// O_* of fcntl.h. O_DIRECTORY and O_NOFOLLOW differ by architecture. The init adds O_CLOEXEC.
enum OpenFlag {
    static let readOnly: UInt64 = 0
    static let noTTY: UInt64 = 0o400
    static let nonBlock: UInt64 = 0o4000
    static let path: UInt64 = 0o10000000
    #if arch(arm64)
        static let directory: UInt64 = 0o40000
        static let noFollow: UInt64 = 0o100000
    #else
        static let directory: UInt64 = 0o200000
        static let noFollow: UInt64 = 0o400000
    #endif
}

/// RESOLVE_* of linux/openat2.h.
enum Resolve {
    static let noMagicLinks: UInt64 = 0x02
    static let noSymlinks: UInt64 = 0x04
    static let beneath: UInt64 = 0x08
    static let inRoot: UInt64 = 0x10
    /// How a path that the container may have made is looked up.
    static let container = inRoot | noMagicLinks
}

/// MS_* of linux/mount.h: what mount(2) takes and what mount options are named after.
enum MountFlag {
    static let readOnly: UInt32 = 1
    static let noSUID: UInt32 = 2
    static let noDev: UInt32 = 4
    static let noExec: UInt32 = 8
    static let synchronous: UInt32 = 16
    static let remount: UInt32 = 32
    static let mandatoryLocks: UInt32 = 64
    static let dirSync: UInt32 = 128
    static let noSymlinkFollow: UInt32 = 256
    static let noATime: UInt32 = 1024
    static let noDirATime: UInt32 = 2048
    static let bind: UInt32 = 4096
    static let recursive: UInt32 = 16384
    static let silent: UInt32 = 32768
    static let posixACL: UInt32 = 1 << 16
    static let unbindable: UInt32 = 1 << 17
    static let `private`: UInt32 = 1 << 18
    static let slave: UInt32 = 1 << 19
    static let shared: UInt32 = 1 << 20
    static let relATime: UInt32 = 1 << 21
    static let iVersion: UInt32 = 1 << 23
    static let strictATime: UInt32 = 1 << 24
    static let lazyTime: UInt32 = 1 << 25

    static let accessTime = noATime | noDirATime | relATime | strictATime
    /// Those that belong to one mount.
    static let perMount = readOnly | noSUID | noDev | noExec | noSymlinkFollow | accessTime
    /// Those that belong to the file system, however often it is mounted. (`readOnly` is both.)
    static let superblock =
        synchronous | mandatoryLocks | dirSync | silent | posixACL | iVersion | lazyTime
    /// Those of them that fsconfig(2) has no name for.
    static let mountCallOnly = silent | posixACL | iVersion
}

/// MOUNT_ATTR_* of linux/mount.h: what fsmount(2) and mount_setattr(2) take.
enum MountAttribute {
    static let readOnly: UInt64 = 0x1
    static let noSUID: UInt64 = 0x2
    static let noDev: UInt64 = 0x4
    static let noExec: UInt64 = 0x8
    /// A field of its own: relatime is 0 in it.
    static let accessTimeMask: UInt64 = 0x70
    static let noATime: UInt64 = 0x10
    static let strictATime: UInt64 = 0x20
    static let noDirATime: UInt64 = 0x80
    static let noSymlinkFollow: UInt64 = 0x20_0000
}

/// S_IF* of sys/stat.h.
enum FileType {
    static let fifo: UInt64 = 0o010000
    static let character: UInt64 = 0o020000
    static let block: UInt64 = 0o060000
}

/// errno values that an op may take as "nothing to do".
enum ErrorNumber {
    static let notPermitted: UInt16 = 1
    static let noEntry: UInt16 = 2
    static let access: UInt16 = 13
    static let notImplemented: UInt16 = 38
}

/// PROC_SUPER_MAGIC of linux/magic.h.
let procMagic: UInt64 = 0x9fa0
/// DEVPTS_SUPER_MAGIC of linux/magic.h.
let devptsMagic: UInt64 = 0x1cd1
/// Longest value that fsconfig(2) takes, without its NUL.
let fsconfigValueMax = 255
/// Most bytes of data that mount(2) reads; it drops the rest without a word. One page, less a NUL.
let mountDataMax = 4095

/// A device number as mknod(2) and st_rdev have it.
func deviceNumber(_ major: UInt32, _ minor: UInt32) -> UInt64 {
    UInt64(minor & 0xff | major << 8 | (minor & ~0xff) << 12)
}
