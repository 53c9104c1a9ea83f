import Foundation
import Testing

extension TestContainer {
    /// `--state-dir` of its tests.
    var stateDirectory: String { directory.path + "/supervised" }

    /// `gantry --root ROOT --state-dir DIR COMMAND...`.
    func supervised(
        _ arguments: [String], stdin: String? = nil, seconds: Double = 120
    ) async throws -> Outcome {
        try await Command.run(
            Machine.gantry, ["--root", root, "--state-dir", stateDirectory] + arguments, stdin: stdin,
            seconds: seconds)
    }

    /// The same, and it must succeed.
    @discardableResult
    func succeedSupervised(
        _ arguments: [String], seconds: Double = 120, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Outcome {
        let outcome = try await supervised(arguments, seconds: seconds)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    /// What `wait` prints: the exit code.
    func exitCode(seconds: Double = 120) async throws -> Int {
        let outcome = try await succeedSupervised(["wait", id], seconds: seconds)
        return try #require(Int(outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines)), "\(outcome)")
    }

    /// `state`'s object for supervised containers.
    func supervision() async throws -> JSON {
        let outcome = try await succeedSupervised(["state", id])
        let state = try #require(JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? JSON)
        return try #require(state["supervision"] as? JSON, "\(outcome)")
    }

    /// Runs the body with a container that is then removed, supervisor and all.
    static func withSupervised<Value>(
        _ args: [String] = ["/bin/true"], _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        let container = try TestContainer(args)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(container))
        } catch {
            result = .failure(error)
        }
        _ = try? await container.supervised(["delete", "--force", container.id])
        await container.remove()
        return try result.get()
    }
}
