import Foundation

/// One case on one ride: the commands that it gives to the engine, and a record of what came back.
final class Session {
    struct Mismatch: Error, CustomStringConvertible {
        let description: String
    }

    let ride: Ride
    /// A container name of this case's own.
    let name: String
    private(set) var record: [String] = []
    /// Which of the records are of containers that Podman was attached to and that printed nothing at all.
    private(set) var silent: Set<Int> = []

    var image: String { ride.image }
    var engine: Engine { ride.engine }

    init(_ ride: Ride, name: String) {
        self.ride = ride
        self.name = name
    }

    /// Runs a command of the engine's client and records what came of it.
    ///
    /// - Parameter compared: false for output that differs from run to run.
    @discardableResult func callAsFunction(
        _ words: String..., stdin: String? = nil, compared: Bool = true, seconds: Double = 60
    ) async throws -> Answer {
        try await run(words, stdin: stdin, compared: compared, seconds: seconds)
    }

    @discardableResult func run(
        _ words: [String], stdin: String? = nil, compared: Bool = true, seconds: Double = 60
    ) async throws -> Answer {
        let outcome = try await ride.world.run(ride.command(words), stdin: stdin, seconds: seconds)
        let answer = Answer(outcome: outcome)
        if engine == .podman, Session.isAttached(words), (outcome.stdout + outcome.stderr).isEmpty {
            silent.insert(record.count)
        }
        let output = compared ? neutral(outcome.stdout) : "(not compared)"
        record.append(
            """
            \(neutral(words.joined(separator: " ")))
            exit code \(outcome.code), errors: \(ErrorShape.of(outcome.stderr).joined(separator: ", "))
            \(output)
            """)
        return answer
    }

    private static func isAttached(_ words: [String]) -> Bool {
        words.first == "run" ? !words.contains("-d") : words.starts(with: ["start", "-a"])
    }

    /// A command of the engine's client on a terminal.
    func terminal(_ words: String...) throws -> Terminal {
        try Terminal(ride.world.entering(ride.command(words)))
    }

    /// A command in the world that is not the engine's.
    func host(_ words: String..., seconds: Double = 60) async throws -> Answer {
        Answer(outcome: try await ride.world.run(words, seconds: seconds))
    }

    /// Asks until the output holds the text.
    @discardableResult func until(
        _ text: String, _ words: String..., seconds: Double = 40
    ) async throws -> Answer {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            let outcome = try await ride.world.run(ride.command(words))
            if (outcome.stdout + outcome.stderr).contains(text) { return Answer(outcome: outcome) }
            guard Date() < deadline else { throw Mismatch(description: "waited for \(text): \(outcome)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        guard condition else { throw Mismatch(description: what()) }
    }

    /// What is the ride's own becomes the same for both. Docker prints the runtime's error where the output of an
    /// `exec` would be.
    private func neutral(_ text: String) -> String {
        if text.hasPrefix("OCI runtime") { return ErrorShape.of(text).joined(separator: ", ") }
        return text.replacing(name, with: "NAME").replacing(ride.world.directory, with: "WORLD")
            .replacing(/[0-9a-f]{64}/, with: "ID64").replacing(/\b[0-9a-f]{12}\b/, with: "ID12")
    }

    /// Removes what the case may have left.
    func clear() async {
        switch engine {
        case .docker, .podman:
            _ = try? await ride.world.run([engine.rawValue, "rm", "-f", "-v", name, name + "-2"])
        case .containerd:
            for id in [name, name + "-2"] {
                _ = try? await ride.world.run(["ctr", "task", "rm", "-f", id])
                _ = try? await ride.world.run(["ctr", "container", "rm", id])
            }
        case .buildah:
            _ = try? await ride.world.run(["buildah", "rm", name])
        }
    }
}

/// What a command answered, with expectations that throw.
struct Answer {
    let outcome: Outcome

    var text: String { outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines) }

    @discardableResult func exits(_ code: Int32) throws -> Answer {
        try check(outcome.code == code, "exit code \(code)")
    }

    @discardableResult func prints(_ text: String) throws -> Answer {
        try check(outcome.stdout == text, "to print \(text.debugDescription)")
    }

    @discardableResult func prints(containing text: String) throws -> Answer {
        try check(outcome.stdout.contains(text), "to print \(text.debugDescription)")
    }

    @discardableResult func complains(_ text: String) throws -> Answer {
        try check(outcome.stderr.contains(text), "to complain of \(text.debugDescription)")
    }

    private func check(_ condition: Bool, _ expected: String) throws -> Answer {
        guard condition else { throw Session.Mismatch(description: "expected \(expected): \(outcome)") }
        return self
    }
}

/// The parts of an error that engines, and people's scripts, know it by.
enum ErrorShape {
    private static let known = [
        "executable file not found in $PATH", "no such file or directory", "permission denied",
        "OCI runtime create failed", "OCI runtime exec failed", "OCI runtime attempted to invoke a command",
        "OCI permission denied", "OCI runtime error", "Error response from daemon", "is not running",
        "is paused",
        "container not running", "not paused", "no such process", "process already finished", "not found",
        "No such container", "no such container", "returned a non-zero code", "did not complete successfully",
        "exit status", "unknown",
    ]

    /// Those in the text, in the order of the list; "(none)" for no text at all, "(other)" for none of them.
    static func of(_ text: String) -> [String] {
        if text.isEmpty { return ["(none)"] }
        let found = known.filter { text.contains($0) }
        return found.isEmpty ? ["(other)"] : found
    }
}
