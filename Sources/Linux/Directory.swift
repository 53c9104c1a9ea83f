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

    /// Makes a directory and what is missing above it, which is everybody's to look into.
    ///
    /// - Parameter purpose: the sentence for why it failed.
    /// - Returns: those that were not there, the outermost first.
    @discardableResult
    public static func make(_ path: String, mode: UInt32, _ purpose: String) throws(Failure) -> [String] {
        var made: [String] = []
        var index = path.utf8.startIndex
        while let slash = path.utf8[index...].dropFirst().firstIndex(of: UInt8(ascii: "/")) {
            let outer = String(path[..<slash])
            let result = clinux_mkdirat(AT.cwd, outer, 0o755)
            if result == 0 { made.append(outer) }
            if result != -Errno.EEXIST { _ = try check(result, "mkdir \(outer)", purpose) }
            index = slash
        }
        let result = clinux_mkdirat(AT.cwd, path, mode)
        if result == 0 { made.append(path) }
        if result != -Errno.EEXIST { _ = try check(result, "mkdir \(path)", purpose) }
        return made
    }

    /// Removes the directory `name` of an open one with all that is in it; symlinks are removed, not followed. None of
    /// that name is no error.
    public static func removeTree(
        _ name: String, in directory: borrowing Descriptor, shown: String
    ) throws(Failure) {
        let raw = clinux_openat(directory.raw, name, O.directory | O.noFollow, 0)
        if raw == -Errno.ENOENT { return }
        let tree = Descriptor(
            adopting: try check(raw, "openat \(shown)/\(name)", "cannot remove \(shown)/\(name)"))
        for child in try names(in: tree, shown: shown) {
            let result = clinux_unlinkat(tree.raw, child, 0)
            if result == -Errno.EISDIR {
                try removeTree(child, in: tree, shown: shown + "/" + name)
            } else if result != -Errno.ENOENT {
                _ = try check(result, "unlink \(shown)/\(name)/\(child)", "cannot remove \(shown)/\(name)")
            }
        }
        _ = try check(
            clinux_unlinkat(directory.raw, name, AT.removeDirectory), "rmdir \(shown)/\(name)",
            "cannot remove \(shown)/\(name)")
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
            // Removed while it is open: nothing is in it.
            if count == -Int(Errno.ENOENT) { return }
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
