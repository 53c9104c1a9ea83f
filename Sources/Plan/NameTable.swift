/// Names whose position is what they stand for.
struct NameTable: Sendable {
    /// What every name begins with; not repeated in `names`.
    let prefix: StaticString
    let names: [StaticString]

    /// The number that the name stands for; `nil` for a name that is not in the table. Case matters.
    func number(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { name in
            let count = prefix.utf8CodeUnitCount
            guard name.count > count, Self.isEqual(name[..<count], prefix) else { return nil }
            return names.firstIndex { Self.isEqual(name[count...], $0) }
        }
    }

    private static func isEqual(_ text: Slice<UnsafeBufferPointer<UInt8>>, _ other: StaticString) -> Bool {
        guard text.count == other.utf8CodeUnitCount else { return false }
        return text.elementsEqual(UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
    }
}

extension NameTable {
    /// capabilities(7): those of Linux 5.9 and later.
    static let capabilities = NameTable(
        prefix: "CAP_",
        names: [
            "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
            "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
            "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
            "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
            "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
            "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
        ])

    /// getrlimit(2), numbered as on x86-64 and arm64.
    static let rlimits = NameTable(
        prefix: "RLIMIT_",
        names: [
            "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS",
            "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
        ])
}
