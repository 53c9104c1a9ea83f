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

    /// Opens the file, and those it was rotated to. While it is between two names, or rotated meanwhile, it is tried
    /// again.
    static func open(_ path: String) throws(Failure) -> LogChain {
        for attempt in 1...attempts {
            let newest = try openOne(path)
            if newest < 0 {
                // Between two renames of a rotation there is no such file.
                guard exists(path + ".1") else { break }
                clinux_sleep(1)
                continue
            }
            var chain = LogChain([newest])
            try chain.openOlder(path)
            if isAt(path, newest) || attempt == attempts {
                chain.files.reverse()
                return chain
            }
        }
        return LogChain([])
    }

    private static let attempts = 100

    /// A rotation under way renames files to higher numbers, the highest first. So one number may be free although
    /// there are higher ones, and a file may be found under two, one after the other.
    private mutating func openOlder(_ path: String) throws(Failure) {
        var number = 1
        while true {
            let raw = try LogChain.openOne("\(path).\(number)")
            number += 1
            if raw < 0 {
                guard LogChain.exists("\(path).\(number)") else { return }
            } else if LogChain.isSame(raw, files[files.count - 1]) {
                _ = clinux_close(raw)
            } else {
                files.append(raw)
            }
        }
    }

    /// -1 for a file that is not there.
    private static func openOne(_ path: String) throws(Failure) -> CInt {
        var raw = clinux_openat(AT.cwd, path, flags, 0)
        if raw == -Errno.EMFILE, clinux_raise_open_files() == 0 {
            raw = clinux_openat(AT.cwd, path, flags, 0)
        }
        if raw == -Errno.ENOENT { return -1 }
        return try check(raw, "openat \(path)", "cannot read the log")
    }

    private static func isSame(_ one: CInt, _ other: CInt) -> Bool {
        var (first, second) = (clinux_file_facts(), clinux_file_facts())
        return clinux_file_facts(one, &first) == 0 && clinux_file_facts(other, &second) == 0
            && first.inode == second.inode && first.device == second.device
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
