internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

/// Tells a follower when something happens to the log, or to the container.
struct LogWatch: ~Copyable {
    private let log: String
    private let directory: String
    private let inotify: Descriptor
    /// Numbers of the watches on the two directories; negative for none.
    private var logWatch: CInt = -1
    private var directoryWatch: CInt = -1
    /// How often a new file took the log's name since it was set back.
    var rotations = 0
    private var looksAtStatus = true
    private var hasEnded = false

    /// Written, moved to a name, made, removed, the directory removed or renamed.
    private static let events: UInt32 = 0x2 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
    private static let ignored: Int64 = 0x8000
    private static let overflow: Int64 = 0x4000

    init(isWanted: Bool, log: String, directory: String) {
        self.log = log
        self.directory = directory
        inotify = Descriptor(adopting: isWanted ? clinux_inotify() : -1)
        if isWanted { watch() }
    }

    private static func name(of path: String) -> String {
        path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
    }

    /// The log is another file now, or none: its directory may be another one, too. (That a directory is removed is not
    /// told as long as a file of it is open.)
    mutating func renew(isThere: Bool) {
        watch()
        if !isThere { logWatch = -1 }
    }

    private mutating func watch() {
        logWatch = clinux_inotify_add(inotify.raw, Paths.parent(of: log), LogWatch.events)
        directoryWatch = clinux_inotify_add(inotify.raw, directory, LogWatch.events)
    }

    /// The log's files are open: what was told before is about others.
    mutating func begin() {
        take()
        rotations = 0
    }

    /// Whether the container has ended for good, or was deleted.
    mutating func isOver() -> Bool {
        take()
        if looksAtStatus {
            looksAtStatus = false
            hasEnded = !isLeft()
        }
        return hasEnded
    }

    private func isLeft() -> Bool {
        do throws(Failure) {
            let container = try StateDirectory(root: Paths.parent(of: directory))
                .open(LogWatch.name(of: directory))
            return try container.status().phase != .stopped
        } catch {
            // Half of a directory that is being deleted.
            return false
        }
    }

    private var isLost: Bool { logWatch < 0 || directoryWatch < 0 }

    /// Reads what has been told.
    private mutating func take() {
        var counts: (CInt, CInt) = (0, 0)
        let mask = withUnsafeMutablePointer(to: &counts) {
            $0.withMemoryRebound(to: CInt.self, capacity: 2) {
                clinux_inotify_count(inotify.raw, LogWatch.name(of: log), "status.json", $0)
            }
        }
        rotations += Int(counts.0)
        if counts.1 > 0 || mask & (LogWatch.ignored | LogWatch.overflow) != 0 { looksAtStatus = true }
        // One of the directories is gone, whichever.
        if mask & LogWatch.ignored != 0 { logWatch = -1 }
    }

    /// Waits for something to happen. False when the time is over.
    ///
    /// - Parameters:
    ///   - until: nanoseconds since the epoch; nil for any time.
    ///   - other: one more descriptor that may become readable; -1 for none.
    mutating func wait(until: Int64?, and other: CInt = -1) throws(Failure) -> Bool {
        // Where no watch can be, looking again and again must do: a directory that was removed and is made again.
        let wasLost = isLost
        if wasLost {
            watch()
            looksAtStatus = true
            // What happened before is not told.
            if !isLost, LogChain.exists(log) { return true }
        }
        var limit: CInt = wasLost ? 100 : -1
        if let until {
            let now = clinux_realtime()
            if until < now { return false }
            let left = (until - now) / 1_000_000 + 1
            limit = CInt(clamping: limit < 0 ? left : min(left, Int64(limit)))
        }
        // Events 0: only that nobody reads the output any more.
        var set = (
            clinux_pollfd(fd: inotify.raw, events: Int16(CLINUX_POLLIN), revents: 0),
            clinux_pollfd(fd: 1, events: 0, revents: 0),
            clinux_pollfd(fd: other, events: Int16(CLINUX_POLLIN), revents: 0)
        )
        _ = withUnsafeMutablePointer(to: &set) {
            $0.withMemoryRebound(to: clinux_pollfd.self, capacity: 3) { clinux_poll($0, 3, limit) }
        }
        if set.1.revents != 0 { throw LogPrinter.closed }
        return true
    }
}
