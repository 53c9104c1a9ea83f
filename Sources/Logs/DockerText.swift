/// Strings in the log of Docker's json-file driver.
enum DockerText {
    /// A byte becomes at most `\u0000`.
    static let mostBytesPerByte = 6

    /// Escapes as Docker does (moby, daemon/logger/jsonfilelog/jsonlog): `"` and `\` by a backslash, `\n`, `\r`, all
    /// other control characters, `<`, `>`, `&`, U+2028 and U+2029 by number, and each byte that is no UTF-8 becomes
    /// `\ufffd`. Returns how many bytes that took.
    static func escape(_ text: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) -> Int {
        guard let base = text.baseAddress else { return 0 }
        let count = text.count
        var used = 0
        // Bytes before it are written.
        var start = 0
        var at = 0
        while at < count {
            let byte = base.load(fromByteOffset: at, as: UInt8.self)
            if byte < 0x80 {
                if isPlain(byte) {
                    at += 1
                    continue
                }
                used += copy(base, start, at, to: place + used)
                used += escape(byte, to: place + used)
                at += 1
                start = at
                continue
            }
            let length = UTF8Sequence.length(text, at: at)
            if length == 0 {
                used += copy(base, start, at, to: place + used)
                used += write("\\ufffd", to: place + used)
                at += 1
                start = at
                continue
            }
            // U+2028 and U+2029, which end a line in JavaScript.
            if length == 3, byte == 0xe2, base.load(fromByteOffset: at + 1, as: UInt8.self) == 0x80,
                base.load(fromByteOffset: at + 2, as: UInt8.self) & 0xfe == 0xa8
            {
                used += copy(base, start, at, to: place + used)
                let isFirst = base.load(fromByteOffset: at + 2, as: UInt8.self) == 0xa8
                used += write(isFirst ? "\\u2028" : "\\u2029", to: place + used)
                at += 3
                start = at
                continue
            }
            at += length
        }
        return used + copy(base, start, count, to: place + used)
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "&"):
            false
        default: true
        }
    }

    private static func escape(_ byte: UInt8, to place: UnsafeMutableRawPointer) -> Int {
        switch byte {
        case UInt8(ascii: "\""): return write("\\\"", to: place)
        case UInt8(ascii: "\\"): return write("\\\\", to: place)
        case UInt8(ascii: "\n"): return write("\\n", to: place)
        case UInt8(ascii: "\r"): return write("\\r", to: place)
        default:
            _ = write("\\u00", to: place)
            place.storeBytes(of: hexadecimal(byte >> 4), toByteOffset: 4, as: UInt8.self)
            place.storeBytes(of: hexadecimal(byte & 15), toByteOffset: 5, as: UInt8.self)
            return 6
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }

    private static func write(_ text: StaticString, to place: UnsafeMutableRawPointer) -> Int {
        place.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }

    private static func copy(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, to place: UnsafeMutableRawPointer
    ) -> Int {
        if end > start { place.copyMemory(from: base + start, byteCount: end - start) }
        return end - start
    }

    /// `"attrs":{"KEY":"VALUE"},`, sorted by keys as Go writes maps; of a key given twice the last counts.
    static func attributes(_ list: [(key: String, value: String)]) -> [UInt8] {
        var unique: [(key: String, value: String)] = []
        for entry in list {
            unique.removeAll { $0.key.utf8.elementsEqual(entry.key.utf8) }
            unique.append(entry)
        }
        guard !unique.isEmpty else { return [] }
        unique.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        var bytes = Array("\"attrs\":{".utf8)
        for (index, entry) in unique.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            quote(entry.key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            quote(entry.value, to: &bytes)
        }
        bytes.append(contentsOf: "},".utf8)
        return bytes
    }

    private static func quote(_ text: String, to bytes: inout [UInt8]) {
        let source = Array(text.utf8)
        var escaped = [UInt8](repeating: 0, count: max(1, source.count * mostBytesPerByte))
        let used = source.withUnsafeBytes { from in
            escaped.withUnsafeMutableBytes { escape(from, to: $0.baseAddress!) }
        }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: escaped[..<used])
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Well-formed UTF-8 (the Unicode Standard, table 3-7).
enum UTF8Sequence {
    /// How many bytes the well-formed sequence at a place has, 0 when there is none.
    static func length(_ text: UnsafeRawBufferPointer, at place: Int) -> Int {
        let first = text[place]
        if first < 0x80 { return 1 }
        guard let (length, second) = begin(first), place + length <= text.count,
            second.contains(text[place + 1])
        else { return 0 }
        for offset in 2..<max(length, 2) where text[place + offset] & 0xc0 != 0x80 { return 0 }
        return length
    }

    /// The length that a first byte announces, and what the second one may be.
    private static func begin(_ first: UInt8) -> (Int, ClosedRange<UInt8>)? {
        switch first {
        case 0xc2...0xdf: (2, 0x80...0xbf)
        case 0xe0: (3, 0xa0...0xbf)
        case 0xed: (3, 0x80...0x9f)
        case 0xe1...0xef: (3, 0x80...0xbf)
        case 0xf0: (4, 0x90...0xbf)
        case 0xf1...0xf3: (4, 0x80...0xbf)
        case 0xf4: (4, 0x80...0x8f)
        default: nil
        }
    }

    /// The largest length up to `limit`, which is less than the text's, that does not cut a well-formed sequence in two.
    static func cut(_ text: UnsafeRawBufferPointer, atMost limit: Int) -> Int {
        for back in 1...3 where back < limit {
            let byte = text[limit - back]
            if byte & 0xc0 == 0x80 { continue }
            return byte >= 0xc0 && length(text, at: limit - back) > back ? limit - back : limit
        }
        return limit
    }
}
