internal import CLinux
internal import Diagnostics
internal import Linux

/// The small files of one directory of ours. What is to be whole at any moment is written beside its place and renamed
/// into it.
struct StateFiles: ~Copyable {
    /// Absolute.
    let path: String
    let directory: Descriptor

    /// No file of ours comes near this.
    private static let limit = 64 << 20

    /// nil when there is none.
    func read(_ name: String) throws(Failure) -> [UInt8]? {
        let raw = clinux_openat(directory.raw, name, O.readOnly | O.noFollow, 0)
        if raw == -Errno.ENOENT { return nil }
        let shown = path + "/" + name
        let file = Descriptor(adopting: try check(raw, "openat", "cannot read \(shown)"))
        guard let bytes = try file.readAll(limit: StateFiles.limit, name: shown) else {
            throw Failure(.invalid, "is too large", at: shown)
        }
        return bytes
    }

    func write(_ bytes: [UInt8], to name: String) throws(Failure) {
        let shown = path + "/" + name
        let raw = clinux_openat(directory.raw, name, O.writeOnly | O.create | O.truncate | O.noFollow, 0o600)
        let file = Descriptor(adopting: try check(raw, "openat", "cannot write \(shown)"))
        try file.write(bytes, name: shown)
    }

    func replace(_ name: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = name + ".new"
        try write(bytes, to: temporary)
        _ = try check(
            clinux_renameat(directory.raw, temporary, directory.raw, name), "rename \(path)/\(temporary)",
            "cannot write \(path)/\(name)")
    }

    /// Appends in one write(2), all or nothing.
    ///
    /// - Returns: the size of the file in bytes.
    func append(_ bytes: [UInt8], to name: String) throws(Failure) -> Int64 {
        let shown = path + "/" + name
        let raw = clinux_openat(directory.raw, name, O.writeOnly | O.create | O.append | O.noFollow, 0o600)
        let file = Descriptor(adopting: try check(raw, "openat", "cannot write \(shown)"))
        let size = clinux_file_size(file.raw)
        do throws(Failure) {
            try file.write(bytes, name: shown)
        } catch {
            _ = clinux_set_file_size(file.raw, size)
            throw error
        }
        return size + Int64(bytes.count)
    }

    /// Removes a file that may be there.
    func unlink(_ name: String) throws(Failure) {
        let result = clinux_unlinkat(directory.raw, name, 0)
        if result != -Errno.ENOENT {
            _ = try check(result, "unlink \(path)/\(name)", "cannot remove the container's state")
        }
    }
}
