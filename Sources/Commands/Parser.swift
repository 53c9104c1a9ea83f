internal import Diagnostics

/// Reads flags and positional arguments as runc does: `--flag value`, `--flag=value`, one dash or two, `--` ends
/// the flags. Its sentences are runc's too, since engines probe for them ("flag needs an argument").
struct Parser {
    /// Whether a flag may follow a positional argument (`delete ID --force`).
    enum Order: Sendable {
        /// Stop at the first positional: what follows belongs to somebody else.
        case flagsFirst
        case mixed
    }

    private let words: [String]
    private let flags: [Flag]
    private var next: Int
    private(set) var values = FlagValues()
    private(set) var positionals: [String] = []

    /// - Parameter start: index of the first word to read.
    init(_ words: [String], from start: Int, flags: [Flag]) {
        self.words = words
        self.flags = flags
        self.next = start
    }

    /// Reads all words, or with `.flagsFirst` those before the first positional, whose index is returned.
    mutating func parse(_ order: Order) throws(Failure) -> Int {
        while next < words.count {
            let word = words[next]
            guard Parser.looksLikeFlag(word) else {
                if case .flagsFirst = order { return next }
                positionals.append(word)
                next += 1
                continue
            }
            next += 1
            if word.utf8.elementsEqual("--".utf8) {
                if case .flagsFirst = order { return next }
                positionals.append(contentsOf: words[next...])
                next = words.count
            } else {
                try parseFlag(word)
            }
        }
        return next
    }

    /// A lone dash is a value (standard input), not a flag.
    private static func looksLikeFlag(_ word: String) -> Bool {
        word.utf8.count > 1 && word.utf8.first == UInt8(ascii: "-")
    }

    private mutating func parseFlag(_ word: String) throws(Failure) {
        var text = word.utf8.dropFirst()
        if text.first == UInt8(ascii: "-") { text = text.dropFirst() }
        let equals = text.firstIndex(of: UInt8(ascii: "="))
        let name = String(text[..<(equals ?? text.endIndex)])!
        let inline = equals.map { String(text[text.index(after: $0)...])! }
        if name.isEmpty || text.first == UInt8(ascii: "-") {
            throw Failure(.usage, "bad flag syntax: \(word)")
        }
        guard let flag = flags.first(where: { $0.isNamed(name) }) else {
            throw Failure(.usage, "flag provided but not defined: -\(name)")
        }
        values.append(flag, try value(of: flag, named: name, inline: inline))
    }

    private mutating func value(
        of flag: Flag, named name: String, inline: String?
    ) throws(Failure) -> String {
        if case .toggle = flag.kind {
            guard let inline else { return "true" }
            guard let state = Parser.truth(inline) else {
                throw Failure(.usage, "invalid boolean value \"\(inline)\" for -\(name): parse error")
            }
            return state ? "true" : "false"
        }
        if let inline {
            try Parser.check(inline, for: flag, named: name)
            return inline
        }
        guard next < words.count else {
            throw Failure(.usage, "flag needs an argument: -\(name)")
        }
        let value = words[next]
        next += 1
        try Parser.check(value, for: flag, named: name)
        return value
    }

    private static func check(_ value: String, for flag: Flag, named name: String) throws(Failure) {
        switch flag.kind {
        case .toggle, .text:
            return
        case .count:
            let digits = value.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            if digits, Int32(value) != nil { return }
            throw Failure(.usage, "invalid value \"\(value)\" for flag -\(name): parse error")
        case .choice(let words):
            if words.contains(where: { $0.utf8.elementsEqual(value.utf8) }) { return }
            let list = words.dropLast().joined(separator: ", ") + " or " + words.last!
            throw Failure(.usage, "invalid value \"\(value)\" for flag -\(name): must be \(list)")
        }
    }

    /// The spellings of Go's strconv.ParseBool, since engines written in Go print them.
    private static func truth(_ word: String) -> Bool? {
        switch word {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: return nil
        }
    }
}

extension Flag {
    /// Whether a word of the command line, without its dashes, names this flag.
    func isNamed(_ word: String) -> Bool {
        word.utf8.elementsEqual(name.utf8) || short?.utf8.elementsEqual(word.utf8) ?? false
    }
}
