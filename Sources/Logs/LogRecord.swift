internal import CLinux
internal import Diagnostics
internal import Store

/// A line of a log file, read again.
struct LogRecord {
    var stream: Int
    /// The text ends its line; otherwise it is a piece that others follow.
    var isWhole: Bool
    /// As it stands in the log.
    var time: UnsafeRawBufferPointer
    /// What the container printed, without the line's end. It lives as long as the line and the reader.
    var text: UnsafeRawBufferPointer
}

/// Reads the lines of log files, whoever wrote them.
struct RecordReader: ~Copyable {
    private let isDocker: Bool
    /// A text without its escapes.
    private var scratch: UnsafeMutableRawBufferPointer

    init(_ driver: SupervisionSettings.LogDriver) {
        isDocker = driver == .jsonFile
        scratch = .allocate(byteCount: isDocker ? 64 << 10 : 0, alignment: 8)
    }

    deinit { scratch.deallocate() }

    /// nil when the line is none of such a log.
    mutating func read(_ line: UnsafeRawBufferPointer) -> LogRecord? {
        isDocker ? readDocker(line) : RecordReader.readKubernetes(line)
    }

    /// `TIME STREAM TAGS TEXT`; of the tags, which `:` separates, the first one counts.
    private static func readKubernetes(_ line: UnsafeRawBufferPointer) -> LogRecord? {
        var fields = (0, 0, 0)
        var at = 0
        for index in 0..<3 {
            let rest = UnsafeRawBufferPointer(rebasing: line[at...])
            guard rest.count > 0 else { return nil }
            let space = clinux_find_byte(rest.baseAddress!, min(rest.count, 64), UInt8(ascii: " "))
            guard space > 0 else { return nil }
            let end = at + space
            switch index {
            case 0: fields.0 = end
            case 1: fields.1 = end
            default: fields.2 = end
            }
            at = end + 1
        }
        guard let stream = stream(line, fields.0 + 1, fields.1) else { return nil }
        let tag = line[fields.1 + 1]
        guard tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P") else { return nil }
        return LogRecord(
            stream: stream, isWhole: tag == UInt8(ascii: "F"),
            time: UnsafeRawBufferPointer(rebasing: line[..<fields.0]),
            text: UnsafeRawBufferPointer(rebasing: line[(fields.2 + 1)...]))
    }

    private static func stream(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int? {
        for number in 0..<2 {
            let isThis = LineFormat.streamNames[number].withUTF8Buffer { line[start..<end].elementsEqual($0) }
            if isThis { return number }
        }
        return nil
    }

    // MARK: Docker

    /// An object of which `log`, `stream` and `time` are wanted, in any order; others are skipped.
    private mutating func readDocker(_ line: UnsafeRawBufferPointer) -> LogRecord? {
        let room = JSONScanner.mostUnescaped(line.count)
        if scratch.count < room {
            scratch.deallocate()
            scratch = .allocate(byteCount: room, alignment: 8)
        }
        var scanner = JSONScanner(line)
        var used = 0
        var stream: Int?
        var time: UnsafeRawBufferPointer?
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        while !scanner.take(UInt8(ascii: "}")) {
            _ = scanner.take(UInt8(ascii: ","))
            guard let name = scanner.string(), scanner.take(UInt8(ascii: ":")) else { return nil }
            if JSONScanner.isEqual(name, "log") {
                guard let raw = scanner.string() else { return nil }
                used = JSONScanner.unescape(raw, to: scratch.baseAddress!)
            } else if JSONScanner.isEqual(name, "stream") {
                guard let raw = scanner.string() else { return nil }
                stream = RecordReader.stream(raw, 0, raw.count)
            } else if JSONScanner.isEqual(name, "time") {
                time = scanner.string()
            } else if !scanner.skipValue() {
                return nil
            }
        }
        guard let stream, let time, scanner.isAtEnd else { return nil }
        let isWhole = used > 0 && scratch[used - 1] == UInt8(ascii: "\n")
        return LogRecord(
            stream: stream, isWhole: isWhole, time: time,
            text: UnsafeRawBufferPointer(rebasing: scratch[..<(isWhole ? used - 1 : used)]))
    }
}

/// As much of JSON as a line of Docker's needs: a document a line would cost an allocation and more.
struct JSONScanner {
    private let text: UnsafeRawBufferPointer
    private var at = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    private mutating func skipSpace() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0d { at += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return at == text.count
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    /// A string with its escapes, without its quotes.
    mutating func string() -> UnsafeRawBufferPointer? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = at
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                at += 1
                return UnsafeRawBufferPointer(rebasing: text[start..<(at - 1)])
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        return nil
    }

    /// Any value; that it is well-formed inside is not looked at.
    mutating func skipValue() -> Bool {
        skipSpace()
        var depth = 0
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                if depth == 0 { return true }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of what the value is in.
                if depth == 0 { return true }
                depth -= 1
                if depth == 0 {
                    at += 1
                    return true
                }
            case UInt8(ascii: ","):
                if depth == 0 { return true }
            default: break
            }
            at += 1
        }
        return false
    }

    static func isEqual(_ name: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { name.elementsEqual($0) }
    }

    /// The most bytes that a string of so many can become: two of a `\u` without its digits are three then.
    static func mostUnescaped(_ count: Int) -> Int { count + count / 2 + 1 }

    /// Writes a string without its escapes to memory that has room for `mostUnescaped`. Returns how many bytes it took.
    static func unescape(_ text: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) -> Int {
        var used = 0
        var at = 0
        while at < text.count {
            let rest = UnsafeRawBufferPointer(rebasing: text[at...])
            let plain = clinux_find_byte(rest.baseAddress!, rest.count, UInt8(ascii: "\\"))
            let count = plain < 0 ? rest.count : plain
            if count > 0 { (place + used).copyMemory(from: rest.baseAddress!, byteCount: count) }
            used += count
            at += count
            guard at + 1 < text.count else { break }
            let byte = text[at + 1]
            at += 2
            if byte == UInt8(ascii: "u") {
                used += put(scalar(text, &at), to: place + used)
            } else {
                place.storeBytes(of: single(byte), toByteOffset: used, as: UInt8.self)
                used += 1
            }
        }
        return used
    }

    private static func single(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        default: byte
        }
    }

    /// The digits behind `\u`, and those of a second half that follows.
    private static func scalar(_ text: UnsafeRawBufferPointer, _ at: inout Int) -> UInt32 {
        guard let first = unit(text, at) else { return 0xfffd }
        at += 4
        guard first & 0xf800 == 0xd800 else { return first }
        guard first < 0xdc00, at + 1 < text.count, text[at] == UInt8(ascii: "\\"),
            text[at + 1] == UInt8(ascii: "u"), let second = unit(text, at + 2), second & 0xfc00 == 0xdc00
        else { return 0xfffd }
        at += 6
        return 0x10000 + (first & 0x3ff) << 10 + (second & 0x3ff)
    }

    private static func unit(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt32? {
        guard start + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for byte in text[start..<(start + 4)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - 0x37)
            default: return nil
            }
        }
        return value
    }

    private static func put(_ scalar: UInt32, to place: UnsafeMutableRawPointer) -> Int {
        func store(_ index: Int, _ value: UInt32) {
            place.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: index, as: UInt8.self)
        }
        switch scalar {
        case 0..<0x80:
            store(0, scalar)
            return 1
        case 0x80..<0x800:
            store(0, 0xc0 | scalar >> 6)
            store(1, 0x80 | scalar & 0x3f)
            return 2
        case 0x800..<0x10000:
            store(0, 0xe0 | scalar >> 12)
            store(1, 0x80 | scalar >> 6 & 0x3f)
            store(2, 0x80 | scalar & 0x3f)
            return 3
        default:
            store(0, 0xf0 | scalar >> 18)
            store(1, 0x80 | scalar >> 12 & 0x3f)
            store(2, 0x80 | scalar >> 6 & 0x3f)
            store(3, 0x80 | scalar & 0x3f)
            return 4
        }
    }
}
