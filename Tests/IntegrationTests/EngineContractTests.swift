import Foundation
import Testing

/// What containerd, Docker, Podman, CRI-O and Buildah rely on: documents, exit codes, and the words in errors that
/// they look for. All of it holds for runc as well: GANTRY=/usr/sbin/runc runs the suite against it.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 5))
struct EngineContractTests {
    /// A process that ends on a signal even as PID 1, for which the default actions do not exist.
    private static let waiting = [
        "/bin/sh", "-c", "trap 'exit 3' TERM HUP; touch /ready; while :; do sleep 0.02; done",
    ]

    private func state(_ container: TestContainer) async throws -> [String: Any] {
        let outcome = try await container.gantry("state", container.id)
        #expect(outcome.code == 0, "\(outcome)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any])
    }

    private func waitUntil(_ container: TestContainer, is status: String) async throws {
        for _ in 0..<500 {
            if try await state(container)["status"] as? String == status { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never became \(status)")
    }

    /// Waits until the shell of `waiting` has set its trap.
    private func waitUntilReady(_ container: TestContainer) async throws {
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: container.rootfs + "/ready") {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func expectSuccess(_ container: TestContainer, _ words: String...) async throws {
        let outcome = try await Command.run(Machine.gantry, ["--root", container.root] + words)
        #expect(outcome.code == 0, "\(outcome)")
    }

    private func expectFailure(_ container: TestContainer, _ words: [String], says: String) async throws {
        let outcome = try await Command.run(Machine.gantry, ["--root", container.root] + words)
        #expect(outcome.code == 1, "\(outcome)")
        #expect(outcome.stderr.contains(says), "\(outcome)")
    }

    @Test func aLife() async throws {
        try await TestContainer.with(Self.waiting) { container in
            let id = container.id
            try await expectSuccess(
                container, "create", "--bundle", container.bundle, "--pid-file", container.bundle + "/pid", id
            )
            let created = try await state(container)
            #expect(created["status"] as? String == "created")
            let pid = try #require(created["pid"] as? Int)
            #expect(try String(contentsOfFile: container.bundle + "/pid", encoding: .utf8) == String(pid))
            try await expectFailure(
                container, ["create", "--bundle", container.bundle, id],
                says: "container with given ID already exists")

            try await expectSuccess(container, "start", id)
            try await waitUntil(container, is: "running")
            #expect(try await state(container)["pid"] as? Int == pid)
            try await expectFailure(
                container, ["start", id], says: "cannot start an already running container")
            try await expectFailure(
                container, ["delete", id], says: "cannot delete container \(id) that is not stopped: running")

            try await waitUntilReady(container)
            try await expectSuccess(container, "kill", id)
            try await waitUntil(container, is: "stopped")
            #expect(try await state(container)["pid"] as? Int == 0)
            try await expectFailure(container, ["kill", id, "9"], says: "container not running")
            try await expectSuccess(container, "kill", "--all", id, "9")
            try await expectFailure(
                container, ["start", id], says: "cannot start a container that has stopped")

            try await expectSuccess(container, "delete", id)
            for command in ["state", "start", "kill", "delete"] {
                try await expectFailure(container, [command, id], says: "container does not exist")
            }
            try await expectSuccess(container, "delete", "--force", id)
        }
    }

    @Test func whatWasNeverStartedCanBeDeleted() async throws {
        try await TestContainer.with { container in
            try await expectSuccess(container, "create", "--bundle", container.bundle, container.id)
            try await expectSuccess(container, "delete", container.id)
        }
    }

    @Test(arguments: ["SIGTERM", "term", "15", "HUP", "1", "sighup", "KILL"])
    func killUnderstands(signal: String) async throws {
        try await TestContainer.with(Self.waiting) { container in
            try await expectSuccess(container, "run", "--detach", "--bundle", container.bundle, container.id)
            try await waitUntilReady(container)
            try await expectSuccess(container, "kill", container.id, signal)
            try await waitUntil(container, is: "stopped")
        }
    }

    @Test func runExitsAsTheProcessDid() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "exit 7"]) { container in
            #expect(try await container.run().code == 7)
            try await expectFailure(container, ["state", container.id], says: "container does not exist")
        }
        try await TestContainer.with(Self.waiting) { container in
            let words = ["--root", container.root, "run", "--bundle", container.bundle, container.id]
            async let outcome = Command.run(Machine.gantry, words)
            try await waitUntilReady(container)
            try await expectSuccess(container, "kill", container.id, "KILL")
            #expect(try await outcome.code == 137)
        }
    }

    /// Docker makes its exit codes 126 and 127 from these.
    @Test(arguments: [
        ("nothing-of-that-name", "executable file not found in $PATH"),
        ("/nothing/there", "no such file or directory"), ("/etc", "permission denied"),
    ])
    func createTellsAboutTheExecutable(path: String, says: String) async throws {
        try await TestContainer.with([path]) { container in
            try await expectFailure(
                container, ["create", "--bundle", container.bundle, container.id], says: says)
            try await expectFailure(container, ["state", container.id], says: "container does not exist")
        }
    }

    @Test(arguments: ["a b", "a/b", "..", "ü", "a:b"])
    func idsThatAreRefused(id: String) async throws {
        try await TestContainer.with { container in
            try await expectFailure(
                container, ["create", "--bundle", container.bundle, id], says: "invalid container ID format")
        }
    }

    /// Key by key what runc says of a container from the same bundle.
    @Test(.enabled(if: Machine.runc != nil, "runc is missing"))
    func stateIsRuncs() async throws {
        try await TestContainer.with(Self.waiting) { container in
            try container.set("annotations", ["org.example.a": "1", "b": "x \"y\""])
            let peer = ["--root", container.directory.path + "/peer"]
            try await expectSuccess(container, "create", "--bundle", container.bundle, container.id)
            let made = try await Command.run(
                Machine.runc!, peer + ["create", "--bundle", container.bundle, container.id + "-p"])
            #expect(made.code == 0, "\(made)")
            let ours = try await container.gantry("state", container.id)
            let theirs = try await Command.run(Machine.runc!, peer + ["state", container.id + "-p"])
            _ = try await Command.run(Machine.runc!, peer + ["delete", "--force", container.id + "-p"])
            #expect(Self.masked(ours.lines) == Self.masked(theirs.lines))
        }
    }

    /// The lines without what differs from container to container.
    private static func masked(_ lines: [String]) -> [String] {
        let differing = ["ociVersion", "id", "pid", "created"]
        return lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let key = parts[0].filter { $0 != " " && $0 != "\"" }
            return parts.count == 2 && differing.contains(key) ? String(parts[0]) : line
        }
    }

    @Test func listShowsWhatIsThere() async throws {
        try await TestContainer.with { container in
            try await expectSuccess(container, "create", "--bundle", container.bundle, container.id)
            let pid = try #require(try await state(container)["pid"] as? Int)
            #expect(try await container.gantry("list", "-q").stdout == container.id + "\n")
            let table = try await container.gantry("list")
            #expect(
                table.lines.first?.split(separator: " ") == [
                    "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER",
                ])
            let row = try #require(table.lines.last).split(separator: " ").map(String.init)
            #expect(row.count == 6)
            #expect(Array(row[0...3]) == [container.id, String(pid), "created", container.bundle])
            #expect(row.last == "root")
            let json = try await container.gantry("list", "--format=json")
            let list = try JSONSerialization.jsonObject(with: Data(json.stdout.utf8)) as? [[String: Any]]
            #expect(list?.count == 1)
            #expect(list?.first?["id"] as? String == container.id)
            #expect(list?.first?["owner"] as? String == "root")
        }
    }
}
