internal import CLinux
internal import Diagnostics
internal import Linux

/// What a hook reads and prints: the container's state on stdin, and two pipes whose ends are kept for the error.
struct HookStreams: ~Copyable {
    private let input: Descriptor
    var output: CapturedStream
    var errors: CapturedStream

    /// - Parameters:
    ///   - state: the document for stdin. It is a file in memory, so nobody has to write while the hook runs, and one
    ///     that does not read it harms nobody.
    ///   - files: host files that stdout and stderr are appended to instead; nil where they are to be kept.
    static func open(
        state: [UInt8], outputFile: String?, errorsFile: String?
    ) throws(Failure) -> HookStreams {
        let input = Descriptor(
            adopting: try check(clinux_memfd("state", 0), "memfd_create", "cannot hold the state for a hook"))
        try input.write(state, name: "the state for a hook")
        _ = try check(clinux_memfd_seal(input.raw), "fcntl F_ADD_SEALS", "cannot seal the state for a hook")
        _ = try check(clinux_rewind(input.raw), "lseek", "cannot rewind the state for a hook")
        let output = try CapturedStream.open(file: outputFile)
        let errors = try CapturedStream.open(file: errorsFile)
        return HookStreams(input: input, output: output, errors: errors)
    }

    private init(
        input: consuming Descriptor, output: consuming CapturedStream, errors: consuming CapturedStream
    ) {
        self.input = input
        self.output = output
        self.errors = errors
    }

    /// Descriptors for the hook's 0, 1 and 2.
    var theirs: (CInt, CInt, CInt) { (input.raw, output.theirs, errors.theirs) }

    /// The hook has its own copies: from now on the end of its writers is seen.
    mutating func closeTheirs() {
        output.closeTheirs()
        errors.closeTheirs()
    }

    /// Reads what is there.
    mutating func drain() {
        output.drain()
        errors.drain()
    }

    /// `, stdout: "…", stderr: "…"`, without those that are empty. Quoted, since a hook may print whatever it likes:
    /// more lines, or what a terminal takes for commands.
    var description: String {
        var text = ""
        if let shown = output.shown { text += ", stdout: " + shown }
        if let shown = errors.shown { text += ", stderr: " + shown }
        return text
    }
}

/// One stream of a hook: a pipe whose last bytes are kept, or a file.
struct CapturedStream: ~Copyable {
    /// How much of what a hook prints is worth telling, in bytes.
    private static let limit = 2048

    private var reading: Descriptor?
    private var writing: Descriptor?
    private var bytes: [UInt8] = []
    private var isCut = false

    static func open(file: String?) throws(Failure) -> CapturedStream {
        if let file {
            let flags = O.writeOnly | O.create | O.append | O.noTTY
            return CapturedStream(reading: nil, writing: try Descriptor.open(file, flags, mode: 0o644))
        }
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            clinux_capture_pipe($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(result, "pipe2", "cannot catch what a hook prints")
        return CapturedStream(reading: Descriptor(adopting: ends.0), writing: Descriptor(adopting: ends.1))
    }

    private init(reading: consuming Descriptor?, writing: consuming Descriptor?) {
        self.reading = reading
        self.writing = writing
    }

    /// For poll(2); -1 once there is nothing more to come.
    var raw: CInt { reading.rawOrNone }

    var theirs: CInt { writing.rawOrNone }

    mutating func closeTheirs() { writing = nil }

    /// Reads without waiting, at most a pipe full at once, so that a hook that prints for ever cannot keep us here.
    mutating func drain() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        for _ in 0..<8 {
            let number = raw
            guard number >= 0 else { return }
            let count = buffer.withUnsafeMutableBytes { clinux_read(number, $0.baseAddress!, $0.count) }
            if count == -Int(Errno.EAGAIN) { return }
            if count <= 0 {
                reading = nil
                return
            }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count > CapturedStream.limit {
                bytes.removeFirst(bytes.count - CapturedStream.limit)
                isCut = true
            }
        }
    }

    /// The end of what came, quoted, without the last line's end; nil when nothing came.
    var shown: String? {
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") {
            end -= 1
        }
        guard end > 0 else { return nil }
        return (isCut ? "…" : "") + String(decoding: bytes[..<end], as: UTF8.self).debugDescription
    }
}
