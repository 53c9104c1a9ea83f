internal import Diagnostics

/// Reads values out of a message. Whoever sent it may have sent anything: nothing here traps.
struct Decoder {
    private let bytes: [UInt8]
    private let isBigEndian: Bool
    /// Counted from where alignment counts from.
    private(set) var position: Int
    private let end: Int
    /// Values may contain each other so often (D-Bus Specification, "Variant").
    private static let deepest = 64

    init(_ bytes: [UInt8], from start: Int = 0, to end: Int, isBigEndian: Bool) {
        self.bytes = bytes
        self.isBigEndian = isBigEndian
        position = start
        self.end = min(end, bytes.count)
    }

    /// As many values as the signature has types; nothing may be left.
    mutating func values(_ signature: Signature) throws(Failure) -> [Value] {
        var values: [Value] = []
        var at = 0
        while at < signature.codes.count {
            values.append(try value(signature, at))
            at = signature.end(at: at)
        }
        guard position == end else { throw Decoder.damaged("is longer than what it says is in it") }
        return values
    }

    static func damaged(_ how: String) -> Failure {
        Failure(.system, "a message on D-Bus " + how)
    }

    /// One value of the type at a place of the signature.
    mutating func value(_ signature: Signature, _ place: Int, depth: Int = 0) throws(Failure) -> Value {
        guard depth < Decoder.deepest else { throw Decoder.damaged("has values too deep in each other") }
        switch signature.codes[place] {
        case UInt8(ascii: "y"): return .byte(try number())
        case UInt8(ascii: "b"):
            let number: UInt32 = try number()
            guard number < 2 else { throw Decoder.damaged("has a boolean that is neither 0 nor 1") }
            return .boolean(number == 1)
        case UInt8(ascii: "n"): return .int16(Int16(bitPattern: try number()))
        case UInt8(ascii: "q"): return .uint16(try number())
        case UInt8(ascii: "i"): return .int32(Int32(bitPattern: try number()))
        case UInt8(ascii: "u"), UInt8(ascii: "h"): return .uint32(try number())
        case UInt8(ascii: "x"): return .int64(Int64(bitPattern: try number()))
        case UInt8(ascii: "t"): return .uint64(try number())
        case UInt8(ascii: "d"): return .double(Double(bitPattern: try number()))
        case UInt8(ascii: "s"): return .string(try text())
        case UInt8(ascii: "o"): return .objectPath(try text())
        case UInt8(ascii: "g"): return .signature(String(decoding: try types().codes, as: UTF8.self))
        case UInt8(ascii: "v"): return .variant(try variant(depth))
        case UInt8(ascii: "a"): return try array(signature, place + 1, depth)
        case UInt8(ascii: "("):
            try align(8)
            return .structure(try members(signature, place + 1, until: UInt8(ascii: ")"), depth))
        default: throw Decoder.damaged("has a value of unknown type")
        }
    }

    private mutating func members(
        _ signature: Signature, _ first: Int, until last: UInt8, _ depth: Int
    ) throws(Failure) -> [Value] {
        var members: [Value] = []
        var at = first
        while signature.codes[at] != last {
            members.append(try value(signature, at, depth: depth + 1))
            at = signature.end(at: at)
        }
        return members
    }

    private mutating func variant(_ depth: Int) throws(Failure) -> Value {
        let signature = try types()
        guard signature.isSingle else { throw Decoder.damaged("has a variant of not exactly one type") }
        return try value(signature, 0, depth: depth + 1)
    }

    private mutating func array(
        _ signature: Signature, _ element: Int, _ depth: Int
    ) throws(Failure) -> Value {
        let length = Int(try number() as UInt32)
        let code = signature.codes[element]
        try align(Signature.alignment(of: code))
        guard length <= end - position else {
            throw Decoder.damaged("has an array that is longer than itself")
        }
        let stop = position + length
        if code == UInt8(ascii: "y") {
            defer { position = stop }
            return .bytes([UInt8](bytes[position..<stop]))
        }
        var values: [Value] = []
        // Each takes at least a byte, so this ends.
        while position < stop {
            if code == UInt8(ascii: "{") {
                try align(8)
                let pair = try members(signature, element + 1, until: UInt8(ascii: "}"), depth)
                guard pair.count == 2 else { throw Decoder.damaged("has a value of unknown type") }
                values.append(.entry(pair[0], pair[1]))
            } else {
                values.append(try value(signature, element, depth: depth + 1))
            }
        }
        guard position == stop else { throw Decoder.damaged("has an array that ends within an element") }
        let type = signature.codes[element..<signature.end(ofElement: element)]
        return .array(of: String(decoding: type, as: UTF8.self), values)
    }

    // MARK: What values are made of

    private mutating func align(_ alignment: Int) throws(Failure) {
        let next = (position + alignment - 1) / alignment * alignment
        guard next <= end else { throw Decoder.damaged("ends too early") }
        position = next
    }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>() throws(Failure) -> Number {
        let size = Number.bitWidth / 8
        try align(size)
        guard size <= end - position else { throw Decoder.damaged("ends too early") }
        var number: Number = 0
        for index in 0..<size {
            let place = isBigEndian ? index : size - 1 - index
            number = (size == 1 ? 0 : number << 8) | Number(bytes[position + place])
        }
        position += size
        return number
    }

    /// What is no UTF-8 in it is replaced: it is compared and shown, nothing more.
    private mutating func text() throws(Failure) -> String {
        let length = Int(try number() as UInt32)
        return String(decoding: try ended(length), as: UTF8.self)
    }

    private mutating func types() throws(Failure) -> Signature {
        let length = Int(try number() as UInt8)
        guard let signature = Signature([UInt8](try ended(length))) else {
            throw Decoder.damaged("has a signature that is none")
        }
        return signature
    }

    /// Bytes with a NUL behind them.
    private mutating func ended(_ length: Int) throws(Failure) -> ArraySlice<UInt8> {
        guard length < end - position else { throw Decoder.damaged("ends too early") }
        let content = bytes[position..<position + length]
        guard bytes[position + length] == 0, !content.contains(0) else {
            throw Decoder.damaged("has a string that ends elsewhere than it says")
        }
        position += length + 1
        return content
    }
}
