internal import Diagnostics

/// One command: a row of `CommandTable`.
struct Command: Sendable {
    typealias Action = @Sendable (Invocation) throws(Failure) -> CInt

    let name: String
    /// One line for the overview, without a full stop.
    let summary: String
    /// Placeholders of the positional arguments, for usage lines.
    var arguments = ""
    /// How many positional arguments there may be.
    var count = 0...0
    /// Whether the command's flags end at the first argument: what follows it is somebody else's command line.
    var order = Parser.Order.mixed
    var flags: [Flag] = []
    /// What the command does, for somebody who has never used it. Lines fit 80 columns.
    var details = ""
    /// Command lines without the leading `gantry`, each with what it does.
    var examples: [(line: String, meaning: String)] = []
    /// What the exit status says, besides the two that all commands share.
    var exitCodes: [(code: String, meaning: String)] = []
    /// Exit status when gantry itself fails.
    var failureCode: CInt = 1
    /// Nil: the word is known, but this build cannot do it.
    var action: Action?

    /// The row of a command that this build does not have.
    static func pending(_ name: String, _ summary: String, failureCode: CInt = 1) -> Command {
        Command(name: name, summary: summary, failureCode: failureCode)
    }
}

/// A parsed command line, as an action gets it.
struct Invocation: Sendable {
    let command: Command
    let globals: FlagValues
    let flags: FlagValues
    let positionals: [String]
    let log: Log
}

/// The values that flags were given. Of a flag given twice the last counts.
struct FlagValues: Sendable {
    private var given: [(name: String, value: String)] = []

    mutating func append(_ flag: Flag, _ value: String) {
        given.append((flag.name, value))
    }

    /// The flag's value, or nil when it was not given.
    subscript(_ flag: Flag) -> String? {
        given.last { $0.name.utf8.elementsEqual(flag.name.utf8) }?.value
    }

    /// Every value of a flag that may be given several times.
    func all(_ flag: Flag) -> [String] {
        given.filter { $0.name.utf8.elementsEqual(flag.name.utf8) }.map { $0.value }
    }

    /// Whether a toggle is on.
    func has(_ flag: Flag) -> Bool {
        self[flag]?.utf8.elementsEqual("true".utf8) ?? false
    }

    /// The value of a count, or 0 when it was not given; the parser has checked it.
    func count(_ flag: Flag) -> Int {
        self[flag].flatMap { Int($0) } ?? 0
    }
}
