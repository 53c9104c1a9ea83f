internal import Diagnostics

/// What is wrong with a command line, as sentences.
enum UsageError {
    static func unknownCommand(_ name: String) -> Failure {
        Failure(.usage, "unknown command \"\(name)\"" + hint(name, among: CommandTable.all.map { $0.name }))
    }

    /// Runc's sentences for a wrong number of arguments, with the arguments' names.
    static func wrongCount(_ command: Command) -> Failure {
        let (least, most) = (command.count.lowerBound, command.count.upperBound)
        let bound =
            least == most
            ? "exactly \(least)" : most == .max ? "a minimum of \(least)" : "\(least) to \(most)"
        let names = command.arguments.isEmpty ? "" : ": \(command.arguments)"
        return Failure(.usage, "\"\(command.name)\" requires \(bound) argument(s)\(names)")
    }

    /// `exec` with nothing to run.
    static let noProgram = Failure(
        .usage, "\"exec\" requires a COMMAND behind the ID, or --process FILE")

    /// What follows the error on stderr: how it would be right.
    static func advice(for command: Command?) -> String {
        guard let command else {
            return "Incorrect Usage. See `gantry help`.\n"
        }
        return "Incorrect Usage. It is: \(Help.usage(of: command)). See `gantry help \(command.name)`.\n"
    }

    static func hint(_ word: String, among candidates: [String]) -> String {
        NearMatch.of(word, among: candidates).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}
