import Foundation

/// The small program that starts what is measured (scripts/bench.d/launch.c).
final class Launcher {
    struct Outcome {
        let milliseconds: Double
        /// Largest resident set of any process in the tree that was waited for, KiB.
        let peak: Int
        /// Exit status, 128 + signal, or -1 when it took longer than allowed.
        let status: Int
    }

    private let process = Process()
    private let requests: FileHandle
    private let answers: FileHandle
    private let log: String
    private var rest = Data()

    init(program: String, log: String) throws {
        self.log = log
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [log]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        requests = input.fileHandleForWriting
        answers = output.fileHandleForReading
    }

    deinit {
        try? requests.close()
        process.waitUntilExit()
    }

    /// Runs a command to its end, at most `seconds`.
    func run(_ command: [String], seconds: Double = 10, onTerminal: Bool = false) throws -> Outcome {
        try ask([onTerminal ? "tty" : "run", String(Int(seconds * 1000))] + command)
    }

    /// Runs a command that must succeed.
    func succeed(_ command: [String], onTerminal: Bool = false) throws -> Outcome {
        let outcome = try run(command, onTerminal: onTerminal)
        if outcome.status != 0 {
            let said = output().trimmingCharacters(in: .whitespacesAndNewlines)
            throw BenchError("\(command.joined(separator: " ")): status \(outcome.status): \(said)")
        }
        return outcome
    }

    /// Waits for a process that a command left behind.
    func reap(_ pid: Int, seconds: Double = 10) throws {
        let outcome = try ask(["reap", String(Int(seconds * 1000)), String(pid)])
        if outcome.status == -1 {
            throw BenchError("container process \(pid) did not end, or is no orphan of ours")
        }
    }

    /// What the last command printed.
    func output() -> String {
        (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    }

    private func ask(_ fields: [String]) throws -> Outcome {
        try requests.write(contentsOf: Data((fields.joined(separator: "\u{1f}") + "\n").utf8))
        while !rest.contains(10) {
            let data = answers.availableData
            if data.isEmpty { throw BenchError("the launcher died") }
            rest.append(data)
        }
        let end = rest.firstIndex(of: 10)!
        let parts = String(decoding: rest[rest.startIndex..<end], as: UTF8.self).split(separator: " ")
        rest = Data(rest[(end + 1)...])
        guard parts.count == 3, let time = Double(parts[0]), let peak = Int(parts[1]),
            let status = Int(parts[2])
        else {
            throw BenchError("the launcher answered nonsense")
        }
        return Outcome(milliseconds: time / 1e6, peak: peak, status: status)
    }
}
