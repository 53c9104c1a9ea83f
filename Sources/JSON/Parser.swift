/// What is wrong with a text, and at which byte.
struct SyntaxError: Error {
    let message: String
    let offset: Int
}

/// Turns a text into a tape in one pass. The strings' half is in `Parser+String.swift`.
struct Parser {
    /// Indexed only below `bytes.count`: release builds do not check.
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    /// What becomes the tape's `decoded`.
    var decoded: [UInt8] = []
    private let tokens: UnsafeMutableBufferPointer<Tape.Token>
    private(set) var tokenCount = 0

    /// Tokens that a text can have at most: each but the last takes a byte and one more to separate or close
    /// it.
    static func capacity(for bytes: Int) -> Int { bytes / 2 + JSONDocument.maximumDepth + 1 }

    /// - Parameter tokens: room for `capacity(for:)`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, tokens: UnsafeMutableBufferPointer<Tape.Token>) {
        self.bytes = bytes
        self.tokens = tokens
    }

    mutating func parseDocument() throws(SyntaxError) {
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
                guard current == UInt8(ascii: "\"") else {
                    throw unexpected("a property name in double quotes")
                }
                try parseString()
                skipWhitespace()
                guard current == UInt8(ascii: ":") else { throw unexpected("':' after the property name") }
                position += 1
                skipWhitespace()
                try parseValue(depth: depth + 1)
                names += 1
            } while try another(before: UInt8(ascii: "}"), "',' or '}'")
        }
        if let name = withTape({ $0.duplicateName(in: token, names: names) }) {
            let path = withTape { $0.path(to: name) }
            throw SyntaxError(message: "duplicate property \(path)", offset: Int(tokens[name].position))
        }
        close(token)
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
        close(token)
    }

    /// Begins a container and stops before the first byte that is not white space in it.
    private mutating func open(_ kind: Tape.Token.Kind, depth: Int) throws(SyntaxError) -> Int {
        guard depth < JSONDocument.maximumDepth else {
            throw error("nested deeper than \(JSONDocument.maximumDepth) levels")
        }
        append(kind, at: position)
        position += 1
        skipWhitespace()
        return tokenCount - 1
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
        append(kind, at: position)
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
        append(.number, at: start, extent: position - start)
    }

    /// What has been read until now. `decoded` must not change while it is in use.
    private func withTape<Result>(_ body: (Tape) -> Result) -> Result {
        decoded.withUnsafeBufferPointer {
            body(
                Tape(bytes: bytes, decoded: $0, tokens: UnsafeBufferPointer(rebasing: tokens[..<tokenCount])))
        }
    }

    mutating func append(_ kind: Tape.Token.Kind, at position: Int, extent: Int = 0) {
        precondition(tokenCount < tokens.count)
        tokens[tokenCount] = Tape.Token(kind, at: position, extent: extent)
        tokenCount += 1
    }

    private func close(_ token: Int) {
        tokens[token] = Tape.Token(tokens[token].kind, at: Int(tokens[token].position), extent: tokenCount)
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
        guard position < bytes.count else {
            return error("expected \(expected), found the end of the document")
        }
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
