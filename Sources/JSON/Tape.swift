/// A document's values in order, each container before what is in it; in an object, each property name before
/// its value.
///
/// A view: whoever makes one keeps the three buffers alive. It is read some thousand times for a
/// configuration, and counting references took half of that time.
struct Tape {
    /// The text as it was given.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Text of the strings that have escapes, decoded, each after its length in four bytes.
    let decoded: UnsafeBufferPointer<UInt8>
    let tokens: UnsafeBufferPointer<Token>

    /// Eight bytes: what a token costs at a start is the page faults of fresh memory.
    struct Token {
        enum Kind: UInt32 {
            case null, `false`, `true`, number, array, object
            /// The text stands in `bytes` as it is.
            case string
            /// The text stands in `decoded`.
            case decodedString
            /// The same, and it contains U+0000, which only an escape can give.
            case decodedStringWithNUL
        }

        /// Where the value begins in `bytes`.
        let position: UInt32
        private let kindAndExtent: UInt32

        /// Bits that remain for `extent`, and therefore for the size of a document.
        static let extentBits = 28

        init(_ kind: Kind, at position: Int, extent: Int) {
            self.position = UInt32(position)
            kindAndExtent = kind.rawValue << UInt32(Self.extentBits) | UInt32(extent)
        }

        var kind: Kind { Kind(rawValue: kindAndExtent >> UInt32(Self.extentBits))! }

        /// Numbers and strings in `bytes`: bytes of text. Decoded strings: where they are in `decoded`.
        /// Containers: index of the first token after them, 0 while they are open.
        var extent: Int { Int(kindAndExtent & (1 << UInt32(Self.extentBits) - 1)) }
    }

    /// Index of the first token after the value at `index`.
    func end(of index: Int) -> Int {
        let token = tokens[index]
        guard token.kind == .array || token.kind == .object else { return index + 1 }
        return token.extent == 0 ? tokens.count : token.extent
    }

    /// The bytes of the string or number at `index`.
    func text(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let token = tokens[index]
        var start = Int(token.position)
        switch token.kind {
        case .string:
            start += 1  // the quote
        case .decodedString, .decodedStringWithNUL:
            let length = UnsafeRawBufferPointer(decoded).loadUnaligned(
                fromByteOffset: token.extent, as: UInt32.self)
            start = token.extent + 4
            return UnsafeBufferPointer(rebasing: decoded[start..<start + Int(length)])
        default: break
        }
        return UnsafeBufferPointer(rebasing: bytes[start..<start + token.extent])
    }

    /// Whether the string at `index` has exactly these bytes.
    func isText(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let own = self.text(index)
        guard own.count == text.count else { return false }
        for offset in 0..<text.count where own[offset] != text[offset] { return false }
        return true
    }
}

extension Tape {
    /// Where the value (or the property name) at `target` is in the document: `mounts[3].options[1]`; empty
    /// for the root. Computed for errors only.
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
    private static func step(_ name: UnsafeBufferPointer<UInt8>, first: Bool) -> String {
        let text = String(decoding: name, as: UTF8.self)
        let plain =
            !name.isEmpty
            && name.allSatisfy { byte in
                byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
                    || byte == UInt8(ascii: "_")
            }
        if plain { return first ? text : "." + text }
        var writer = JSONWriter(.compact)
        writer.value(text)
        return "[" + writer.text + "]"
    }
}
