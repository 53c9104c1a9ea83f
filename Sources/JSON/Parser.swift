/// What is wrong with a text, and at which byte.
struct SyntaxError: Error {
    let message: String
    let offset: Int
}

/// Turns a text into a tape in one pass. The strings' half is in `Parser+String.swift`.
struct Parser {
    let bytes: [UInt8]
    var position = 0
    var tape: Tape

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        tape = Tape(bytes: bytes)
        // A container's configuration has a value or a name every ten bytes.
        tape.tokens.reserveCapacity(bytes.count / 8 + 1)
    }

    mutating func parseDocument() throws(SyntaxError) {
        guard bytes.count < Int(Int32.max) else { throw error("the document is larger than 2 GiB") }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error("a byte order mark stands before the document")
        }
        skipWhitespace()
        try parseValue(depth: 0)
        skipWhitespace()
        if position < bytes.count { throw unexpected("the end of the document") }
    }

    private mutating func parseValue(depth: Int) throws(SyntaxError) {
        switch current {
        case UInt8(ascii: "\""): try parseString()
        case UInt8(ascii: "{"): try parseObject(depth: depth)
        case UInt8(ascii: "["): try parseArray(depth: depth)
        case UInt8(ascii: "t"): try parseLiteral("true", .true)
        case UInt8(ascii: "f"): try parseLiteral("false", .false)
        case UInt8(ascii: "n"): try parseLiteral("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try parseNumber()
        default: throw unexpected("a value")
        }
    }

    private mutating func parseObject(depth: Int) throws(SyntaxError) {
        let token = try open(.object, depth: depth)
        var names = 0
        if current == UInt8(ascii: "}") {
            position += 1
        } else {
            repeat {
                skipWhitespace()
                guard current == UInt8(ascii: "\"") else { throw unexpected("a property name in double quotes") }
                try parseString()
                skipWhitespace()
                guard current == UInt8(ascii: ":") else { throw unexpected("':' after the property name") }
                position += 1
                skipWhitespace()
                try parseValue(depth: depth + 1)
                names += 1
            } while try another(before: UInt8(ascii: "}"), "',' or '}'")
        }
        if let name = tape.duplicateName(in: token, names: names) {
            throw SyntaxError(
                message: "duplicate property \(tape.path(to: name))", offset: Int(tape.tokens[name].position))
        }
        tape.tokens[token].extent = UInt32(tape.tokens.count)
    }

    private mutating func parseArray(depth: Int) throws(SyntaxError) {
        let token = try open(.array, depth: depth)
        if current == UInt8(ascii: "]") {
            position += 1
        } else {
            repeat {
                skipWhitespace()
                try parseValue(depth: depth + 1)
            } while try another(before: UInt8(ascii: "]"), "',' or ']'")
        }
        tape.tokens[token].extent = UInt32(tape.tokens.count)
    }

    /// Begins a container and stops before the first byte that is not white space in it.
    private mutating func open(_ kind: Tape.Token.Kind, depth: Int) throws(SyntaxError) -> Int {
        guard depth < JSONDocument.maximumDepth else {
            throw error("nested deeper than \(JSONDocument.maximumDepth) levels")
        }
        tape.tokens.append(Tape.Token(position: UInt32(position), kind: kind))
        position += 1
        skipWhitespace()
        return tape.tokens.count - 1
    }

    /// Passes what stands after a member of a container: whether another one follows.
    private mutating func another(before close: UInt8, _ expected: StaticString) throws(SyntaxError) -> Bool {
        skipWhitespace()
        let byte = current
        guard byte == UInt8(ascii: ",") || byte == close else { throw unexpected(expected) }
        position += 1
        return byte != close
    }

    private mutating func parseLiteral(_ text: StaticString, _ kind: Tape.Token.Kind) throws(SyntaxError) {
        let count = text.utf8CodeUnitCount
        let matches = text.withUTF8Buffer { literal in
            bytes[position...].prefix(count).elementsEqual(literal)
        }
        guard matches else { throw error("expected a value; did you mean \(text)?") }
        tape.tokens.append(Tape.Token(position: UInt32(position), kind: kind))
        position += count
    }

    private mutating func parseNumber() throws(SyntaxError) {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
            if isDigit(current) { throw error("a number must not begin with 0") }
        } else {
            try skipDigits()
        }
        if current == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        append(.number, from: start, text: start..<position)
    }

    /// Appends a string or number; `text` is a range of `tape.bytes` or, for decoded strings, of `tape.decoded`.
    mutating func append(_ kind: Tape.Token.Kind, from position: Int, text: Range<Int>) {
        tape.tokens.append(
            Tape.Token(
                position: UInt32(position), start: UInt32(text.lowerBound), extent: UInt32(text.count), kind: kind))
    }

    private mutating func skipDigits() throws(SyntaxError) {
        guard isDigit(current) else { throw unexpected("a digit") }
        while isDigit(current) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// The byte to look at next; 0, which no JSON text contains, at the end.
    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    func error(_ message: String) -> SyntaxError { SyntaxError(message: message, offset: position) }

    private func unexpected(_ expected: StaticString) -> SyntaxError {
        guard position < bytes.count else { return error("expected \(expected), found the end of the document") }
        let byte = bytes[position]
        if byte > 0x20, byte < 0x7F {
            return error("expected \(expected), found '\(Unicode.Scalar(byte))'")
        }
        return error("expected \(expected), found byte 0x\(hexadecimal(byte))")
    }
}

/// Two digits.
func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}
