internal import CLinux
internal import Diagnostics
internal import Linux

/// The current file of a log, open for appending.
struct LogFile: ~Copyable {
    /// Absolute.
    let path: String
    private var file: Descriptor
    private(set) var device: UInt64 = 0
    private(set) var inode: UInt64 = 0
    /// Bytes, when it was looked at last.
    private(set) var size: Int64 = 0
    /// Tells when the file is removed or renamed; nil where the kernel gives no more of them.
    private var inotify: Descriptor?
    private var watch: CInt = -1

    /// Attributes (the number of links among them), moved.
    private static let events: UInt32 = 0x4 | 0x800
    private static let mode: UInt32 = 0o640

    /// No file, for drivers that have none.
    init() {
        self.init(path: "", file: Descriptor(adopting: -1), inotify: -1)
    }

    /// Opens or makes the file, and the directories above it.
    static func at(_ path: String) throws(Failure) -> LogFile {
        // What a supervisor that was killed did not finish.
        _ = clinux_unlinkat(AT.cwd, freshPath(path), 0)
        var file = LogFile(path: path, file: try open(path), inotify: clinux_inotify())
        try file.look()
        file.watchIt()
        return file
    }

    private init(path: String, file: consuming Descriptor, inotify: CInt) {
        self.path = path
        self.file = file
        self.inotify = inotify >= 0 ? Descriptor(adopting: inotify) : nil
    }

    private static func freshPath(_ path: String) -> String { path + ".new" }

    /// A log's file is what it says: a symlink or something else that writes go to is refused.
    private static func open(_ path: String, _ flags: CInt = 0) throws(Failure) -> Descriptor {
        let all = O.readWrite | O.append | O.create | O.noFollow | O.nonBlock | O.noTTY | flags
        var raw = clinux_openat(AT.cwd, path, all, mode)
        if raw == -Errno.ENOENT {
            try makeDirectories(above: path)
            raw = clinux_openat(AT.cwd, path, all, mode)
        }
        let file = Descriptor(adopting: try check(raw, "openat \(path)", "cannot write the log"))
        guard Descriptor.isRegularFile(file.raw) else {
            throw Failure(.invalid, "must be a regular file to be a log", at: path)
        }
        return file
    }

    private static func makeDirectories(above path: String) throws(Failure) {
        var index = path.utf8.startIndex
        while let slash = path.utf8[index...].dropFirst().firstIndex(of: UInt8(ascii: "/")) {
            let result = clinux_mkdirat(AT.cwd, String(path[..<slash]), 0o755)
            if result != -Errno.EEXIST {
                _ = try check(result, "mkdir \(path[..<slash])", "cannot make the log's directory")
            }
            index = slash
        }
    }

    var raw: CInt { file.raw }
    var watchDescriptor: CInt { inotify.rawOrNone }

    /// Looks how long the file is, and whether it is still in a directory.
    ///
    /// - Returns: false when it was removed.
    @discardableResult
    mutating func look() throws(Failure) -> Bool {
        var facts = clinux_file_facts()
        _ = try check(clinux_file_facts(file.raw, &facts), "fstat \(path)", "cannot look at the log")
        (device, inode, size) = (facts.device, facts.inode, facts.size)
        return facts.links > 0
    }

    private mutating func watchIt() {
        guard inotify.rawOrNone >= 0 else { return }
        if watch >= 0 { _ = clinux_inotify_remove(inotify.rawOrNone, watch) }
        watch = clinux_inotify_add(inotify.rawOrNone, path, LogFile.events)
        _ = clinux_inotify_drain(inotify.rawOrNone)
        // Renamed or removed between being opened and being watched: told at the next look.
    }

    private mutating func adopt(_ other: consuming Descriptor) throws(Failure) {
        file = other
        try look()
        watchIt()
    }

    /// Cuts off what is behind `size`.
    mutating func cut(to size: Int64) throws(Failure) {
        guard self.size > size else { return }
        _ = try check(
            clinux_set_file_size(file.raw, size), "ftruncate \(path)", "cannot repair the log")
        self.size = size
    }

    /// Ends a line that was not written to its end by somebody who cannot finish it any more.
    mutating func endTornLine() throws(Failure) {
        guard size > 0 else { return }
        var last: UInt8 = 0
        let count = clinux_pread(file.raw, &last, 1, size - 1)
        guard count == 1, last != UInt8(ascii: "\n") else { return }
        try file.write("\n", name: path)
        size += 1
    }

    /// Takes note of what was appended.
    mutating func grow(by count: Int) { size += Int64(count) }

    // MARK: Rotation

    /// Moves the file out of the way: FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on, `count` files in all; the
    /// oldest goes. With one file alone its older half goes.
    ///
    /// Each rename leaves a state from which the next attempt goes on: it looks for the first number that is free.
    mutating func rotate(count: Int) throws(Failure) {
        let fresh = LogFile.freshPath(path)
        _ = clinux_unlinkat(AT.cwd, fresh, 0)
        let new = try LogFile.open(fresh, O.exclusive)
        if count <= 1 {
            let start = LogFile.keptStart(of: file.raw, size: size)
            _ = try check(
                clinux_copy_range(file.raw, start, size, new.raw), "write \(fresh)", "cannot shorten the log")
        } else {
            var last = 1
            while last < count - 1, clinux_exists("\(path).\(last)") == 0 { last += 1 }
            for number in stride(from: last, to: 1, by: -1) {
                try rename("\(path).\(number - 1)", "\(path).\(number)")
            }
            try rename(path, path + ".1")
        }
        try rename(fresh, path)
        try adopt(new)
    }

    private func rename(_ old: String, _ new: String) throws(Failure) {
        let result = clinux_renameat(AT.cwd, old, AT.cwd, new)
        // Somebody else removed it: as good as moved.
        if result == -Errno.ENOENT && !old.utf8.elementsEqual(LogFile.freshPath(path).utf8) { return }
        _ = try check(result, "rename \(old)", "cannot rotate the log")
    }

    /// Where the newer half of a file begins: at the first line that begins in it. Readers count on this rule to find
    /// in the shortened file where they were.
    static func keptStart(of file: CInt, size: Int64) -> Int64 {
        var at = max(0, size / 2 - 1)
        return withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            while at < size {
                let count = clinux_pread(file, buffer.baseAddress!, buffer.count, at)
                guard count > 0 else { break }
                let end = clinux_find_byte(buffer.baseAddress!, Int(count), UInt8(ascii: "\n"))
                if end >= 0 { return min(size, at + Int64(end) + 1) }
                at += Int64(count)
            }
            return size
        }
    }

    // MARK: Removed or moved by somebody else

    /// Makes the watch unreadable.
    func takeEvents() { _ = clinux_inotify_drain(inotify.rawOrNone) }

    /// What became of the file's name.
    enum Finding: Equatable {
        case inPlace
        /// Somebody moved the file, as logrotate does; the log goes on in a new one.
        case moved
        /// Somebody removed the file; all of it was written again.
        case restored(Int64)
        /// Somebody put another file in its place, in which the log goes on.
        case replaced
    }

    /// Looks whether the path still leads to the file, and sees to it that it leads to the log.
    mutating func settle() throws(Failure) -> Finding {
        _ = clinux_inotify_drain(inotify.rawOrNone)
        let isLinked = try look()
        var facts = clinux_file_facts()
        let result = clinux_file_facts_at(path, &facts)
        if result == 0, facts.device == device, facts.inode == inode {
            watchIt()
            return .inPlace
        }
        if result == 0 || isLinked {
            try adopt(try LogFile.open(path))
            return isLinked ? .moved : .replaced
        }
        let fresh = LogFile.freshPath(path)
        _ = clinux_unlinkat(AT.cwd, fresh, 0)
        let new = try LogFile.open(fresh, O.exclusive)
        let all = size
        _ = try check(
            clinux_copy_range(file.raw, 0, all, new.raw), "write \(fresh)", "cannot write the log again")
        try rename(fresh, path)
        try adopt(new)
        return .restored(all)
    }

    /// Whether it, or a file that it was moved to by a rotation, is the one that a note is about.
    func isFile(_ note: LogNote) -> Bool { device == note.device && inode == note.inode }
}
