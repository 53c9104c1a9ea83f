import Foundation
import Testing

/// A run of gantry that is killed at a chosen moment, by Tests/Programs/killpoint.c: from outside, there is
/// no way into gantry for it.
struct KillPoint: CustomStringConvertible {
    /// Which process dies.
    enum Victim: Int { case gantry, stage1, stage2 }

    /// When it dies.
    enum Moment: CustomStringConvertible {
        case never
        /// On entering its N-th system call.
        case call(Int)
        /// After the K-th system call of this name, of those that killpoint.c knows.
        case after(String, nth: Int)
        /// So many microseconds after gantry's start.
        case time(Int)

        var description: String {
            switch self {
            case .never: "0"
            case .call(let count): "\(count)"
            case .after(let name, let nth): "\(name):\(nth)"
            case .time(let microseconds): "+\(microseconds)"
            }
        }
    }

    let outcome: Outcome
    let victim: Victim
    let moment: Moment
    /// The victim's system calls up to its end: a name, or a number where killpoint.c knows no name.
    let calls: [String]
    /// The system call at which it was killed.
    let killedAt: String?
    /// Processes that gantry left.
    let left: [Host.Process]

    var description: String {
        "\(victim) killed at \(moment) (system call \(killedAt ?? "-")): \(outcome)"
    }

    /// Compiled once: the tests run side by side.
    private static let program = Result { try Programs.compile("killpoint") }

    /// Runs gantry with these words.
    static func run(_ victim: Victim, _ moment: Moment, _ words: [String]) async throws -> KillPoint {
        let scratch = try TemporaryDirectory("killpoint")
        defer { scratch.remove() }
        let report = scratch.path + "/report"
        let outcome = try await Command.run(
            try program.get(), ["\(victim.rawValue)", "\(moment)", report, Machine.gantry] + words)
        try #require(outcome.code != 99 && outcome.code != 98, "\(outcome)")

        var calls: [String] = []
        var killedAt: String?
        var left: [Host.Process] = []
        for line in try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "trace": calls = words.dropFirst().map(String.init)
            case "killed": killedAt = String(words[1])
            case "left": left.append(Host.Process(pid: pid_t(words[1])!, start: UInt64(words[2])!))
            default: break
            }
        }
        return KillPoint(
            outcome: outcome, victim: victim, moment: moment, calls: calls, killedAt: killedAt, left: left)
    }
}
