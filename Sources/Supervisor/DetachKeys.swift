public import Diagnostics

/// The keys that end `gantry attach` and leave the container as it is: bytes that are typed one after the other.
public struct DetachKeys: Equatable, Sendable {
    /// Ctrl-P Ctrl-Q, as of other tools.
    public static let standard = DetachKeys(bytes: [0x10, 0x11])

    let bytes: [UInt8]
    /// How many have been typed.
    private var matched = 0

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// `ctrl-p,ctrl-q`, `ctrl-\`, `a,b,c`; nothing for no keys at all.
    public init(_ text: String) throws(Failure) {
        var bytes: [UInt8] = []
        if !text.isEmpty {
            for key in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                guard let byte = DetachKeys.byte(key) else {
                    let shown = String(decoding: key, as: UTF8.self)
                    throw Failure(
                        .usage,
                        "invalid key \"\(shown)\": must be one ASCII character, or ctrl- and one of"
                            + " a-z @ [ \\ ] ^ _", at: "--detach-keys")
                }
                bytes.append(byte)
            }
        }
        self.init(bytes: bytes)
    }

    private static func byte(_ key: Substring.UTF8View) -> UInt8? {
        if key.count == 1, let byte = key.first { return byte < 0x80 ? byte : nil }
        guard key.count == 6, key.starts(with: "ctrl-".utf8), let letter = key.last else { return nil }
        switch letter {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return letter - UInt8(ascii: "a") + 1
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return letter - UInt8(ascii: "A") + 1
        case UInt8(ascii: "@"): return 0
        case UInt8(ascii: "[")...UInt8(ascii: "_"): return letter - UInt8(ascii: "@")
        default: return nil
        }
    }

    /// Takes what was typed. Keys that may become the sequence are held back until it is clear that they do not, however
    /// the bytes come.
    ///
    /// - Returns: what is to be passed on, and whether the sequence is complete; what follows it is dropped.
    public mutating func filter(_ typed: ArraySlice<UInt8>) -> (passed: [UInt8], isComplete: Bool) {
        guard !bytes.isEmpty else { return (Array(typed), false) }
        var passed: [UInt8] = []
        for byte in typed {
            // The longest beginning of the sequence that what has been typed ends with, as in a search for a word.
            while matched > 0, byte != bytes[matched] {
                let shorter = DetachKeys.border(bytes[..<matched])
                passed.append(contentsOf: bytes[..<(matched - shorter)])
                matched = shorter
            }
            guard byte == bytes[matched] else {
                passed.append(byte)
                continue
            }
            matched += 1
            if matched == bytes.count {
                matched = 0
                return (passed, true)
            }
        }
        return (passed, false)
    }

    /// What is held back, when nothing more can come.
    public mutating func flush() -> [UInt8] {
        defer { matched = 0 }
        return Array(bytes[..<matched])
    }

    /// Length of the longest beginning that is also an end, other than the whole.
    private static func border(_ word: ArraySlice<UInt8>) -> Int {
        var length = word.count - 1
        while length > 0, !word.prefix(length).elementsEqual(word.suffix(length)) { length -= 1 }
        return max(length, 0)
    }
}
