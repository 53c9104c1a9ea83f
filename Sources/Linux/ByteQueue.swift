internal import CLinux

/// Bytes on their way from one descriptor to another: read only when all that was read before has been written, so
/// that a slow reader holds up the writer and nothing piles up here.
public struct ByteQueue: ~Copyable {
    private var bytes: [UInt8]
    private var start = 0
    private var end = 0

    public init(capacity: Int) {
        bytes = [UInt8](repeating: 0, count: capacity)
    }

    public var isEmpty: Bool { start == end }

    /// read(2). The queue is empty.
    ///
    /// - Returns: how many bytes came, 0 at the end, or -errno.
    public mutating func fill(from descriptor: CInt) -> Int {
        let count = bytes.withUnsafeMutableBytes { clinux_read(descriptor, $0.baseAddress!, $0.count) }
        (start, end) = (0, max(count, 0))
        return count
    }

    /// write(2) of as much as is taken.
    ///
    /// - Returns: how many bytes were taken, or -errno.
    public mutating func drain(to descriptor: CInt) -> Int {
        let count = bytes.withUnsafeBytes { clinux_write(descriptor, $0.baseAddress! + start, end - start) }
        start += max(count, 0)
        return count
    }

    /// Takes one byte. The queue is empty.
    public mutating func put(_ byte: UInt8) {
        bytes[0] = byte
        (start, end) = (0, 1)
    }

    public mutating func removeAll() {
        (start, end) = (0, 0)
    }
}
