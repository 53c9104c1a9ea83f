/// Writes values as messages carry them (D-Bus Specification, "Marshaling"), little-endian.
struct Encoder {
    /// Counted from where alignment counts from.
    private(set) var bytes: [UInt8] = []

    mutating func align(_ alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    mutating func append(_ values: [Value]) {
        for value in values { append(value) }
    }

    mutating func append(_ value: Value) {
        switch value {
        case .byte(let number): bytes.append(number)
        case .boolean(let flag): append(UInt32(flag ? 1 : 0))
        case .int16(let number): append(UInt16(bitPattern: number))
        case .uint16(let number): append(number)
        case .int32(let number): append(UInt32(bitPattern: number))
        case .uint32(let number): append(number)
        case .int64(let number): append(UInt64(bitPattern: number))
        case .uint64(let number): append(number)
        case .double(let number): append(number.bitPattern)
        case .string(let text), .objectPath(let text): append(text)
        case .signature(let text): append(signature: text)
        case .bytes(let content):
            append(UInt32(content.count))
            bytes += content
        case .array(let element, let values): append(values, of: element)
        case .structure(let members):
            align(8)
            append(members)
        case .entry(let key, let value):
            align(8)
            append(key)
            append(value)
        case .variant(let value):
            append(signature: value.type)
            append(value)
        }
    }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        let size = Number.bitWidth / 8
        align(size)
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: number >> Number(index * 8))) }
    }

    private mutating func append(_ text: String) {
        append(UInt32(text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    private mutating func append(signature: String) {
        bytes.append(UInt8(truncatingIfNeeded: signature.utf8.count))
        bytes += signature.utf8
        bytes.append(0)
    }

    /// The length counts neither itself nor the space before the first element, which is there in any case.
    private mutating func append(_ values: [Value], of element: String) {
        append(UInt32(0))
        let place = bytes.count - 4
        align(Signature.alignment(of: element.utf8.first ?? UInt8(ascii: "y")))
        let start = bytes.count
        append(values)
        set(UInt32(bytes.count - start), at: place)
    }

    /// Puts a number over one that is there.
    mutating func set(_ number: UInt32, at place: Int) {
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt32(index * 8)) }
    }
}
