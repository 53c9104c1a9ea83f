internal import CLinux
internal import Diagnostics
internal import Linux

/// Reads the lines of a file, forwards or backwards, in blocks.
struct LineScanner: ~Copyable {
    struct Line {
        /// Without its end. It lives until the next call.
        var text: UnsafeRawBufferPointer
        /// Where it begins in the file.
        var offset: Int64
    }

    private let path: String
    private var file: CInt = -1
    private var buffer: UnsafeMutableRawBufferPointer
    /// What of the buffer holds the file's bytes from `offset` on.
    private var count = 0
    private var offset: Int64 = 0
    /// Forwards: where the next line begins in the buffer. Backwards: behind the end of the next one.
    private var at = 0

    private static let block = 128 << 10
    /// No line of a log is longer; what is, is no log.
    private static let longest = 64 << 20

    init(path: String) {
        self.path = path
        buffer = .allocate(byteCount: LineScanner.block, alignment: 8)
    }

    deinit { buffer.deallocate() }

    private mutating func grow() throws(Failure) {
        guard buffer.count < LineScanner.longest else {
            throw Failure(.invalid, "has a line of more than \(LineScanner.longest >> 20) MiB", at: path)
        }
        let count = buffer.count * 2
        buffer.deallocate()
        buffer = .allocate(byteCount: count, alignment: 8)
    }

    /// Fills the buffer from a place on, with less than `most` bytes only at the file's end.
    private mutating func fill(from start: Int64, most: Int) throws(Failure) {
        offset = start
        count = 0
        while count < most {
            let got = clinux_pread(file, buffer.baseAddress! + count, most - count, start + Int64(count))
            let read = Int(try check(got, "pread \(path)", "cannot read the log"))
            if read == 0 { return }
            count += read
        }
    }

    // MARK: Forwards

    /// `next` gives the lines of a file from a position on.
    mutating func begin(_ file: CInt, at position: Int64) {
        self.file = file
        (offset, count, at) = (position, 0, 0)
    }

    /// Behind the last line that `next` gave.
    var position: Int64 { offset + Int64(at) }

    /// The next whole line; nil at the file's end, where another call may find more.
    mutating func next() throws(Failure) -> Line? {
        var isFull = false
        while true {
            if at < count {
                let end = clinux_find_byte(buffer.baseAddress! + at, count - at, UInt8(ascii: "\n"))
                if end >= 0 {
                    let line = Line(
                        text: UnsafeRawBufferPointer(rebasing: buffer[at..<(at + end)]), offset: position)
                    at += end + 1
                    return line
                }
                if isFull {
                    // What has been read is nothing but this line's beginning.
                    if count < buffer.count { return nil }
                    try grow()
                }
            }
            if isFull && at == count { return nil }
            try fill(from: position, most: buffer.count)
            at = 0
            isFull = true
            if count == 0 { return nil }
        }
    }

    // MARK: Backwards

    /// `previous` gives the whole lines of a file from its end on.
    mutating func beginAtEnd(_ file: CInt) throws(Failure) {
        self.file = file
        var end = clinux_file_size(file)
        while end > 0 {
            let start = max(0, end - Int64(LineScanner.block))
            try fill(from: start, most: Int(end - start))
            let last = clinux_find_last_byte(buffer.baseAddress!, count, UInt8(ascii: "\n"))
            at = last + 1
            if last >= 0 { return }
            end = start
        }
        (offset, count, at) = (0, 0, 0)
    }

    /// The line before; nil at the file's beginning.
    mutating func previous() throws(Failure) -> Line? {
        while at > 0 || offset > 0 {
            if at > 0 {
                let before = clinux_find_last_byte(buffer.baseAddress!, at - 1, UInt8(ascii: "\n"))
                if before >= 0 || offset == 0 {
                    let text = UnsafeRawBufferPointer(rebasing: buffer[(before + 1)..<(at - 1)])
                    at = before + 1
                    return Line(text: text, offset: position)
                }
            }
            // More of what is before, so that the line lies in one piece.
            let end = position
            if at == buffer.count { try grow() }
            let start = max(0, end - Int64(buffer.count))
            try fill(from: start, most: Int(end - start))
            at = count
            // Somebody cut the file off meanwhile.
            if count < Int(end - start) { return nil }
        }
        return nil
    }
}
