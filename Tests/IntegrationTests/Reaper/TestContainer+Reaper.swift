import Foundation
import Testing

extension TestContainer {
    /// Runs the body with a container whose first process is gantry's reaper and that has touched /ready.
    ///
    /// - Parameter change: what to do to the bundle before it runs.
    static func withReaper<Value>(
        _ script: String, _ change: (TestContainer) throws -> Void = { _ in },
        _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        try await with { container in
            try container.setScript(script)
            try change(container)
            try await container.succeed(
                ["run", "--detach", "--init", "--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            return try await body(container)
        }
    }

    /// `gantry run --init` in the foreground.
    func runWithReaper(_ args: [String]? = nil) async throws -> Outcome {
        if let args { try set("process.args", args) }
        return try await run("--init")
    }
}

extension Host {
    /// The children of a process; zombies too.
    static func children(of parent: pid_t) throws -> [(pid: pid_t, state: Substring)] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.compactMap {
            guard let fields = stat($0), pid_t(fields[1]) == parent else { return nil }
            return ($0, fields[0])
        }
    }
}
