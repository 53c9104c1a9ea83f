internal import CLinux
internal import Diagnostics
internal import Linux

/// The file that a follower reads, and how it finds the next one when that is rotated away.
struct LogFollower: ~Copyable {
    private let path: String
    /// There is one file only, of which the older half is left out when it is full.
    private let isAlone: Bool
    private var file: Descriptor
    /// Behind the last line that was shown.
    var position: Int64
    /// The file's first bytes, and those before `position`: what is there is what was read, unless somebody else wrote.
    private var head: [UInt8] = []
    private var mark: [UInt8] = []
    /// How often a file in the middle of being renamed was waited for.
    private var patience = 0

    private static let markLength = 64
    private static let mostPatience = 200

    init(_ file: consuming Descriptor?, position: Int64, path: String, isAlone: Bool) {
        self.path = path
        self.isAlone = isAlone
        self.file = file ?? Descriptor(adopting: -1)
        self.position = position
        remember()
    }

    var raw: CInt? { file.raw < 0 ? nil : file.raw }

    private func read(_ file: CInt, _ start: Int64, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { buffer in
            count == 0 ? 0 : clinux_pread(file, buffer.baseAddress!, count, start)
        }
        return got == count ? bytes : []
    }

    /// Takes note of what is before the position.
    mutating func remember() {
        guard let raw else { return }
        if head.count < LogFollower.markLength {
            head = read(raw, 0, Int(min(position, Int64(LogFollower.markLength))))
        }
        let count = min(position, Int64(LogFollower.markLength))
        mark = read(raw, position - count, Int(count))
    }

    /// Whether somebody else cut the file off (as logrotate's copytruncate does) and other lines are in it now; it is
    /// read from its beginning then. A file that is only shorter had half a batch cut off, which comes again.
    mutating func isTruncated() -> Bool {
        guard let raw, position > 0 else { return false }
        let size = clinux_file_size(raw)
        let isSame: Bool
        if size >= position {
            isSame = read(raw, position - Int64(mark.count), mark.count) == mark
        } else {
            let count = Int(min(size, Int64(head.count)))
            isSame = read(raw, 0, count).elementsEqual(head.prefix(count))
        }
        if isSame { return false }
        (position, head, mark) = (0, [], [])
        return true
    }

    enum Step {
        /// This is the current file.
        case stay
        /// Something happens to the files at this moment: read on, and ask again.
        case again
        /// To the next file that there is; so many in between are gone, and so many rotations came after it.
        case moved(missed: Int, rotations: Int)
    }

    /// Goes on to the file behind this one, all of which has been read.
    ///
    /// - Parameter rotations: how many have been told since this file was begun.
    mutating func moveOn(rotations: Int) throws(Failure) -> Step {
        guard let raw else { return try begin(path) ? .moved(missed: 0, rotations: 0) : .stay }
        if LogChain.isAt(path, raw) {
            patience = 0
            return .stay
        }
        // What was written between the last look and the rotation comes first.
        if hasLine(raw) { return .again }
        guard clinux_exists(path) == 0 else { return waitForRename() }
        // Twice: while it is looked for, it may be renamed.
        var oldest = 0
        for _ in 0..<2 {
            let (number, last) = find(raw)
            oldest = last
            guard let number else { continue }
            return try moveUp(from: number, raw)
        }
        return try moveFar(raw, oldest: oldest, rotations: rotations)
    }

    /// The number that the file has now, and the highest one that there is. Files only move to higher numbers, the
    /// highest first, so that one number at most is free in between.
    private func find(_ raw: CInt) -> (number: Int?, oldest: Int) {
        var oldest = 0
        var number = 1
        while number <= oldest + 2 {
            let name = "\(path).\(number)"
            if LogChain.exists(name) {
                if LogChain.isAt(name, raw) { return (number, number) }
                oldest = number
            }
            number += 1
        }
        return (nil, oldest)
    }

    /// To the file with the number before.
    private mutating func moveUp(from number: Int, _ raw: CInt) throws(Failure) -> Step {
        let next = clinux_openat(AT.cwd, number == 1 ? path : "\(path).\(number - 1)", LogChain.flags, 0)
        guard next >= 0 else { return waitForRename() }
        let other = Descriptor(adopting: next)
        // Still there, so it was not renamed, and then the one before it was not either.
        guard LogChain.isAt("\(path).\(number)", raw) else { return .again }
        file = other
        (position, head, mark, patience) = (0, [], [], 0)
        return .moved(missed: 0, rotations: number - 1)
    }

    /// A whole line is behind the position.
    private func hasLine(_ raw: CInt) -> Bool {
        let count = Int(min(clinux_file_size(raw) - position, 1 << 20))
        return count > 0 && read(raw, position, count).contains(UInt8(ascii: "\n"))
    }

    /// The next file has no name at this moment. When that lasts, somebody removed it, and one is made when there is
    /// something to log.
    private mutating func waitForRename() -> Step {
        guard patience < LogFollower.mostPatience else { return .stay }
        patience += 1
        clinux_sleep(1)
        return .again
    }

    /// The file has no name any more: it was shortened, written again, or rotated away.
    private mutating func moveFar(_ raw: CInt, oldest: Int, rotations: Int) throws(Failure) -> Step {
        let fresh = clinux_openat(AT.cwd, path, LogChain.flags, 0)
        guard fresh >= 0 else { return waitForRename() }
        let other = Descriptor(adopting: fresh)
        // Where in the new file what was read last would be: nothing was left out of it, or its older half.
        let kept = isAlone ? LogFile.keptStart(of: raw, size: clinux_file_size(raw)) : 0
        for start in [0, kept] {
            guard position > 0, position >= start, isContinued(raw, in: other.raw, from: start) else {
                continue
            }
            file = other
            position -= start
            (head, patience) = ([], 0)
            remember()
            return .moved(missed: 0, rotations: 0)
        }
        guard try begin(oldest > 0 ? "\(path).\(oldest)" : path) else { return waitForRename() }
        return .moved(missed: max(0, rotations - oldest - 1), rotations: oldest)
    }

    /// Whether another file begins with what is in this one from a place on, as far as it was read.
    private func isContinued(_ raw: CInt, in other: CInt, from start: Int64) -> Bool {
        guard clinux_file_size(other) >= position - start else { return false }
        let count = Int(min(position - start, LogFollower.compared))
        let end = position - Int64(count)
        return read(raw, start, count) == read(other, 0, count)
            && read(raw, end, count) == read(other, end - start, count)
    }

    private static let compared: Int64 = 16 << 10

    /// False when there is no such file.
    private mutating func begin(_ path: String) throws(Failure) -> Bool {
        let raw = clinux_openat(AT.cwd, path, LogChain.flags, 0)
        if raw == -Errno.ENOENT { return false }
        file = Descriptor(adopting: try check(raw, "openat \(path)", "cannot read the log"))
        (position, head, mark, patience) = (0, [], [], 0)
        return true
    }
}
