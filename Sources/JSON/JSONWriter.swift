/// Writes a JSON text piece by piece. Where commas, colons, line ends and indentation go is its affair; that
/// the calls make a document (a key before each value in an object, as many ends as beginnings) is the
/// caller's, and breaking it is a programming error that debug builds stop at.
public struct JSONWriter: Sendable {
    public enum Style: Sendable {
        /// No white space at all.
        case compact
        /// Two spaces a level, one property or element a line.
        case indented
    }

    /// What has been written; no line end follows the last byte.
    public private(set) var bytes: [UInt8] = []
    private let style: Style
    private var depth = 0
    /// Whether a comma goes before the next key or value.
    private var needsComma = false
    private var followsKey = false

    public init(_ style: Style) {
        self.style = style
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func beginObject() { begin("{") }
    public mutating func endObject() { end("}") }
    public mutating func beginArray() { begin("[") }
    public mutating func endArray() { end("]") }

    /// The name of the property whose value the next call writes.
    public mutating func key(_ name: String) {
        separate()
        quote(name)
        append(style == .compact ? ":" : ": ")
        followsKey = true
    }

    public mutating func value(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    public mutating func value(_ value: Bool) { literal(value ? "true" : "false") }
    public mutating func value(_ value: some FixedWidthInteger) { literal(String(value)) }
    /// A number as the kernel writes it, `0.25`: digits with at most one point between them; anything else becomes 0.
    public mutating func member(_ name: String, decimal: String) {
        let parts = decimal.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isNumber =
            parts.count <= 2
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 &- UInt8(ascii: "0") < 10 } }
            && (decimal.utf8.first != UInt8(ascii: "0") || parts[0].count == 1)
        key(name)
        literal(isNumber ? decimal : "0")
    }

    public mutating func null() { literal("null") }

    public mutating func member(_ name: String, _ value: String) {
        key(name)
        self.value(value)
    }

    public mutating func member(_ name: String, _ value: Bool) {
        key(name)
        self.value(value)
    }

    public mutating func member(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        self.value(value)
    }

    public mutating func member(_ name: String, _ values: [String]) {
        key(name)
        beginArray()
        for value in values { self.value(value) }
        endArray()
    }
}

extension JSONWriter {
    private mutating func begin(_ bracket: StaticString) {
        separate()
        append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: StaticString) {
        assert(depth > 0 && !followsKey)
        depth -= 1
        // Nothing inside: the brackets stay together.
        if needsComma { breakLine() }
        append(bracket)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    /// What goes between the piece before and the one that comes.
    private mutating func separate() {
        if followsKey {
            followsKey = false
            return
        }
        if needsComma {
            append(",")
            needsComma = false
        }
        if depth > 0 { breakLine() }
    }

    private mutating func breakLine() {
        guard style == .indented else { return }
        append("\n")
        for _ in 0..<depth { append("  ") }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func quote(_ text: String) {
        append("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0x00..<0x20, 0x7F:
                append("\\u00")
                bytes.append(contentsOf: hexadecimal(byte).utf8)
            default: bytes.append(byte)
            }
        }
        append("\"")
    }
}
