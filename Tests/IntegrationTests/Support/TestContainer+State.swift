import Foundation
import Testing

extension TestContainer {
    /// A shell script as process.args, with the container's ID in the process's command line.
    func setScript(_ script: String) throws {
        try set("process.args", ["/bin/sh", "-c", script, id])
    }

    /// The container's processes are then the host's: no PID 1 among them, and no end of all with one.
    func shareHostProcesses() throws {
        let namespaces = try #require(value("linux.namespaces") as? [JSON])
        try set("linux.namespaces", namespaces.filter { $0["type"] as? String != "pid" })
    }

    /// What `gantry state` prints.
    func state() async throws -> JSON {
        let outcome = try await gantry("state", id)
        try #require(outcome.code == 0, "\(outcome)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? JSON)
    }

    func status() async throws -> String {
        try await state()["status"] as? String ?? ""
    }

    func pid() async throws -> pid_t {
        pid_t(try #require(try await state()["pid"] as? Int))
    }

    /// Whether containers that tests leave to themselves have a keeper and a supervisor.
    @TaskLocal static var areSupervised = false

    /// `run --detach`, with the caller's streams either way.
    var detachedRun: [String] {
        let supervised = TestContainer.areSupervised ? ["--supervise", "--log-driver", "passthrough"] : []
        return ["run", "--detach"] + supervised + ["--bundle", bundle, id]
    }

    /// Runs the body with a container whose first process sleeps.
    ///
    /// - Parameter change: what to do to the bundle before it runs.
    static func sleeping<Value>(
        _ change: (TestContainer) throws -> Void = { _ in },
        _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        try await with(["/bin/sleep", "1000"]) { container in
            try change(container)
            try await container.succeed(container.detachedRun)
            return try await body(container)
        }
    }

    func create(_ flags: String...) async throws {
        try await succeed(["create", "--bundle", bundle] + flags + [id])
    }

    /// Runs it in the background and waits until its script has touched /ready.
    func startToReady() async throws {
        try await succeed(detachedRun)
        try await waitForFile("ready")
    }

    func succeed(_ words: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let outcome = try await Command.run(Machine.gantry, globals + words)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    }

    /// The command exits 1 with one sentence that contains `says`.
    func fail(
        _ words: [String], says: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await Command.run(Machine.gantry, globals + words)
        #expect(outcome.code == 1, "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.stderr.contains(says), "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.isOneSentence, "\(outcome)", sourceLocation: sourceLocation)
    }

    func waitUntil(_ status: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("status \(status)", sourceLocation: sourceLocation) {
            try await self.status() == status
        }
    }

    /// Waits until the container has made the file, whose path begins at its root.
    func waitForFile(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(path) to appear", sourceLocation: sourceLocation) {
            FileManager.default.fileExists(atPath: self.rootfs + "/" + path)
        }
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: rootfs + "/" + path, encoding: .utf8)
    }
}

extension Outcome {
    /// Whether stderr is exactly one line, gantry's.
    var isOneSentence: Bool {
        let lines = stderr.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count == 2 && lines[1].isEmpty && lines[0].hasPrefix("gantry: ")
    }
}

/// Asks again and again, for up to a minute: a limit against hangs, on a machine that does much else. What cannot be
/// told yet (a file that is not there) is not true yet.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    // Less than the time limit of most tests, which would end it without a word.
    let deadline = ContinuousClock.now + .seconds(60 * Machine.patience)
    var obstacle: (any Error)?
    while ContinuousClock.now < deadline {
        do {
            if try await condition() { return }
            obstacle = nil
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            obstacle = error
        }
        // Many ask at once; what they ask costs an emulated machine more than they would wait.
        try await Task.sleep(for: .milliseconds(5 * Machine.patience))
    }
    let reason = obstacle.map { ": \($0)" } ?? ""
    Issue.record("waited in vain for \(what)\(reason)", sourceLocation: sourceLocation)
    throw CancellationError()
}
