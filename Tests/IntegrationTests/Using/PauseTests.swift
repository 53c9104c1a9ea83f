import Foundation
import Testing

/// `pause` and `resume`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct PauseTests {
    /// A script that counts in /count as fast as it can, and is ready when it has begun.
    private static let counting = "n=0; while :; do n=$((n+1)); echo $n > /count; touch /ready; done"

    private func with(_ script: String, _ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript(script)
            try await body(container)
        }
    }

    /// When `pause` has returned, nothing runs any more; when `resume` has, everything goes on.
    @Test func aPausedContainerStandsStill() async throws {
        try await with(Self.counting) { container in
            try await container.startToReady()
            for _ in 0..<3 {
                try await container.succeed(["pause", container.id])
                #expect(try await container.status() == "paused")
                let count = try container.text("count")
                try await Task.sleep(for: .milliseconds(30))
                #expect(try container.text("count") == count)
                try await container.succeed(["resume", container.id])
                #expect(try await container.status() == "running")
                try await eventually("the count to go on") {
                    let now = try container.text("count")
                    return !now.isEmpty && now != count
                }
            }
        }
    }

    @Test func theStatusDecides() async throws {
        try await with("trap 'exit 0' TERM; touch /ready; while :; do sleep 0.02; done") { container in
            let id = container.id
            try await container.fail(["pause", id], says: "container does not exist")
            try await container.fail(["resume", id], says: "container does not exist")
            try await container.startToReady()
            try await container.fail(["resume", id], says: "container not paused")
            try await container.succeed(["pause", id])
            try await container.fail(["pause", id], says: "container not running")
            try await container.succeed(["resume", id])
            try await container.succeed(["kill", id])
            try await container.waitUntil("stopped")
            try await container.fail(["pause", id], says: "container not running")
            try await container.fail(["resume", id], says: "container not paused")
        }
    }

    /// Before its start a container can be paused as well, and does not start before it is resumed.
    @Test func aCreatedContainerCanBePaused() async throws {
        try await with("touch /ready; sleep 100") { container in
            try await container.create()
            try await container.succeed(["pause", container.id])
            #expect(try await container.status() == "paused")
            try await container.fail(["start", container.id], says: "container paused")
            try await container.succeed(["resume", container.id])
            #expect(try await container.status() == "created")
            try await container.succeed(["start", container.id])
            try await container.waitForFile("ready")
        }
    }

    /// A process in a cgroup below the container's own stands still as well, and is one of its processes.
    @Test func nestedCgroups() async throws {
        try await with("sh -c '\(Self.counting)' & wait") { container in
            try await container.startToReady()
            let pid = try await container.pid()
            let cgroup = try #require(FreezerCgroup(container), "no cgroup that freezes")
            let nested = cgroup.path + "/nested"
            try FileManager.default.createDirectory(atPath: nested, withIntermediateDirectories: false)
            let child = try #require(try Host.processes(of: container.id).first { $0.pid != pid })
            try String(child.pid).write(toFile: nested + "/cgroup.procs", atomically: false, encoding: .utf8)
            let pids = try await container.gantry("ps", "--format", "json", container.id)
            #expect(pids.stdout.contains(String(child.pid)), "\(pids)")
            #expect(pids.stdout.contains(String(pid)), "\(pids)")

            try await container.succeed(["pause", container.id])
            let count = try container.text("count")
            try await Task.sleep(for: .milliseconds(30))
            #expect(try container.text("count") == count)
            try await container.succeed(["resume", container.id])
            try await eventually("the count to go on") {
                let now = try container.text("count")
                return !now.isEmpty && now != count
            }
            try await container.succeed(["delete", "--force", container.id])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    /// Engines send the signal first and resume then.
    @Test func aSignalToAPausedContainerArrivesWithResume() async throws {
        try await with("trap 'touch /told; exit 3' TERM; touch /ready; while :; do sleep 0.02; done") {
            container in
            try await container.startToReady()
            try await container.succeed(["pause", container.id])
            try await container.succeed(["kill", container.id, "TERM"])
            try await container.succeed(["resume", container.id])
            try await container.waitUntil("stopped")
            try await container.waitForFile("told")
        }
    }
}

/// The directory of a container that its processes are frozen by.
struct FreezerCgroup {
    let path: String

    init?(_ container: TestContainer) {
        let all = Host.cgroups(of: container.id)
        guard
            let path = all.first(where: { FileManager.default.fileExists(atPath: $0 + "/freezer.state") })
                ?? all.first(where: { FileManager.default.fileExists(atPath: $0 + "/cgroup.freeze") })
        else { return nil }
        self.path = path
    }
}
