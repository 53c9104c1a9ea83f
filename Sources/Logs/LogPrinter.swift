internal import CLinux
internal import Diagnostics
internal import Linux

/// Gives a log's lines to standard output and standard error, as the container printed them.
struct LogPrinter: ~Copyable {
    /// Whoever read the output is gone.
    static let closed = Failure(.interrupted, "nobody reads the output any more")

    let query: LogQuery
    private let targets: (CInt, CInt)
    private var buffer: [UInt8] = []
    /// Which of the two the buffer is for.
    private var stream = 0
    /// Of each stream: a line has been begun, and whether it is shown.
    private var isOpen = [false, false]
    private var isShown = [false, false]
    /// The text of a second, as in `LineFormat`.
    private var second = Int64.min
    private var secondText: [UInt8] = []
    /// Lines of the log that were not what they should be.
    private(set) var unreadable = 0

    private static let mostBuffered = 64 << 10

    /// - Parameter targets: descriptors for the two streams.
    init(_ query: LogQuery, targets: (CInt, CInt) = (1, 2)) {
        self.query = query
        self.targets = targets
    }

    mutating func countUnreadable() { unreadable += 1 }

    mutating func print(_ record: LogRecord) throws(Failure) {
        let number = record.stream
        guard query.wants(number) else { return }
        if !isOpen[number] { isShown[number] = passes(record.time) }
        let isFirst = !isOpen[number]
        isOpen[number] = !record.isWhole
        guard isShown[number] else { return }
        if stream != number {
            try flush()
            stream = number
        }
        if query.hasTimes, isFirst { appendTime(record.time) }
        buffer.append(contentsOf: record.text)
        if record.isWhole { buffer.append(UInt8(ascii: "\n")) }
        if buffer.count >= LogPrinter.mostBuffered { try flush() }
    }

    /// Whether a line that begins with the record would be shown.
    func wants(_ record: LogRecord) -> Bool { query.wants(record.stream) && passes(record.time) }

    /// Whether a line of that time is between `since` and `until`. A time that cannot be read always is.
    private func passes(_ time: UnsafeRawBufferPointer) -> Bool {
        guard query.since != nil || query.until != nil, let moment = Timestamp.read(time) else { return true }
        if let since = query.since, moment.nanoseconds < since { return false }
        if let until = query.until, moment.nanoseconds > until { return false }
        return true
    }

    /// Nine digits behind the point, in UTC, whatever the log has.
    private mutating func appendTime(_ time: UnsafeRawBufferPointer) {
        guard let moment = Timestamp.read(time) else {
            buffer.append(contentsOf: time)
            buffer.append(UInt8(ascii: " "))
            return
        }
        LineFormat.append(
            time: moment.nanoseconds, digits: 9, second: &second, secondText: &secondText, to: &buffer)
        buffer.append(UInt8(ascii: " "))
    }

    mutating func flush() throws(Failure) {
        guard !buffer.isEmpty else { return }
        let target = stream == 0 ? targets.0 : targets.1
        let result = buffer.withUnsafeBytes { clinux_write_all(target, $0.baseAddress!, $0.count) }
        buffer.removeAll(keepingCapacity: true)
        if result == -Errno.EPIPE { throw LogPrinter.closed }
        _ = try check(result, "write", "cannot write \(stream == 0 ? "standard output" : "standard error")")
    }
}
