public import Diagnostics

/// A JSON text (RFC 8259), checked as a whole and ready to be read through `root`.
///
/// Stricter than the RFC asks: a property name that appears twice in one object is an error, and so is a byte
/// order mark. U+0000 in a string is accepted here; see `JSONValue.containsNUL`.
public final class JSONDocument: @unchecked Sendable {
    // Unchecked: nothing is written once `init` has returned.

    /// Containers inside containers, at most.
    public static let maximumDepth = 512

    /// Bytes of a document, less one, at most.
    public static let maximumSize = 1 << Tape.Token.extentBits

    /// What errors call the document, for example `config.json`.
    public let name: String
    /// Its buffer stays where it is while nobody changes it, and so does that of `decoded`; `tape` points
    /// into both.
    private let bytes: [UInt8]
    private let decoded: [UInt8]
    private let tokens: UnsafeMutableBufferPointer<Tape.Token>
    let tape: Tape

    /// Reads a whole document.
    ///
    /// - Parameters:
    ///   - bytes: the file as it is; UTF-8.
    ///   - name: what errors call the document.
    /// - Throws: `invalid`, with line and column, counted from 1; columns count characters.
    public init(_ bytes: [UInt8], name: String) throws(Failure) {
        guard bytes.count < Self.maximumSize else {
            throw Failure(.invalid, "must be smaller than \(Self.maximumSize >> 20) MiB", at: name)
        }
        let text = bytes.withUnsafeBufferPointer { $0 }
        let tokens = UnsafeMutableBufferPointer<Tape.Token>.allocate(
            capacity: Parser.capacity(for: bytes.count))
        var parser = Parser(text, tokens: tokens)
        do {
            try parser.parseDocument()
        } catch {
            tokens.deallocate()
            let (line, column) = Self.position(of: error.offset, in: bytes)
            throw Failure(.invalid, error.message, at: "\(name): line \(line), column \(column)")
        }
        self.name = name
        self.bytes = bytes
        self.tokens = tokens
        decoded = parser.decoded
        tape = Tape(
            bytes: text, decoded: decoded.withUnsafeBufferPointer { $0 },
            tokens: UnsafeBufferPointer(rebasing: tokens[..<parser.tokenCount]))
    }

    deinit {
        tokens.deallocate()
    }

    /// The document's one value.
    public var root: JSONValue { JSONValue(document: self, index: 0) }

    private static func position(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in bytes[..<min(offset, bytes.count)] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }
}
