internal import CLinux
internal import Diagnostics
internal import Linux

/// A log's files as they were at one moment, open.
struct LogChain: ~Copyable {
    /// Oldest first. Empty when there is no log.
    private(set) var files: [CInt] = []

    /// Where a record is.
    struct Place: Comparable {
        var file: Int
        var offset: Int64

        static func < (left: Place, right: Place) -> Bool {
            left.file != right.file ? left.file < right.file : left.offset < right.offset
        }
    }

    private init(_ files: [CInt]) { self.files = files }

    /// Opens the file, and those it was rotated to. While that goes on, or the newest one is between two names, it is
    /// tried again.
    static func open(_ path: String) throws(Failure) -> LogChain {
        for _ in 0..<100 {
            let newest = clinux_openat(AT.cwd, path, flags, 0)
            if newest == -Errno.ENOENT {
                // Between two renames of a rotation there is no such file.
                guard clinux_exists(path + ".1") == 0 else { break }
                clinux_sleep(1)
                continue
            }
            var files = [try check(newest, "openat \(path)", "cannot read the log")]
            while true {
                let raw = clinux_openat(AT.cwd, "\(path).\(files.count)", flags, 0)
                if raw < 0 { break }
                files.append(raw)
            }
            let chain = LogChain(files.reversed())
            if isAt(path, newest) { return chain }
        }
        return LogChain([])
    }

    deinit {
        for file in files { _ = clinux_close(file) }
    }

    /// Gives the newest file away.
    mutating func takeNewest() -> Descriptor? {
        files.popLast().map { Descriptor(adopting: $0) }
    }

    static let flags = O.readOnly | O.noFollow | O.nonBlock | O.noTTY

    static func exists(_ path: String) -> Bool { clinux_exists(path) == 0 }

    /// Whether a path leads to an open file.
    static func isAt(_ path: String, _ file: CInt) -> Bool {
        var (there, held) = (clinux_file_facts(), clinux_file_facts())
        return clinux_file_facts_at(path, &there) == 0 && clinux_file_facts(file, &held) == 0
            && there.inode == held.inode && there.device == held.device
    }
}

/// Where to begin, so that the last lines are shown: found from the end backwards.
struct TailSearch {
    /// Bytes that are searched for the first piece of a line of the other stream.
    private static let patience: Int64 = 1 << 20

    private let count: Int
    private var found = 0
    /// The first record that is shown of each stream.
    private(set) var first: [LogChain.Place?] = [nil, nil]
    /// All that is wanted of the stream has been found.
    private var isDone: [Bool]
    private var searched: Int64 = 0

    init(_ query: LogQuery) {
        count = query.tail ?? 0
        isDone = [!query.hasStdout, !query.hasStderr]
    }

    /// Takes the record before those that were taken. False when that was enough.
    mutating func take(stream: Int, isWhole: Bool, length: Int, at place: LogChain.Place) -> Bool {
        if found == count { searched += Int64(length) }
        if !isDone[stream] {
            // A piece without an end behind it is a line, too: the last.
            let endsLine = isWhole || first[stream] == nil
            if !endsLine {
                first[stream] = place
            } else if found < count {
                found += 1
                first[stream] = place
            } else {
                isDone[stream] = true
            }
        }
        return isDone.contains(false) && searched < TailSearch.patience
    }
}
