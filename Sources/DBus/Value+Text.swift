internal import CLinux
public import Diagnostics

// GVariant's text format. A number is an int32, and text a string, unless something says otherwise: a keyword
// (`uint64 5`), a type (`@t 5`), or another element of the same array.
extension Value {
    /// - Throws: `invalid`, without a place.
    public init(text: String) throws(Failure) {
        var scanner = TextScanner(text)
        let node = try scanner.whole()
        self = try node.value()
    }
}

extension TextNode {
    fileprivate func value() throws(Failure) -> Value {
        guard let text = definiteType ?? usualType, let type = Signature(text) else {
            throw Failure(.invalid, "does not tell its type: write @TYPE before it")
        }
        return try value(type, 0)
    }

    /// nil when there are several that it could have.
    private var definiteType: String? {
        switch self {
        case .boolean: return "b"
        case .number, .string: return nil
        case .bytes: return "ay"
        case .variant: return "v"
        case .typed(let type, _): return String(decoding: type.codes, as: UTF8.self)
        case .array(let nodes):
            for node in nodes { if let type = node.definiteType { return "a" + type } }
            return nil
        case .structure(let nodes): return TextNode.joined(nodes) { $0.definiteType }
        case .entry(let key, let value): return TextNode.entry(key.definiteType, value.definiteType)
        case .dictionary(let pairs):
            var key: String?
            var value: String?
            for pair in pairs {
                key = key ?? pair.key.definiteType
                value = value ?? pair.value.definiteType
            }
            return TextNode.entry(key, value).map { "a" + $0 }
        }
    }

    /// The one that it has when nothing else is known; nil for an empty array, which has none.
    private var usualType: String? {
        if let type = definiteType { return type }
        switch self {
        case .number(let text): return TextNumber.isDouble(text) ? "d" : "i"
        case .string: return "s"
        case .array(let nodes): return TextNode.common(nodes).map { "a" + $0 }
        case .structure(let nodes): return TextNode.joined(nodes) { $0.usualType }
        case .entry(let key, let value): return TextNode.entry(key.usualType, value.usualType)
        case .dictionary(let pairs):
            return TextNode.entry(
                TextNode.common(pairs.map { $0.key }), TextNode.common(pairs.map { $0.value })
            ).map { "a" + $0 }
        default: return nil
        }
    }

    /// The type that all elements of an array have.
    private static func common(_ nodes: [TextNode]) -> String? {
        for node in nodes { if let type = node.definiteType { return type } }
        var common: String?
        for node in nodes {
            guard let type = node.usualType else { continue }
            // One number with a fraction makes all of them such.
            if common == nil || type.utf8.elementsEqual("d".utf8) { common = type }
        }
        return common
    }

    private static func entry(_ key: String?, _ value: String?) -> String? {
        guard let key, let value else { return nil }
        return "{" + key + value + "}"
    }

    private static func joined(_ nodes: [TextNode], _ type: (TextNode) -> String?) -> String? {
        var text = "("
        for node in nodes {
            guard let part = type(node) else { return nil }
            text += part
        }
        return text + ")"
    }

    /// This as a value of the type at a place of the signature.
    private func value(_ type: Signature, _ place: Int) throws(Failure) -> Value {
        let code = type.codes[place]
        let end = type.end(at: place)
        switch self {
        case .typed(let own, let node):
            guard own.codes[...] == type.codes[place..<end] || code == UInt8(ascii: "h") else {
                throw TextNode.mismatch(type, place)
            }
            return try node.value(own, 0)
        case .boolean(let flag) where code == UInt8(ascii: "b"): return .boolean(flag)
        case .number(let text): return try TextNumber.value(text, code)
        case .string(let text): return try TextNode.string(text, code)
        case .bytes(let bytes) where type.codes[place..<end].elementsEqual("ay".utf8): return .bytes(bytes)
        case .variant(let node) where code == UInt8(ascii: "v"): return .variant(try node.value())
        case .array(let nodes) where code == UInt8(ascii: "a"):
            return try TextNode.array(nodes, type, place)
        case .structure(let nodes) where code == UInt8(ascii: "("):
            return .structure(try TextNode.members(nodes, type, place, end))
        case .dictionary(let pairs) where code == UInt8(ascii: "a"):
            guard type.codes[place + 1] == UInt8(ascii: "{") else { throw TextNode.mismatch(type, place) }
            var values: [Value] = []
            for pair in pairs {
                let members = try TextNode.members([pair.key, pair.value], type, place + 1, end)
                values.append(.entry(members[0], members[1]))
            }
            return .array(of: TextNode.text(type, place + 1, end), values)
        case .entry(let key, let value) where code == UInt8(ascii: "{"):
            let members = try TextNode.members([key, value], type, place, end)
            return .entry(members[0], members[1])
        default: throw TextNode.mismatch(type, place)
        }
    }

    private static func array(_ nodes: [TextNode], _ type: Signature, _ place: Int) throws(Failure) -> Value {
        var values: [Value] = []
        var bytes: [UInt8] = []
        let element = type.codes[place + 1]
        for node in nodes {
            // An entry has no end of its own.
            let value = try node.value(type, place + 1)
            if case .byte(let byte) = value { bytes.append(byte) } else { values.append(value) }
        }
        if element == UInt8(ascii: "y") { return .bytes(bytes) }
        return .array(of: text(type, place + 1, type.end(ofElement: place + 1)), values)
    }

    private static func members(
        _ nodes: [TextNode], _ type: Signature, _ place: Int, _ end: Int
    ) throws(Failure) -> [Value] {
        var values: [Value] = []
        var at = place + 1
        let last = type.codes[place] == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
        for node in nodes {
            guard at < type.codes.count, type.codes[at] != last else { throw mismatch(type, place) }
            values.append(try node.value(type, at))
            at = type.end(at: at)
        }
        guard at < type.codes.count, type.codes[at] == last else { throw mismatch(type, place) }
        return values
    }

    private static func string(_ text: String, _ code: UInt8) throws(Failure) -> Value {
        switch code {
        case UInt8(ascii: "s"): return .string(text)
        case UInt8(ascii: "o"):
            guard isObjectPath(text) else {
                throw Failure(.invalid, "\"\(text)\" is no object path")
            }
            return .objectPath(text)
        case UInt8(ascii: "g"):
            guard Signature(text) != nil else { throw Failure(.invalid, "\"\(text)\" is no signature") }
            return .signature(text)
        default: throw Failure(.invalid, "has text where a value of type \(letter(code)) must be")
        }
    }

    /// D-Bus Specification, "Valid Object Paths".
    private static func isObjectPath(_ text: String) -> Bool {
        let bytes = [UInt8](text.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return false }
        if bytes.count == 1 { return true }
        return bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .allSatisfy { part in
                !part.isEmpty
                    && part.allSatisfy { byte in
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                            || byte == UInt8(ascii: "_")
                    }
            }
    }

    private static func text(_ type: Signature, _ from: Int, _ to: Int) -> String {
        String(decoding: type.codes[from..<to], as: UTF8.self)
    }

    private static func mismatch(_ type: Signature, _ place: Int) -> Failure {
        Failure(.invalid, "has a value that is not of type \(text(type, place, type.end(at: place)))")
    }
}

private func letter(_ code: UInt8) -> String { String(decoding: [code], as: UTF8.self) }

/// Numbers of the text format.
enum TextNumber {
    static func isDouble(_ text: [UInt8]) -> Bool {
        if isHexadecimal(text) { return false }
        return text.contains {
            $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 == UInt8(ascii: "n")
        }
    }

    private static func isHexadecimal(_ text: [UInt8]) -> Bool {
        let digits = text.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        return digits.count > 2 && digits.starts(with: "0x".utf8)
    }

    static func value(_ text: [UInt8], _ code: UInt8) throws(Failure) -> Value {
        let value: Value? =
            switch code {
            case UInt8(ascii: "y"): integer(text).map { .byte($0) }
            case UInt8(ascii: "n"): integer(text).map { .int16($0) }
            case UInt8(ascii: "q"): integer(text).map { .uint16($0) }
            case UInt8(ascii: "i"): integer(text).map { .int32($0) }
            case UInt8(ascii: "u"): integer(text).map { .uint32($0) }
            case UInt8(ascii: "x"): integer(text).map { .int64($0) }
            case UInt8(ascii: "t"): integer(text).map { .uint64($0) }
            case UInt8(ascii: "d"): double(text).map { .double($0) }
            default: nil
            }
        guard let value else {
            throw Failure(
                .invalid,
                "\(String(decoding: text, as: UTF8.self)) is no value of type \(letter(code))")
        }
        return value
    }

    /// Decimal, hexadecimal behind `0x`, octal behind `0`.
    private static func integer<Integer: FixedWidthInteger>(_ text: [UInt8]) -> Integer? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        var radix: UInt64 = 10
        if digits.starts(with: "0x".utf8) {
            radix = 16
            digits = digits.dropFirst(2)
        } else if digits.count > 1, digits.first == UInt8(ascii: "0") {
            radix = 8
        }
        guard !digits.isEmpty else { return nil }
        var magnitude: UInt64 = 0
        for byte in digits {
            guard let digit = digit(byte), digit < radix else { return nil }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            magnitude = sum
        }
        if !isNegative { return Integer(exactly: magnitude) }
        if magnitude > UInt64(bitPattern: .min) { return nil }
        return Integer(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    private static func double(_ text: [UInt8]) -> Double? {
        if let whole: Int64 = integer(text), !text.starts(with: "0".utf8) || text.count == 1 {
            return Double(whole)
        }
        var value = 0.0
        return clinux_parse_double(String(decoding: text, as: UTF8.self), &value) == 0 ? value : nil
    }
}
