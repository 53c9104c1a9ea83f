internal import CLinux
public import Diagnostics

/// An open file descriptor that is closed when its owner goes away. Always close-on-exec.
@frozen  // `discard` in embedded Swift asks for it
public struct Descriptor: ~Copyable, Sendable {
    public let raw: CInt

    /// Takes over a descriptor that nobody else closes.
    public init(adopting raw: CInt) {
        self.raw = raw
    }

    deinit {
        _ = clinux_close(raw)
    }

    /// Gives the descriptor away; the caller closes it.
    public consuming func release() -> CInt {
        let raw = self.raw
        discard self
        return raw
    }
}

extension Descriptor {
    /// openat(2) for a path that is trusted: one on the host, never one in a rootfs.
    public static func open(
        _ path: String, _ flags: CInt, mode: UInt32 = 0, in directory: CInt = AT.cwd
    ) throws(Failure) -> Descriptor {
        let raw = try check(
            clinux_openat(directory, path, flags, mode), "openat", "cannot open \(path)")
        return Descriptor(adopting: raw)
    }

    /// Reads to the end, at most `limit` bytes; nil when there is more.
    public func readAll(limit: Int, name: String) throws(Failure) -> [UInt8]? {
        try Descriptor.readAll(raw, limit: limit, name: name)
    }

    /// The same for a descriptor that somebody else owns.
    public static func readAll(_ raw: CInt, limit: Int, name: String) throws(Failure) -> [UInt8]? {
        // The size of a regular file is its own word for where it ends; that of procfs is 0.
        let size = Int(clinux_file_size(raw))
        var bytes = [UInt8](repeating: 0, count: min(max(size + 1, 4096), limit + 1))
        var used = 0
        while true {
            let count = bytes.withUnsafeMutableBytes { buffer in
                clinux_read(raw, buffer.baseAddress! + used, buffer.count - used)
            }
            _ = try check(count, "read", "cannot read \(name)")
            used += count
            if count == 0 || used == size { break }
            if used > limit { return nil }
            if used == bytes.count {
                bytes.append(contentsOf: repeatElement(0, count: min(bytes.count, limit + 1 - used)))
            }
        }
        bytes.removeLast(bytes.count - used)
        return bytes
    }

    /// Whether it is an open regular file: not a device, a FIFO or a directory, which could answer anything.
    public static func isRegularFile(_ raw: CInt) -> Bool {
        clinux_file_mode(raw) & 0o170000 == 0o100000
    }

    /// Writes all bytes.
    public func write(_ bytes: [UInt8], name: String) throws(Failure) {
        let result = bytes.withUnsafeBytes { buffer in
            buffer.count == 0 ? 0 : clinux_write_all(raw, buffer.baseAddress!, buffer.count)
        }
        _ = try check(result, "write", "cannot write \(name)")
    }

    /// Writes all of the string's UTF-8 bytes.
    public func write(_ text: String, name: String) throws(Failure) {
        var text = text
        let result = text.withUTF8 { buffer in
            buffer.count == 0 ? 0 : clinux_write_all(raw, buffer.baseAddress!, buffer.count)
        }
        _ = try check(result, "write", "cannot write \(name)")
    }
}

extension Optional where Wrapped == Descriptor {
    /// The number, or -1: how system calls say "none".
    public var rawOrNone: CInt {
        switch self {
        case .some(let descriptor): descriptor.raw
        case .none: -1
        }
    }
}
