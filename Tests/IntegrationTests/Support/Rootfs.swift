import Foundation

/// Root file systems made on the spot.
enum Rootfs {
    /// A static busybox with all its applets, and the few files of /etc that programs look for.
    static func busybox(at path: String) throws {
        let files = FileManager.default
        for directory in ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "home"] {
            try files.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        try copy(Machine.busybox!, to: path + "/bin/busybox")
        for applet in applets {
            try files.createSymbolicLink(atPath: path + "/bin/" + applet, withDestinationPath: "busybox")
        }
        try "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n".write(
            toFile: path + "/etc/passwd", atomically: false, encoding: .utf8)
        try "root:x:0:\nuser:x:1000:\n".write(toFile: path + "/etc/group", atomically: false, encoding: .utf8)
    }

    /// Copies a program by way of another process. Had we opened it for writing ourselves, a child that is being made
    /// in another thread could keep it open, and executing it would fail with ETXTBSY.
    static func copy(_ source: String, to path: String) throws {
        let child = try Child.spawn("/bin/cp", [source, path])
        var status: Int32 = 0
        guard waitpid(child.pid, &status, 0) == child.pid, status == 0 else { throw POSIXError(.EIO) }
    }

    /// The same for a script.
    static func write(_ text: String, to path: String, mode: Int = 0o755) throws {
        let scratch = try TemporaryDirectory("file")
        defer { scratch.remove() }
        try text.write(toFile: scratch.path + "/file", atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: scratch.path + "/file")
        try copy(scratch.path + "/file", to: path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private static let applets: [String] = [
        "sh", "true", "false", "echo", "cat", "ls", "id", "env", "pwd", "mount", "umount", "sleep", "stat",
        "test",
        "readlink", "grep", "sed", "awk", "sort", "wc", "head", "tail", "touch", "mkdir", "rm", "ln", "mv",
        "cp", "dd",
        "hostname", "uname", "ps", "kill", "mknod", "chmod", "chown", "ip", "sysctl", "find", "cut", "tr",
        "od", "tee",
        "printf", "seq", "date", "df", "expr", "nc", "trap", "[", "timeout", "usleep", "dnsdomainname",
        "stty", "tty", "vi", "yes", "clear",
    ]
}
