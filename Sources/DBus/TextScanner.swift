internal import Diagnostics

/// GVariant's text format (docs.gtk.org/glib/gvariant-text-format.html) as far as D-Bus has the types: what it says,
/// before it is known which types are meant.
indirect enum TextNode {
    case boolean(Bool)
    /// As it is written.
    case number([UInt8])
    case string(String)
    case bytes([UInt8])
    case array([TextNode])
    case structure([TextNode])
    case dictionary([(key: TextNode, value: TextNode)])
    case entry(TextNode, TextNode)
    case variant(TextNode)
    case typed(Signature, TextNode)
}

/// Reads it.
struct TextScanner {
    private let text: [UInt8]
    private var at = 0
    private static let deepest = 32

    init(_ text: String) {
        self.text = [UInt8](text.utf8)
    }

    /// All of the text as one value.
    mutating func whole() throws(Failure) -> TextNode {
        let node = try node(0)
        skipSpace()
        guard at == text.count else { throw failure("has more behind its value") }
        return node
    }

    private func failure(_ message: String) -> Failure {
        Failure(.invalid, "\(message) (at byte \(at + 1))")
    }

    private mutating func node(_ depth: Int) throws(Failure) -> TextNode {
        guard depth < TextScanner.deepest else { throw failure("has values too deep in each other") }
        skipSpace()
        guard at < text.count else { throw failure("ends too early") }
        switch text[at] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return .string(String(decoding: try quoted(asBytes: false), as: UTF8.self))
        case UInt8(ascii: "b") where at + 1 < text.count && (text[at + 1] == 0x27 || text[at + 1] == 0x22):
            at += 1
            // As C has them, with their end.
            return .bytes(try quoted(asBytes: true) + [0])
        case UInt8(ascii: "["):
            return .array(try list(until: UInt8(ascii: "]"), depth))
        case UInt8(ascii: "("):
            let members = try list(until: UInt8(ascii: ")"), depth, isStructure: true)
            return .structure(members)
        case UInt8(ascii: "{"): return try braces(depth)
        case UInt8(ascii: "<"):
            at += 1
            let node = try node(depth + 1)
            try expect(UInt8(ascii: ">"))
            return .variant(node)
        case UInt8(ascii: "@"):
            at += 1
            let word = word { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a }
            guard let type = Signature(word), type.isSingle else { throw failure("has a type that is none") }
            return .typed(type, try node(depth + 1))
        default: return try plain(depth)
        }
    }

    private static let keywords: [(name: StaticString, type: StaticString)] = [
        ("boolean", "b"), ("byte", "y"), ("int16", "n"), ("uint16", "q"), ("int32", "i"), ("uint32", "u"),
        ("int64", "x"), ("uint64", "t"), ("double", "d"), ("string", "s"), ("objectpath", "o"),
        ("signature", "g"),
    ]

    /// A number, true, false, or a type and its value.
    private mutating func plain(_ depth: Int) throws(Failure) -> TextNode {
        let start = at
        let word = word { byte in
            byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || TextScanner.isAlphanumeric(byte)
        }
        if word.elementsEqual("true".utf8) { return .boolean(true) }
        if word.elementsEqual("false".utf8) { return .boolean(false) }
        if let first = word.first,
            !TextScanner.isLetter(first) || word.elementsEqual("inf".utf8)
                || word.elementsEqual("nan".utf8)
        {
            return .number(word)
        }
        for (name, type) in TextScanner.keywords where word.elementsEqual(name.description.utf8) {
            return .typed(Signature(type.description)!, try node(depth + 1))
        }
        at = start
        throw failure("is no value: text must be in quotes")
    }

    private mutating func list(
        until end: UInt8, _ depth: Int, isStructure: Bool = false
    ) throws(Failure) -> [TextNode] {
        at += 1
        var nodes: [TextNode] = []
        while true {
            skipSpace()
            if at < text.count, text[at] == end {
                at += 1
                return nodes
            }
            if !nodes.isEmpty {
                try expect(UInt8(ascii: ","))
                // `(1,)` is a structure of one.
                skipSpace()
                if isStructure, nodes.count == 1, at < text.count, text[at] == end { continue }
            }
            nodes.append(try node(depth + 1))
        }
    }

    /// `{'key': value, …}`, or one entry, `{'key', value}`.
    private mutating func braces(_ depth: Int) throws(Failure) -> TextNode {
        at += 1
        var pairs: [(key: TextNode, value: TextNode)] = []
        while true {
            skipSpace()
            if at < text.count, text[at] == UInt8(ascii: "}") {
                at += 1
                return .dictionary(pairs)
            }
            if !pairs.isEmpty { try expect(UInt8(ascii: ",")) }
            let key = try node(depth + 1)
            skipSpace()
            if pairs.isEmpty, at < text.count, text[at] == UInt8(ascii: ",") {
                at += 1
                let value = try node(depth + 1)
                try expect(UInt8(ascii: "}"))
                return .entry(key, value)
            }
            try expect(UInt8(ascii: ":"))
            pairs.append((key, try node(depth + 1)))
        }
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        skipSpace()
        guard at < text.count, text[at] == byte else {
            throw failure("must have \(String(decoding: [byte], as: UTF8.self)) here")
        }
        at += 1
    }

    private mutating func skipSpace() {
        while at < text.count, text[at] == 0x20 || (0x09...0x0d).contains(text[at]) { at += 1 }
    }

    private mutating func word(_ belongs: (UInt8) -> Bool) -> [UInt8] {
        let start = at
        while at < text.count, belongs(text[at]) { at += 1 }
        return [UInt8](text[start..<at])
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

// Strings.
extension TextScanner {
    private mutating func quoted(asBytes: Bool) throws(Failure) -> [UInt8] {
        let quote = text[at]
        at += 1
        var bytes: [UInt8] = []
        while true {
            guard at < text.count else { throw failure("has a string without an end") }
            let byte = text[at]
            at += 1
            if byte == quote { break }
            if byte == UInt8(ascii: "\\") { try escape(asBytes, &bytes) } else { bytes.append(byte) }
        }
        if bytes.contains(0) { throw failure("has a string with a NUL byte") }
        return bytes
    }

    private mutating func escape(_ asBytes: Bool, _ bytes: inout [UInt8]) throws(Failure) {
        guard at < text.count else { throw failure("has a string without an end") }
        let byte = text[at]
        at += 1
        switch byte {
        case UInt8(ascii: "a"): bytes.append(0x07)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0c)
        case UInt8(ascii: "n"): bytes.append(0x0a)
        case UInt8(ascii: "r"): bytes.append(0x0d)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "v"): bytes.append(0x0b)
        // Goes on in the next line.
        case 0x0a: break
        case UInt8(ascii: "u") where !asBytes: try appendScalar(digits: 4, &bytes)
        case UInt8(ascii: "U") where !asBytes: try appendScalar(digits: 8, &bytes)
        case UInt8(ascii: "0")...UInt8(ascii: "7") where asBytes:
            var value = Int(byte - UInt8(ascii: "0"))
            var count = 1
            while count < 3, at < text.count, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(text[at]) {
                value = value * 8 + Int(text[at] - UInt8(ascii: "0"))
                at += 1
                count += 1
            }
            bytes.append(UInt8(truncatingIfNeeded: value))
        default: bytes.append(byte)
        }
    }

    private mutating func appendScalar(digits: Int, _ bytes: inout [UInt8]) throws(Failure) {
        guard digits <= text.count - at,
            let value = UInt32(String(decoding: text[at..<at + digits], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw failure("has an escape that is no character") }
        at += digits
        bytes += UTF8.encode(scalar)!
    }
}
