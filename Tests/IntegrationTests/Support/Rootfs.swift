import Foundation

/// Root file systems made on the spot.
enum Rootfs {
    /// A static busybox with all its applets, and the few files of /etc that programs look for.
    static func busybox(at path: String) throws {
        let files = FileManager.default
        for directory in ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "home"] {
            try files.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        try files.copyItem(atPath: Machine.busybox!, toPath: path + "/bin/busybox")
        for applet in applets {
            try files.createSymbolicLink(atPath: path + "/bin/" + applet, withDestinationPath: "busybox")
        }
        try "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n".write(
            toFile: path + "/etc/passwd", atomically: false, encoding: .utf8)
        try "root:x:0:\nuser:x:1000:\n".write(toFile: path + "/etc/group", atomically: false, encoding: .utf8)
    }

    private static let applets: [String] = [
        "sh", "true", "false", "echo", "cat", "ls", "id", "env", "pwd", "mount", "umount", "sleep", "stat", "test",
        "readlink", "grep", "sed", "awk", "sort", "wc", "head", "tail", "touch", "mkdir", "rm", "ln", "mv", "cp", "dd",
        "hostname", "uname", "ps", "kill", "mknod", "chmod", "chown", "ip", "sysctl", "find", "cut", "tr", "od", "tee",
        "printf", "seq", "date", "df", "expr", "nc", "trap", "[", "timeout", "usleep", "dnsdomainname",
    ]
}
