public import Diagnostics

/// One value of a document: a cursor, cheap to copy. Where it is in the document is found out for errors
/// only.
public struct JSONValue: Sendable {
    public enum Kind: Equatable, Sendable { case null, bool, number, string, array, object }

    let document: JSONDocument
    let index: Int

    public var kind: Kind {
        switch document.tape.tokens[index].kind {
        case .null: .null
        case .false, .true: .bool
        case .number: .number
        case .array: .array
        case .object: .object
        case .string, .decodedString, .decodedStringWithNUL: .string
        }
    }

    /// `mounts[3].options[1]`; empty for the document's root.
    public var path: String { document.tape.path(to: index) }

    /// An error about this value, for example `mounts[3].type: must be a string`.
    public func failure(_ message: String, kind: Failure.Kind = .invalid) -> Failure {
        let path = path
        return Failure(kind, message, at: path.isEmpty ? document.name : path)
    }

    /// An error about a property that this object lacks or that is empty.
    public func failure(_ message: String, property: StaticString, kind: Failure.Kind = .invalid) -> Failure {
        let path = path
        return Failure(kind, message, at: path.isEmpty ? "\(property)" : "\(path).\(property)")
    }
}

// Scalars.
extension JSONValue {
    /// - Throws: `invalid` when this is not a boolean.
    public func bool() throws(Failure) -> Bool {
        switch document.tape.tokens[index].kind {
        case .true: return true
        case .false: return false
        default: throw failure("must be true or false")
        }
    }

    /// The text of a string or of a property name; it may contain U+0000.
    ///
    /// - Throws: `invalid` when this is not a string.
    public func string() throws(Failure) -> String {
        guard kind == .string else { throw failure("must be a string") }
        return String(decoding: document.tape.text(index), as: UTF8.self)
    }

    /// Whether this is a string with U+0000 in it, which no string that reaches the kernel may have.
    public var containsNUL: Bool { document.tape.tokens[index].kind == .decodedStringWithNUL }

    /// Whether this is a string of exactly these bytes.
    public func isString(_ text: String) -> Bool {
        guard kind == .string else { return false }
        var text = text
        return text.withUTF8 { document.tape.isText(index, $0) }
    }

    /// - Throws: `invalid` when this is not an integer, or not one within the type.
    @inlinable
    public func integer<Integer: FixedWidthInteger>(_: Integer.Type = Integer.self) throws(Failure) -> Integer
    {
        let (negative, magnitude) = try signAndMagnitude()
        if let magnitude {
            if !negative {
                if let value = Integer(exactly: magnitude) { return value }
            } else if magnitude <= UInt64(bitPattern: .min) {
                if let value = Integer(exactly: Int64(truncatingIfNeeded: 0 &- magnitude)) { return value }
            }
        }
        throw failure("must be an integer from \(Integer.min) to \(Integer.max)")
    }

    /// A number without fraction and exponent; the magnitude is nil when it exceeds 64 bits.
    @usableFromInline
    func signAndMagnitude() throws(Failure) -> (negative: Bool, magnitude: UInt64?) {
        guard kind == .number else { throw failure("must be an integer") }
        let text = document.tape.text(index)
        let negative = text.first == UInt8(ascii: "-")
        var magnitude: UInt64? = 0
        for byte in text[(negative ? 1 : 0)...] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { throw failure("must be an integer, without fraction or exponent") }
            guard let before = magnitude else { continue }
            let (product, tooLarge) = before.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(UInt64(digit))
            magnitude = tooLarge || overflow ? nil : sum
        }
        return (negative, magnitude)
    }
}

// Containers.
extension JSONValue {
    /// A property of this object; nil when it is absent or null, or this is no object.
    public subscript(name: StaticString) -> JSONValue? {
        let tape = document.tape
        guard tape.tokens[index].kind == .object else { return nil }
        let end = tape.end(of: index)
        var child = index + 1
        while child < end {
            if tape.isText(child, UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)) {
                return tape.tokens[child + 1].kind == .null
                    ? nil : JSONValue(document: document, index: child + 1)
            }
            child = tape.end(of: child + 1)
        }
        return nil
    }

    /// The values of an array, in order, nulls among them.
    ///
    /// - Throws: `invalid` when this is not an array.
    public func elements() throws(Failure) -> JSONElements {
        guard kind == .array else { throw failure("must be an array") }
        return JSONElements(document: document, position: index + 1, end: document.tape.end(of: index))
    }

    /// The strings of an array, in order. The one loop that long configurations spend their time in.
    ///
    /// - Parameter allowingNUL: whether U+0000 may be in them.
    /// - Throws: `invalid` when this is not an array of such strings.
    public func strings(allowingNUL: Bool = true) throws(Failure) -> [String] {
        guard kind == .array else { throw failure("must be an array") }
        let tape = document.tape
        var strings: [String] = []
        var child = index + 1
        let end = tape.end(of: index)
        while child < end {
            let kind = tape.tokens[child].kind
            if kind == .string || kind == .decodedString || (kind == .decodedStringWithNUL && allowingNUL) {
                strings.append(String(decoding: tape.text(child), as: UTF8.self))
                child += 1
            } else {
                let value = JSONValue(document: document, index: child)
                throw value.failure(kind == .decodedStringWithNUL ? Self.hasNUL : "must be a string")
            }
        }
        return strings
    }

    /// What is wrong with a string where U+0000 may not be.
    public static var hasNUL: String { "must not contain a NUL byte" }

    /// The properties of an object, in order, nulls among them.
    ///
    /// - Throws: `invalid` when this is not an object.
    public func members() throws(Failure) -> JSONMembers {
        guard kind == .object else { throw failure("must be an object") }
        return JSONMembers(document: document, position: index + 1, end: document.tape.end(of: index))
    }
}

/// The values of an array.
public struct JSONElements: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var position: Int
    let end: Int

    public mutating func next() -> JSONValue? {
        guard position < end else { return nil }
        defer { position = document.tape.end(of: position) }
        return JSONValue(document: document, index: position)
    }
}

/// The properties of an object. A name is a value too, of kind string.
public struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var position: Int
    let end: Int

    public mutating func next() -> (name: JSONValue, value: JSONValue)? {
        guard position < end else { return nil }
        defer { position = document.tape.end(of: position + 1) }
        return (
            JSONValue(document: document, index: position), JSONValue(document: document, index: position + 1)
        )
    }
}
