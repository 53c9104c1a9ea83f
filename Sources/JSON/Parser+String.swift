extension Parser {
    /// Reads a string whose opening quote is at `position`.
    mutating func parseString() throws(SyntaxError) {
        let start = position + 1
        position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                append(.string, at: start - 1, extent: position - start)
                position += 1
                return
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            try skipCharacter(byte)
        }
        throw unterminated(start)
    }

    /// Goes on with a string at its first escape, decoding what stands before it and after it.
    private mutating func parseEscapedString(from start: Int) throws(SyntaxError) {
        let text = decoded.count
        decoded.append(contentsOf: [0, 0, 0, 0])
        var run = start
        var hasNUL = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                decoded.append(contentsOf: bytes[run..<position])
                position += 1
                decoded.withUnsafeMutableBytes {
                    $0.storeBytes(of: UInt32($0.count - text - 4), toByteOffset: text, as: UInt32.self)
                }
                append(hasNUL ? .decodedStringWithNUL : .decodedString, at: start - 1, extent: text)
                return
            }
            if byte == UInt8(ascii: "\\") {
                decoded.append(contentsOf: bytes[run..<position])
                let scalar = try parseEscape()
                decoded.append(contentsOf: UTF8.encode(scalar)!)
                if scalar.value == 0 { hasNUL = true }
                run = position
            } else {
                try skipCharacter(byte)
            }
        }
        throw unterminated(start)
    }

    private func unterminated(_ start: Int) -> SyntaxError {
        SyntaxError(message: "the string that begins here does not end", offset: start - 1)
    }

    @inline(__always)
    private mutating func skipCharacter(_ byte: UInt8) throws(SyntaxError) {
        if byte >= 0x80 {
            try skipMultibyte(byte)
        } else if byte < 0x20 {
            throw error("byte 0x\(hexadecimal(byte)) in a string must be written as an escape")
        } else {
            position += 1
        }
    }

    /// Passes one character of two to four bytes (RFC 3629, section 4: neither overlong forms, nor
    /// surrogates, nor anything beyond U+10FFFF).
    private mutating func skipMultibyte(_ first: UInt8) throws(SyntaxError) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { second = 0xA0...0xBF }
            if first == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { second = 0x90...0xBF }
            if first == 0xF4 { second = 0x80...0x8F }
        default: throw error("byte 0x\(hexadecimal(first)) is not UTF-8")
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]),
            bytes[position + 2..<position + length].allSatisfy({ $0 & 0xC0 == 0x80 })
        else { throw error("the bytes from 0x\(hexadecimal(first)) on are not UTF-8") }
        position += length
    }

    /// Passes an escape that begins at `position`, with its second half when it is half of a surrogate pair.
    private mutating func parseEscape() throws(SyntaxError) -> Unicode.Scalar {
        let start = position
        let letter = position + 1 < bytes.count ? bytes[position + 1] : 0
        if letter == UInt8(ascii: "u") { return try parseUnicodeEscape() }
        guard let scalar = simpleEscape(letter) else {
            throw SyntaxError(message: "unknown escape in a string", offset: start)
        }
        position += 2
        return scalar
    }

    private func simpleEscape(_ letter: UInt8) -> Unicode.Scalar? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): Unicode.Scalar(letter)
        case UInt8(ascii: "b"): "\u{8}"
        case UInt8(ascii: "f"): "\u{C}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        default: nil
        }
    }

    private mutating func parseUnicodeEscape() throws(SyntaxError) -> Unicode.Scalar {
        let start = position
        let first = try parseFourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let pairs =
            first < 0xDC00 && position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
            && bytes[position + 1] == UInt8(ascii: "u")
        if pairs {
            let second = try parseFourDigits()
            if 0xDC00...0xDFFF ~= second {
                return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))!
            }
        }
        throw SyntaxError(message: "a surrogate escape without its other half", offset: start)
    }

    /// Passes `\uXXXX`.
    private mutating func parseFourDigits() throws(SyntaxError) -> UInt32 {
        let start = position
        position += 2
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = hexadecimalDigit(bytes[position]) else {
                throw SyntaxError(message: "\\u needs four hexadecimal digits", offset: start)
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    private func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
