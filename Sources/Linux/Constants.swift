// Kernel constants by name, for those that Swift's importer cannot see (macros with casts, new headers).

/// AT_* of fcntl.h.
public enum AT {
    public static let cwd: CInt = -100
    public static let symlinkNoFollow: CInt = 0x100
    public static let removeDirectory: CInt = 0x200
}

/// O_* of fcntl.h. O_CLOEXEC is always added by the wrappers. O_DIRECTORY and O_NOFOLLOW differ by architecture.
public enum O {
    public static let readOnly: CInt = 0
    public static let writeOnly: CInt = 1
    public static let readWrite: CInt = 2
    public static let create: CInt = 0o100
    public static let exclusive: CInt = 0o200
    public static let noTTY: CInt = 0o400
    public static let truncate: CInt = 0o1000
    public static let append: CInt = 0o2000
    public static let nonBlock: CInt = 0o4000
    public static let path: CInt = 0o10000000
    #if arch(arm64)
        public static let directory: CInt = 0o40000
        public static let noFollow: CInt = 0o100000
    #else
        public static let directory: CInt = 0o200000
        public static let noFollow: CInt = 0o400000
    #endif
}

/// RESOLVE_* of linux/openat2.h.
public enum Resolve {
    public static let noCrossDevice: UInt64 = 0x01
    public static let noMagicLinks: UInt64 = 0x02
    public static let noSymlinks: UInt64 = 0x04
    public static let beneath: UInt64 = 0x08
    public static let inRoot: UInt64 = 0x10
}

/// f_type values of statfs(2), linux/magic.h.
public enum FileSystemMagic {
    public static let proc: Int64 = 0x9fa0
    public static let cgroup2: Int64 = 0x6367_7270
    public static let cgroup1: Int64 = 0x27_e0eb
    public static let tmpfs: Int64 = 0x0102_1994
    public static let nsfs: Int64 = 0x6e73_6673
}

/// LOCK_* of flock(2).
public enum LockOperation {
    public static let shared: CInt = 1
    public static let exclusive: CInt = 2
    public static let nonBlocking: CInt = 4
    public static let unlock: CInt = 8
}

/// Options of waitpid(2).
public enum Wait {
    /// WNOHANG.
    public static let noHang: CInt = 1
}

/// Signals that gantry sends or tells apart itself, the same on x86-64 and arm64 (signal(7)).
public enum Signal {
    public static let kill: CInt = 9
    public static let child: CInt = 17
    public static let urgent: CInt = 23
    public static let windowSize: CInt = 28
    public static let inputOutput: CInt = 29
    public static let pipe: CInt = 13
    public static let terminate: CInt = 15
    public static let `continue`: CInt = 18
    /// SIGTSTP, what the terminal's suspend key sends; not SIGSTOP.
    public static let stop: CInt = 20
    public static let terminalInput: CInt = 21
    public static let terminalOutput: CInt = 22
    /// Those that ask a program to end: HUP, INT, QUIT, TERM.
    public static let ending: [CInt] = [1, 2, 3, 15]
}
