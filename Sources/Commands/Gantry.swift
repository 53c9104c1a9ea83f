internal import Diagnostics

/// The program: from the words of the command line to an exit status.
public enum Gantry {
    /// Exit status of an unknown command, as runc's.
    static let unknownCommandCode: CInt = 3
    /// Exit status of a wrong command line, as runc's.
    private static let usageCode: CInt = 1

    /// Runs one command.
    ///
    /// - Parameters: as C's `main` gets them.
    /// - Returns: the exit status.
    public static func main(
        _ count: CInt, _ arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>
    ) -> CInt {
        StandardStreams.ensureOpen()
        var words: [String] = []
        words.reserveCapacity(Int(count))
        for index in 1..<max(1, Int(count)) {
            // Paths need not be UTF-8; one that is not must not be changed into another path silently.
            guard let argument = arguments[index], let word = String(validatingCString: argument) else {
                Log().error("argument \(index) of the command line is not valid UTF-8")
                return usageCode
            }
            words.append(word)
        }
        return run(words)
    }

    /// Runs the command line `words`, the program's name left out.
    static func run(_ words: [String]) -> CInt {
        var parser = Parser(words, from: 0, flags: Flags.globals)
        let index: Int
        let log: Log
        do throws(Failure) {
            index = try parser.parse(.flagsFirst)
            log = try Log(parser.values)
        } catch {
            return refuse(error, for: nil, log: Log())
        }
        do throws(Failure) {
            if let code = try answerWithoutCommand(parser.values, hasCommand: index < words.count) {
                return code
            }
        } catch {
            return fail(error, log: log, code: 1)
        }
        guard let command = CommandTable.command(named: words[index]) else {
            _ = refuse(UsageError.unknownCommand(words[index]), for: nil, log: log)
            return unknownCommandCode
        }
        log.debug("gantry \(Version.number): \(words.joined(separator: " "))")
        let code = run(command, Array(words[(index + 1)...]), globals: parser.values, log: log)
        log.debug("gantry exits with \(code)")
        return code
    }

    private static func answerWithoutCommand(
        _ globals: FlagValues, hasCommand: Bool
    ) throws(Failure) -> CInt? {
        if globals.has(Flags.version) {
            try Output.standard(Version.text)
        } else if globals.has(Flags.help) || !hasCommand {
            try Output.standard(Help.overview())
        } else {
            return nil
        }
        return 0
    }

    private static func run(_ command: Command, _ words: [String], globals: FlagValues, log: Log) -> CInt {
        // Not even `--help` succeeds: engines take `checkpoint --help` for the question whether it is supported.
        guard let action = command.action else {
            return fail(
                Failure(.unsupported, "not supported yet", at: command.name), log: log,
                code: command.failureCode)
        }
        let invocation: Invocation
        do throws(Failure) {
            invocation = try parse(command, words, globals: globals, log: log)
        } catch {
            return refuse(error, for: command, log: log)
        }
        do throws(Failure) {
            guard invocation.flags.has(Flags.help) else { return try action(invocation) }
            try Output.standard(Help.text(of: command))
            return 0
        } catch {
            return fail(error, log: log, code: command.failureCode)
        }
    }

    private static func parse(
        _ command: Command, _ words: [String], globals: FlagValues, log: Log
    ) throws(Failure) -> Invocation {
        var parser = Parser(words, from: 0, flags: command.flags + [Flags.help])
        let next = try parser.parse(command.order)
        let positionals = parser.positionals + words[next...]
        guard parser.values.has(Flags.help) || command.count.contains(positionals.count) else {
            throw UsageError.wrongCount(command)
        }
        return Invocation(
            command: command, globals: globals, flags: parser.values, positionals: positionals, log: log)
    }

    private static func fail(_ failure: Failure, log: Log, code: CInt) -> CInt {
        log.error(failure.description)
        return code
    }

    private static func refuse(_ failure: Failure, for command: Command?, log: Log) -> CInt {
        log.error(failure.description)
        if failure.kind == .usage, log.speaksToPeople { Output.error(UsageError.advice(for: command)) }
        return usageCode
    }
}
