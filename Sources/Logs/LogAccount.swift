internal import CLinux

/// What has been given up and not been told in the log yet, by cause.
struct Losses: Equatable, Sendable {
    /// `drop-oldest`: the disk did not follow.
    var overflowLines: UInt64 = 0
    var overflowBytes: UInt64 = 0
    /// `--log-rate-limit`.
    var rateLines: UInt64 = 0
    var rateBytes: UInt64 = 0

    var isEmpty: Bool { overflowBytes == 0 && rateBytes == 0 }

    mutating func add(_ other: Losses) {
        overflowLines &+= other.overflowLines
        overflowBytes &+= other.overflowBytes
        rateLines &+= other.rateLines
        rateBytes &+= other.rateBytes
    }
}

/// What the log must know about the lines before: kept in the notes.
struct LogAccount: Equatable, Sendable {
    /// Where a stream stands within a line.
    struct Place: Equatable, Sendable {
        /// The last that was written of it is a piece whose line goes on.
        var isOpen = false
        /// The rest of the line is given up.
        var isSkipping = false
        /// The open line's rest was given up: it must be ended before something else is written.
        var isCut = false

        fileprivate var bits: UInt64 { (isOpen ? 1 : 0) | (isSkipping ? 2 : 0) | (isCut ? 4 : 0) }

        fileprivate init(bits: UInt64) {
            isOpen = bits & 1 != 0
            isSkipping = bits & 2 != 0
            isCut = bits & 4 != 0
        }

        init() {}

        /// A piece is given up. `isEnd`: it is the last one of its line.
        mutating func skip(isEnd: Bool) {
            if isOpen { isCut = true }
            isSkipping = !isEnd
        }
    }

    var places = (Place(), Place())
    var losses = Losses()

    subscript(stream: Int) -> Place {
        get { stream == 0 ? places.0 : places.1 }
        set { if stream == 0 { places.0 = newValue } else { places.1 = newValue } }
    }

    static func == (left: LogAccount, right: LogAccount) -> Bool {
        left.places == right.places && left.losses == right.losses
    }

    fileprivate var bits: UInt64 { places.0.bits | places.1.bits << 3 }

    fileprivate init(bits: UInt64, losses: Losses) {
        places = (Place(bits: bits & 7), Place(bits: bits >> 3 & 7))
        self.losses = losses
    }

    init() {}
}

/// What is noted before something is done, so that whoever takes over after a kill -9 knows what was going on
/// (spec/logs.md, "Exactly once").
struct LogNote: Equatable, Sendable {
    enum Kind: UInt64, Sendable {
        /// All that was begun is done; `after` holds.
        case idle = 1
        /// Bytes from `start` on are being written. They are when the ring's tail has left `start`.
        case batch = 2
        /// Something that is in no ring is being written: it is when the file has grown.
        case notice = 3
        /// Bytes from `start` on are being given up. They are when the ring's tail has left `start`.
        case loss = 4
        /// The same, and the batch before them that is still being written is out of the ring, too.
        case lossBehindBatch = 5
    }

    var kind: Kind
    /// Each note that is not about losses has a number of its own; one about losses has that of the note before it.
    var generation: UInt64
    var stream = 0
    var start: UInt64 = 0
    /// Of the file before the batch.
    var size: Int64 = 0
    /// Of the batch in the file.
    var length = 0
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var before = LogAccount()
    var after = LogAccount()
    /// What the batch holds.
    var lines: UInt64 = 0
    var bytes: UInt64 = 0

    init(_ kind: Kind, generation: UInt64) {
        self.kind = kind
        self.generation = generation
    }

    /// Of the words' meaning. A note of another version is not understood, and not used.
    static let version: UInt8 = 1

    /// - Parameter place: CLINUX_NOTE_SIZE bytes that outlive us.
    func write(to place: UnsafeMutableRawPointer) {
        var words = [UInt64](repeating: 0, count: Int(CLINUX_NOTE_WORDS))
        words[0] =
            kind.rawValue | UInt64(stream) << 8 | before.bits << 16 | after.bits << 24 | generation << 32
        words[1] = start
        words[2] = UInt64(bitPattern: size)
        words[3] = UInt64(length)
        words[4] = device
        words[5] = inode
        LogNote.put(before.losses, &words, 6)
        LogNote.put(after.losses, &words, 10)
        words[14] = lines << 32 | bytes
        clinux_note_write(place, LogNote.version, words)
    }

    /// nil when there is none, or none that can be understood.
    init?(at place: UnsafeRawPointer) {
        var words = [UInt64](repeating: 0, count: Int(CLINUX_NOTE_WORDS))
        guard clinux_note_read(place, &words) == CInt(LogNote.version),
            let kind = Kind(rawValue: words[0] & 0xff)
        else { return nil }
        self.kind = kind
        generation = words[0] >> 32
        stream = Int(words[0] >> 8 & 1)
        start = words[1]
        size = Int64(bitPattern: words[2])
        length = Int(truncatingIfNeeded: words[3])
        device = words[4]
        inode = words[5]
        before = LogAccount(bits: words[0] >> 16 & 0xff, losses: LogNote.losses(words, 6))
        after = LogAccount(bits: words[0] >> 24 & 0xff, losses: LogNote.losses(words, 10))
        lines = words[14] >> 32
        bytes = words[14] & 0xffff_ffff
    }

    private static func put(_ losses: Losses, _ words: inout [UInt64], _ at: Int) {
        words[at] = losses.overflowLines
        words[at + 1] = losses.overflowBytes
        words[at + 2] = losses.rateLines
        words[at + 3] = losses.rateBytes
    }

    private static func losses(_ words: [UInt64], _ at: Int) -> Losses {
        Losses(
            overflowLines: words[at], overflowBytes: words[at + 1], rateLines: words[at + 2],
            rateBytes: words[at + 3])
    }
}
