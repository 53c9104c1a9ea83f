/// A value of a D-Bus message (D-Bus Specification, "Type System").
public indirect enum Value: Equatable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    /// `ay`.
    case bytes([UInt8])
    /// Any other array: its elements' type, which also an empty one has.
    case array(of: String, [Value])
    case structure([Value])
    /// Only as an element of an array.
    case entry(Value, Value)
    case variant(Value)

    /// The type as the specification writes it, such as `a(sv)`.
    public var type: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .bytes: "ay"
        case .array(let element, _): "a" + element
        case .structure(let members): "(" + Value.types(members) + ")"
        case .entry(let key, let value): "{" + key.type + value.type + "}"
        case .variant: "v"
        }
    }

    /// The types of several values, one behind the other.
    static func types(_ values: [Value]) -> String {
        var types = ""
        for value in values { types += value.type }
        return types
    }
}

// What replies are looked at for.
extension Value {
    /// The text of a string, an object path or a signature.
    public var text: String? {
        switch self {
        case .string(let text), .objectPath(let text), .signature(let text): text
        default: nil
        }
    }

    public var number: UInt32? {
        if case .uint32(let number) = self { number } else { nil }
    }

    /// What is in a variant.
    public var content: Value? {
        if case .variant(let value) = self { value } else { nil }
    }
}
