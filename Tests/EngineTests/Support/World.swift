import Foundation

/// Namespaces and cgroups of their own for one engine (scripts/engines.d/world). They end when this process does, however
/// it ends, and nothing of them stays.
final class World: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// The same path inside and outside. The world removes it when it ends.
    let directory: String
    /// Where commands run.
    var home: String { directory + "/home" }
    private let keeper: Child
    private let keepAlive: Int32
    /// Its first process.
    let first: pid_t

    /// - Parameter runtime: the program that the world has as /usr/local/bin/gantry.
    init(_ purpose: String, runtime: String = Machine.gantry) async throws {
        directory = try TemporaryDirectory(purpose).path
        // No child may inherit the end whose closing ends the world, not even one that is made in this moment.
        let pipe = directory + "/.alive"
        guard mkfifo(pipe, 0o600) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        keepAlive = open(pipe, O_RDWR | O_CLOEXEC)
        let answer = directory + "/.first"
        let errors = directory + "/.errors"
        keeper = try Child.spawn(
            Machine.repository + "/scripts/engines.d/world", [directory, runtime], stdin: pipe,
            stdout: answer,
            stderr: errors, newSession: true)
        first = try await World.firstProcess(answer: answer, errors: errors)
    }

    private static func firstProcess(answer: String, errors: String) async throws -> pid_t {
        let deadline = Date().addingTimeInterval(60)
        while Date() < deadline {
            let text = (try? String(contentsOfFile: answer, encoding: .utf8)) ?? ""
            if text.hasSuffix("\n"), let pid = pid_t(text.dropLast()) { return pid }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failed(description: "no world: \((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
    }

    /// The words that run a command inside.
    func entering(_ words: [String]) -> [String] {
        ["/usr/bin/nsenter", "--all", "--target", String(first), directory + "/enter"] + words
    }

    func run(_ words: [String], stdin: String? = nil, seconds: Double = 60) async throws -> Outcome {
        let all = entering(words)
        let outcome = try await Command.run(all[0], Array(all.dropFirst()), stdin: stdin, seconds: seconds)
        return Outcome(
            command: words.joined(separator: " "), code: outcome.code, stdout: outcome.stdout,
            stderr: outcome.stderr)
    }

    /// Runs a command that must succeed.
    @discardableResult func need(_ words: String..., seconds: Double = 60) async throws -> Outcome {
        let outcome = try await run(words, seconds: seconds)
        guard outcome.code == 0 else { throw Failed(description: "\(outcome)") }
        return outcome
    }

    /// Starts a program that runs until the world ends, and waits until the probe succeeds.
    func start(daemon words: [String], probe: [String]) async throws {
        let log = directory + "/var-log/" + words[0] + ".log"
        let all = entering(words)
        // A zombie of ours when the world has ended; so are few.
        _ = try Child.spawn(all[0], Array(all.dropFirst()), stdout: log, stderr: log)
        let deadline = Date().addingTimeInterval(60)
        while Date() < deadline {
            if try await run(probe).code == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        throw Failed(description: "\(words) does not answer:\n\(text.suffix(4000))")
    }

    /// Writes a file of the world; the path is the world's, and beneath one of the directories that are its own.
    func write(_ text: String, to path: String, mode: Int = 0o644) throws {
        let place = try outside(path)
        try FileManager.default.createDirectory(
            at: URL(filePath: place).deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(toFile: place, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place)
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: try outside(path), encoding: .utf8)
    }

    /// Where a path of the world is outside of it.
    private func outside(_ path: String) throws -> String {
        if path.hasPrefix(directory + "/") { return path }
        for own in ["/etc", "/var/lib", "/var/log", "/var/tmp", "/usr/local/bin"]
        where path.hasPrefix(own + "/") {
            return directory + "/" + own.dropFirst().replacing("/", with: "-") + path.dropFirst(own.count)
        }
        throw Failed(description: "\(path) is the machine's, not the world's")
    }

    /// Ends it, with all that is in it.
    func end() async throws {
        close(keepAlive)
        let code = try await keeper.wait()
        guard code == 0 else { throw Failed(description: "the world \(directory) ended with \(code)") }
    }
}
