internal import CLinux
public import Diagnostics

/// Reading directories.
public enum Directory {
    /// The names in an open directory, without `.` and `..`, in the kernel's order.
    public static func names(in directory: borrowing Descriptor, shown: String) throws(Failure) -> [String] {
        var names: [String] = []
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let raw = directory.raw
            let count = buffer.withUnsafeMutableBytes { clinux_getdents(raw, $0.baseAddress!, $0.count) }
            let used = Int(try check(count, "getdents64", "cannot list \(shown)"))
            if used == 0 { return names }
            var at = 0
            while at < used {
                // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
                let length = Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8
                let name = buffer[(at + 19)..<(at + length)].prefix { $0 != 0 }
                if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) {
                    names.append(String(decoding: name, as: UTF8.self))
                }
                at += length
            }
        }
    }
}
