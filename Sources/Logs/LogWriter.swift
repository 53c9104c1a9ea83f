internal import CLinux
public import Diagnostics
public import Keeper
internal import Linux
public import Store

/// Takes what a container prints out of the keeper's memory into its log (spec/logs.md).
///
/// What is in the ring stays there until it is in the log; a writer that takes over after a kill -9 finds in the notes
/// what was going on, and each line is in the log once.
public struct LogWriter: ~Copyable {
    /// Bytes of `notes` that are used.
    public static let notesSize = 1024

    let driver: SupervisionSettings.LogDriver
    let overflow: SupervisionSettings.Overflow
    let path: String
    let maxSize: Int64
    let maxFiles: Int
    let sync: Bool

    var file: LogFile
    var journal: Journal
    var batch: LineBatch
    let notes: UnsafeMutableRawPointer

    /// Of the last note.
    var generation: UInt64 = 0
    /// What holds with all that is written.
    var account = LogAccount()
    var rate: RateLimit
    /// What has been given up since the note before.
    var lost = Lost()
    var hasRecovered = false

    /// The path may lead to something else than the file.
    var isUnsettled = false

    var trouble: Trouble?
    /// How long the file was before a line that could not be cut off again.
    var tornSize: Int64?
    /// CLOCK_MONOTONIC: rotating failed, and is not tried again before; 0 for it did not.
    var rotationRetryAt: Int64 = 0
    /// CLOCK_MONOTONIC: losses are told then, if no line takes them along; 0 for no losses.
    var lossesDue: Int64 = 0
    /// CLOCK_MONOTONIC: since when journald takes nothing; 0 for it does.
    var journalBusySince: Int64 = 0
    /// Much has been written at once: `rest` gives the memory for it back.
    public internal(set) var holdsMemory = false
    /// What `drain` tells next.
    var messages: [String] = []

    /// Writes for us when we must not wait for the disk.
    var appender: Appender
    var flight: Flight?
    private var either: Descriptor

    /// Opens, or makes, the log.
    ///
    /// - Parameter notes: `notesSize` bytes of shared memory that outlive us, zeros before the first writer.
    public init(_ settings: SupervisionSettings, notes: UnsafeMutableRawPointer) throws(Failure) {
        try self.init(settings, notes: notes, journalSocket: Journal.socketPath)
    }

    init(
        _ settings: SupervisionSettings, notes: UnsafeMutableRawPointer, journalSocket: String
    ) throws(Failure) {
        let driver = settings.logDriver
        let tag = settings.logTag.map { LogTag.text(of: $0, id: settings.id) }
        let attributes = settings.logLabels + (tag.map { [(key: "tag", value: $0)] } ?? [])
        let batch = try LineBatch(
            LineFormat(driver == .jsonFile ? .docker : .kubernetes, attributes: attributes))
        let journal =
            driver == .journald
            ? try Journal(socket: journalSocket, id: settings.id, tag: tag, labels: settings.logLabels)
            : Journal()
        let file = driver.isFile ? try LogFile.at(settings.logPath ?? "") : LogFile()
        let appender = try Appender(driver.isFile && settings.logOverflow != .block)
        var either: CInt = -1
        if appender.isThere {
            either = try check(
                clinux_either(appender.event, file.watchDescriptor), "epoll_create1", "cannot watch the log")
        }
        self.init(
            settings, notes: notes, file: file, journal: journal, batch: batch, appender: appender,
            either: Descriptor(adopting: either))
    }

    private init(
        _ settings: SupervisionSettings, notes: UnsafeMutableRawPointer, file: consuming LogFile,
        journal: consuming Journal, batch: consuming LineBatch, appender: consuming Appender,
        either: consuming Descriptor
    ) {
        driver = settings.logDriver
        overflow = settings.logOverflow
        path = settings.logPath ?? ""
        maxSize = settings.logMaxSize ?? 0
        maxFiles = settings.logMaxFiles
        sync = settings.logSync
        rate = RateLimit(settings.logRateLimit)
        self.notes = notes
        self.file = file
        self.journal = journal
        self.batch = batch
        self.appender = appender
        self.either = either
    }

    /// Gives memory back until much is to be written again. To be called when nothing has come for a while: while much
    /// comes, getting it anew for every batch costs more than all else.
    public mutating func rest() {
        guard holdsMemory, flight == nil else { return }
        batch.rest()
        holdsMemory = false
    }

    /// A descriptor that is readable when the log's file was removed or moved, or when a write is done that was waited
    /// for; -1 for none. Then call `checkFile`, and `drain` for both streams.
    public var watch: CInt { appender.isThere ? either.raw : file.watchDescriptor }

    /// Looks where the file went. What there is to tell comes with the next `drain`.
    public mutating func checkFile() {
        guard driver.isFile else { return }
        file.takeEvents()
        isUnsettled = true
        guard hasRecovered, flight == nil else { return }
        do throws(Failure) {
            try settleFile()
        } catch {
            begin(error)
        }
    }

    /// Goes on in the file that is at the path now: somebody moved the one before.
    public mutating func reopen() throws(Failure) {
        guard driver.isFile else { return }
        isUnsettled = true
        if hasRecovered, flight == nil { try settleFile() }
    }

    mutating func settleFile() throws(Failure) {
        let finding = try file.settle()
        isUnsettled = false
        switch finding {
        case .inPlace, .moved: break
        case .replaced:
            messages.append("\(path) was replaced by another file, in which the log goes on")
        case .restored(let size):
            messages.append("\(path) was removed; the \(size) bytes that were in it are written again")
        }
    }

    /// Takes what it can of a stream out of the ring into the log: whole lines, pieces of 16 KiB of longer ones, and
    /// with `isFinal` also the rest; at most about a ring's content.
    public mutating func drain(
        _ ring: borrowing OutputRing, stream: Int, isFinal: Bool
    ) -> LogProgress {
        var progress = LogProgress()
        let before = ring.tail(stream)
        switch driver {
        case .none, .passthrough: ring.consume(stream, to: ring.head(stream))
        case .journald: drainToJournal(ring, stream, isFinal, &progress)
        case .k8sFile, .jsonFile: drainToFile(ring, stream, isFinal, &progress)
        }
        progress.consumed = Int(ring.tail(stream) &- before)
        // What was given up is told as well: when that fails it is tried again.
        let isTold = account.losses.isEmpty || progress.retryAt == nil
        progress.isDrained = isFinal && ring.available(stream) == 0 && flight == nil && isTold
        progress.messages = messages
        messages.removeAll()
        return progress
    }
}

/// What `LogWriter.drain` did.
public struct LogProgress: Sendable {
    /// Bytes that were taken out of the ring.
    public var consumed = 0
    /// There is more that could be written at once: call again when others have had their turn.
    public var hasMore = false
    /// Call again then even when nothing new has arrived: CLOCK_MONOTONIC, nanoseconds. nil for no need.
    public var retryAt: Int64?
    /// A write that was waited for is done, which may have been one of the other stream: that is to be drained, too.
    public var hasLanded = false
    /// Called with `isFinal`: nothing of the stream is left, neither in the ring nor on its way.
    public var isDrained = false
    /// The log cannot take what comes, and the container is to be stopped for that (`--log-overflow stop`).
    public var mustStop = false
    /// Sentences for the container's `messages`.
    public var messages: [String] = []

    public init() {}
}

/// Why the log is not written at the moment.
struct Trouble: Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    let since: Int64
    var retryAt: Int64
    /// Milliseconds.
    var pause: Int64
    /// The stream of which a line could be written since: it may be over.
    var easing: Int?

    static let firstPause: Int64 = 50
    static let longestPause: Int64 = 2000
}

extension LogWriter {
    /// The log cannot be written: nothing is taken out of the ring for a while. Told once.
    mutating func begin(_ failure: Failure) {
        let now = clinux_monotonic()
        if var known = trouble {
            known.pause = min(known.pause * 2, Trouble.longestPause)
            known.easing = nil
            known.retryAt = now + known.pause * 1_000_000
            trouble = known
            return
        }
        let pause = Trouble.firstPause
        trouble = Trouble(since: now, retryAt: now + pause * 1_000_000, pause: pause)
        let consequence =
            switch overflow {
            case .block: "the container waits when it prints more than fits in memory"
            case .dropOldest: "the oldest lines are dropped when more comes than fits in memory"
            case .stop: "the container is stopped"
            }
        messages.append("the log is not written any more: \(failure.description); \(consequence)")
    }

    /// Something was written. A full disk has room for a line now and then: it is over when as much as ever goes at once.
    mutating func easeTrouble(_ stream: Int) {
        guard let known = trouble else { return }
        if known.easing != nil { return endTrouble() }
        trouble!.easing = stream
        trouble!.retryAt = 0
    }

    /// The log is written again.
    mutating func endTrouble() {
        guard let known = trouble else { return }
        trouble = nil
        let seconds = (clinux_monotonic() - known.since) / 1_000_000_000
        messages.append("the log is written again, after \(seconds) s")
    }
}
