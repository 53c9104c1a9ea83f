/// A document's values in order, each container before what is in it; in an object, each property name before its
/// value.
struct Tape {
    /// The text as it was given.
    let bytes: [UInt8]
    /// Text of the strings that have escapes, decoded.
    var decoded: [UInt8] = []
    var tokens: [Token] = []

    struct Token {
        enum Kind: UInt8 {
            case null, `false`, `true`, number, array, object
            /// The text stands in `bytes` as it is.
            case string
            /// The text stands in `decoded`.
            case decodedString
            /// The same, and it contains U+0000, which only an escape can give.
            case decodedStringWithNUL
        }

        /// Where the value begins in `bytes`, for errors.
        var position: UInt32
        /// Strings and numbers: where their text begins.
        var start: UInt32 = 0
        /// Strings and numbers: bytes of text. Containers: index of the first token after them, 0 while they are
        /// open.
        var extent: UInt32 = 0
        var kind: Kind
    }

    /// Index of the first token after the value at `index`.
    func end(of index: Int) -> Int {
        let token = tokens[index]
        guard token.kind == .array || token.kind == .object else { return index + 1 }
        return token.extent == 0 ? tokens.count : Int(token.extent)
    }

    /// The bytes of the string or number at `index`.
    func text(_ index: Int) -> ArraySlice<UInt8> {
        let token = tokens[index]
        let range = Int(token.start)..<Int(token.start) + Int(token.extent)
        return isDecoded(token.kind) ? decoded[range] : bytes[range]
    }

    private func isDecoded(_ kind: Token.Kind) -> Bool {
        kind.rawValue >= Token.Kind.decodedString.rawValue
    }

    /// Whether the string at `index` has exactly these bytes.
    func isText(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let token = tokens[index]
        guard Int(token.extent) == text.count else { return false }
        let start = Int(token.start)
        let base = isDecoded(token.kind) ? decoded : bytes
        for offset in 0..<text.count where base[start + offset] != text[offset] { return false }
        return true
    }
}

extension Tape {
    /// Where the value (or the property name) at `target` is in the document: `mounts[3].options[1]`; empty for the
    /// root. Computed for errors only.
    func path(to target: Int) -> String {
        var path = ""
        var container = 0
        while container != target {
            let isObject = tokens[container].kind == .object
            var child = container + 1
            var number = 0
            while true {
                let value = isObject ? child + 1 : child
                let end = end(of: value)
                if target < end || end >= tokens.count {
                    path += isObject ? Self.step(text(child), first: path.isEmpty) : "[\(number)]"
                    if child == target { return path }
                    container = value
                    break
                }
                child = end
                number += 1
            }
        }
        return path
    }

    /// `.name`, or `["na.me"]` where a name would be mistaken for a path.
    private static func step(_ name: ArraySlice<UInt8>, first: Bool) -> String {
        let text = String(decoding: name, as: UTF8.self)
        let plain = !name.isEmpty && name.allSatisfy { byte in
            byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
        }
        if plain { return first ? text : "." + text }
        var writer = JSONWriter(.compact)
        writer.value(text)
        return "[" + writer.text + "]"
    }
}
