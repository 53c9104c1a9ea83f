internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

/// The standard streams of one run of a supervised container: its own ends, and those that the keeper keeps.
struct KeptStreams: ~Copyable {
    /// Write end of its standard input, when somebody may write to it.
    private(set) var input: Descriptor?
    /// Read ends; nil when it has a terminal, or the caller's streams.
    private(set) var output: Descriptor?
    private(set) var errors: Descriptor?
    /// The container's own, open here until it has them.
    private var theirInput: Descriptor?
    private var theirOutput: Descriptor?
    private var theirErrors: Descriptor?
    private let inherits: Bool

    /// Bytes that wait in a pipe: four times Linux' default, so that writer and keeper wake each other less often.
    private static let capacity: CInt = 256 << 10

    /// One with a terminal has /dev/null until it opens that. With `passthrough` it has what this process has.
    init(_ settings: SupervisionSettings) throws(Failure) {
        inherits = settings.logDriver == .passthrough
        if inherits { return }
        let hasPipes = !settings.hasTerminal
        if hasPipes {
            try KeptStreams.pipe(reading: &output, writing: &theirOutput)
            try KeptStreams.pipe(reading: &errors, writing: &theirErrors)
            clinux_grow_pipe(output.rawOrNone, KeptStreams.capacity)
            clinux_grow_pipe(errors.rawOrNone, KeptStreams.capacity)
        }
        if hasPipes && settings.hasStdin {
            try KeptStreams.pipe(reading: &theirInput, writing: &input)
        } else {
            theirInput = try Descriptor.open("/dev/null", O.readWrite)
        }
    }

    /// What become the container's 0, 1 and 2.
    var theirs: [CInt] {
        if inherits { return [0, 1, 2] }
        let first = theirInput.rawOrNone
        guard hasKept else { return [first, first, first] }
        return [first, theirOutput.rawOrNone, theirErrors.rawOrNone]
    }

    /// Whether there is anything to keep before the container runs.
    var hasKept: Bool { output.rawOrNone >= 0 }

    private static func pipe(reading: inout Descriptor?, writing: inout Descriptor?) throws(Failure) {
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            clinux_pipe($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(result, "pipe2", "cannot make the container's streams")
        reading = Descriptor(adopting: ends.0)
        writing = Descriptor(adopting: ends.1)
    }
}
