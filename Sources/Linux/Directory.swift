internal import CLinux
public import Diagnostics

/// Reading directories.
public enum Directory {
    /// The names in an open directory, without `.` and `..`, in the kernel's order.
    public static func names(in directory: borrowing Descriptor, shown: String) throws(Failure) -> [String] {
        var names: [String] = []
        try forEach(in: directory.raw, shown: shown) { name, _ in names.append(name) }
        return names
    }

    /// The names of the directories in an open directory. Only for file systems that tell types, as cgroupfs does.
    public static func subdirectories(
        in directory: borrowing Descriptor, shown: String
    ) throws(Failure) -> [String] {
        var names: [String] = []
        try forEach(in: directory.raw, shown: shown) { name, type in
            if type == typeDirectory { names.append(name) }
        }
        return names
    }

    /// DT_DIR of readdir(3).
    private static let typeDirectory: UInt8 = 4

    private static func forEach(
        in directory: CInt, shown: String, _ body: (String, UInt8) -> Void
    ) throws(Failure) {
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                clinux_getdents(directory, $0.baseAddress!, $0.count)
            }
            let used = Int(try check(count, "getdents64", "cannot list \(shown)"))
            if used == 0 { return }
            var at = 0
            while at < used {
                // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
                let length = Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8
                let name = buffer[(at + 19)..<(at + length)].prefix { $0 != 0 }
                if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) {
                    body(String(decoding: name, as: UTF8.self), buffer[at + 18])
                }
                at += length
            }
        }
    }
}
