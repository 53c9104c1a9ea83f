internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

/// The log of a container that journald keeps, as journalctl exports it (systemd, "Journal Export Formats").
struct JournalReader: ~Copyable {
    private let pipe: Descriptor
    private let pid: CInt
    private var printer: LogPrinter
    private var bytes: [UInt8] = []
    /// What is not taken of it yet begins there.
    private var at = 0

    /// What is known of the entry that is being read.
    private struct Entry {
        var stream = 0
        var isWhole = true
        var time: [UInt8] = []
        var message: [UInt8]?
    }

    private var entry = Entry()

    static func print(
        _ settings: SupervisionSettings, directory: String, query: LogQuery, targets: (CInt, CInt)
    ) throws(Failure) {
        var watch = LogWatch(isWanted: query.follows, log: directory + "/.", directory: directory)
        var reader = try JournalReader(words(settings.id, query), LogPrinter(query, targets: targets))
        let isEnded: Bool
        if query.follows {
            isEnded = try reader.follow(&watch)
        } else {
            while try reader.take() {}
            isEnded = true
        }
        try reader.printer.flush()
        let code = reader.end(isEnded: isEnded)
        if isEnded, code != 0 {
            throw Failure(.system, "journalctl failed with exit code \(code)", at: settings.id)
        }
    }

    /// The command line.
    static func words(_ id: String, _ query: LogQuery) -> [String] {
        var words = [
            "journalctl", "--quiet", "--no-pager", "--output=export", "CONTAINER_ID_FULL=\(id)",
            query.tail.map { "--lines=\($0)" } ?? "--lines=all",
        ]
        // Its own clock counts, and whole seconds; the rest is sorted out here.
        if let since = query.since { words.append("--since=@\(since / 1_000_000_000)") }
        if let until = query.until { words.append("--until=@\(until / 1_000_000_000 + 1)") }
        if query.follows { words.append("--follow") }
        // Standard error has priority 3; any other may be one that a line of standard output began with.
        if query.hasStdout != query.hasStderr {
            for priority in 0..<8 where (priority == 3) == query.hasStderr {
                words.append("PRIORITY=\(priority)")
            }
        }
        return words
    }

    private init(_ words: [String], _ printer: consuming LogPrinter) throws(Failure) {
        let (pipe, pid) = try HostProgram.start(words)
        self.pipe = Descriptor(adopting: pipe)
        self.pid = pid
        self.printer = printer
    }

    /// Until the container has ended and journalctl tells nothing more. False when it was not journalctl that ended.
    private mutating func follow(_ watch: inout LogWatch) throws(Failure) -> Bool {
        while true {
            let isOver = watch.isOver()
            while clinux_wait_readable(pipe.raw, -1, isOver ? JournalReader.quiet : 0) == 1 {
                guard try take() else { return true }
            }
            try printer.flush()
            if isOver { return false }
            guard try watch.wait(until: printer.query.until, and: pipe.raw) else { return false }
        }
    }

    /// journald tells its readers of new entries within a moment; milliseconds.
    private static let quiet: CInt = 300

    /// The exit code.
    private func end(isEnded: Bool) -> CInt {
        if !isEnded { _ = clinux_kill(pid, Signal.ending[3]) }
        var status: CInt = 0
        _ = clinux_waitpid(pid, &status, 0)
        return status & 0x7f != 0 ? 128 + status & 0x7f : (status >> 8) & 0xff
    }

    /// Reads once. False at the end.
    private mutating func take() throws(Failure) -> Bool {
        if at > 0 {
            bytes.removeFirst(at)
            at = 0
        }
        let (start, most) = (bytes.count, 64 << 10)
        bytes.append(contentsOf: repeatElement(0, count: most))
        let raw = pipe.raw
        let got = bytes.withUnsafeMutableBytes { clinux_read(raw, $0.baseAddress! + start, most) }
        bytes.removeLast(most - max(0, Int(got)))
        _ = try check(got, "read", "cannot read what journalctl says")
        while try takeField() {}
        return got > 0
    }

    /// Takes a field, or the empty line behind an entry. False when it is not there as a whole.
    private mutating func takeField() throws(Failure) -> Bool {
        guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else { return false }
        let line = bytes[at..<end]
        if line.isEmpty {
            at = end + 1
            try finish()
            return true
        }
        if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
            set(line[..<equals], line[(equals + 1)...])
            at = end + 1
            return true
        }
        // A name alone: a length of 8 bytes, and so many bytes.
        guard bytes.count >= end + 9 else { return false }
        var count = 0
        for byte in bytes[(end + 1)..<(end + 9)].reversed() { count = count << 8 | Int(byte) }
        let start = end + 9
        guard count >= 0, count < JournalReader.longest else {
            throw Failure(.invalid, "what journalctl says is no export of a journal")
        }
        guard bytes.count > start + count else { return false }
        set(line, bytes[start..<(start + count)])
        at = start + count + 1
        return true
    }

    private static let longest = 1 << 30

    private mutating func set(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        if name.elementsEqual("MESSAGE".utf8) {
            entry.message = Array(value)
        } else if name.elementsEqual("PRIORITY".utf8) {
            entry.stream = value.elementsEqual("3".utf8) ? 1 : 0
        } else if name.elementsEqual("CONTAINER_PARTIAL_MESSAGE".utf8) {
            entry.isWhole = !value.elementsEqual("true".utf8)
        } else if name.elementsEqual("__REALTIME_TIMESTAMP".utf8),
            let microseconds = Int64(String(decoding: value, as: UTF8.self)), microseconds < Int64.max / 1000
        {
            entry.time = Array(Timestamp.rfc3339(nanosecondsSinceEpoch: microseconds * 1000).utf8)
        }
    }

    private mutating func finish() throws(Failure) {
        let entry = self.entry
        self.entry = Entry()
        guard let message = entry.message else { return }
        let result: Result<Void, Failure> = message.withUnsafeBytes { text in
            entry.time.withUnsafeBytes { time in
                Result { () throws(Failure) in
                    try printer.print(
                        LogRecord(stream: entry.stream, isWhole: entry.isWhole, time: time, text: text))
                }
            }
        }
        try result.get()
    }
}
