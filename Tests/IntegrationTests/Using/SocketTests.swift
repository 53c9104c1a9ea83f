import Foundation
import TestSupport
import Testing

/// Sockets of others: LISTEN_FDS, NOTIFY_SOCKET, `--pidfd-socket`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct SocketTests {
    private static let sockets = Result { try Programs.compile("sockets") }

    /// Runs gantry as the process that LISTEN_PID names, with three files open from 3 on.
    private func activated(
        _ container: TestContainer, _ variables: String, _ flags: String = "",
        program: String = Machine.gantry, root: String? = nil
    ) async throws -> Outcome {
        let directory = container.directory.path
        for number in 3...5 {
            try "file \(number)\n".write(
                toFile: "\(directory)/file\(number)", atomically: false, encoding: .utf8)
        }
        let command =
            "\(variables); exec \(program) --root \(root ?? container.root) run \(flags)"
            + " --bundle \(container.bundle) \(container.id)"
        // What the test runner has open beyond them is not meant.
        let files = "3<\(directory)/file3 4<\(directory)/file4 5<\(directory)/file5 6<&- 7<&- 8<&- 9<&-"
        return try await Command.run("/bin/sh", ["-c", "exec \(files); \(command)"])
    }

    private static let look =
        "echo \"FDS=$LISTEN_FDS PID=$LISTEN_PID\"; for n in 3 4 5 6; do [ -e /proc/self/fd/$n ] && cat <&$n; done; true"

    /// The same inside as with the peer, for all that the variables may say.
    @Test(arguments: [
        ("export LISTEN_PID=$$ LISTEN_FDS=2", "", "FDS=2 PID=1\nfile 3\nfile 4\n"),
        ("export LISTEN_PID=$$ LISTEN_FDS=1", "--preserve-fds 1", "FDS=1 PID=1\nfile 3\nfile 4\n"),
        ("export LISTEN_PID=$$ LISTEN_FDS=1", "--preserve-fds 2", "FDS=1 PID=1\nfile 3\nfile 4\nfile 5\n"),
        ("export LISTEN_PID=1 LISTEN_FDS=2", "", "FDS= PID=\n"),
        ("export LISTEN_FDS=2", "", "FDS= PID=\n"), ("export LISTEN_PID=$$", "", "FDS= PID=\n"),
        ("export LISTEN_PID=$$ LISTEN_FDS=0", "", "FDS= PID=\n"),
        ("export LISTEN_PID=$$ LISTEN_FDS=x", "--preserve-fds 1", "FDS= PID=\nfile 3\n"),
        (":", "--preserve-fds 3", "FDS= PID=\nfile 3\nfile 4\nfile 5\n"),
    ])
    func socketActivation(variables: String, flags: String, expected: String) async throws {
        try await TestContainer.with { container in
            try container.setScript(Self.look)
            let own = try await activated(container, variables, flags)
            #expect(own.code == 0 && own.stdout == expected, "\(own)")
            if let runc = Machine.runc {
                let peer = try await activated(
                    container, variables, flags, program: runc, root: container.directory.path + "/peer")
                #expect(peer.stdout == expected, "\(peer)")
            }
        }
    }

    @Test func socketsThatAreNotThere() async throws {
        try await TestContainer.with { container in
            let outcome = try await activated(container, "export LISTEN_PID=$$ LISTEN_FDS=4")
            #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains("LISTEN_FDS: file descriptor 6 is not open"), "\(outcome)")
            let behind = try await activated(
                container, "export LISTEN_PID=$$ LISTEN_FDS=2", "--preserve-fds 2")
            #expect(behind.stderr.contains("--preserve-fds: file descriptor 6 is not open"), "\(behind)")
        }
    }

    /// A container with the program and a manager that listens; the body gets the manager's output so far.
    private func withManager(
        _ script: String, address: String? = nil,
        _ body: (TestContainer, [String: String], () throws -> [String]) async throws -> Void
    ) async throws {
        try await TestContainer.with { container in
            let program = try Self.sockets.get()
            try Rootfs.copy(program, to: container.rootfs + "/bin/sockets")
            try container.setScript(script)
            let directory = container.directory.path
            let path = address.map { $0 + container.id } ?? directory + "/manager"
            let manager = try Child.spawn(program, ["manager", path], stdout: directory + "/said")
            do {
                try await eventually("the manager to listen") {
                    (try? String(contentsOfFile: directory + "/said", encoding: .utf8)) == "listening\n"
                }
                var environment = ProcessInfo.processInfo.environment
                environment["NOTIFY_SOCKET"] = path
                try await body(container, environment) {
                    try String(contentsOfFile: directory + "/said", encoding: .utf8)
                        .split(separator: "\n").dropFirst().map(String.init)
                }
            } catch {
                kill(manager.pid, SIGKILL)
                _ = try? await manager.wait()
                throw error
            }
            kill(manager.pid, SIGKILL)
            _ = try await manager.wait()
        }
    }

    /// `run --detach` returns when the container is ready, and nothing but that goes to the manager.
    @Test(arguments: [nil, "@gantry-test-"])
    func aDetachedRunWaitsUntilTheContainerIsReady(address: String?) async throws {
        let script =
            "echo $NOTIFY_SOCKET >/where; sleep 0.2; "
            + "sockets say STATUS=loading 'EXTEND_TIMEOUT_USEC=1' MAINPID=1; touch /ready; "
            + "sockets say 'READY=1\\nSTATUS=up'; sleep 1000"
        try await withManager(script, address: address) { container, environment, said in
            let outcome = try await container.gantry(
                "run", "--detach", "--bundle", container.bundle, container.id, environment: environment)
            #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
            #expect(FileManager.default.fileExists(atPath: container.rootfs + "/ready"))
            #expect(try container.text("where") == "/run/notify/notify.sock\n")
            let pid = try await container.pid()
            try await eventually("what the manager hears") { try said().count >= 3 }
            #expect(try said() == ["READY=1|", "MAINPID=\(pid)|", "BARRIER=1"])
            try await container.succeed(["delete", "--force", container.id])
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
        }
    }

    /// With `create`, `start` does it; when it is not told of a manager, nobody waits.
    @Test func startWaitsUntilTheContainerIsReady() async throws {
        let script = "sleep 0.2; touch /ready; sockets say READY=1; sleep 1000"
        try await withManager(script) { container, environment, said in
            let created = try await container.gantry(
                "create", "--bundle", container.bundle, container.id, environment: environment)
            #expect(created.code == 0 && created.stderr.isEmpty, "\(created)")
            let started = try await container.gantry("start", container.id, environment: environment)
            #expect(started.code == 0 && started.stderr.isEmpty, "\(started)")
            #expect(FileManager.default.fileExists(atPath: container.rootfs + "/ready"))
            let pid = try await container.pid()
            try await eventually("what the manager hears") { try said().count >= 3 }
            #expect(try said() == ["READY=1|", "MAINPID=\(pid)|", "BARRIER=1"])
        }
    }

    @Test func inTheForeground() async throws {
        try await withManager(
            "sockets say STATUS=x; sockets say READY=1; while [ ! -e /go ]; do sleep 0.02; done; exit 4"
        ) {
            container, environment, said in
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--bundle", container.bundle, container.id],
                environment: environment)
            try await eventually("what the manager hears") { try said().count >= 2 }
            let pid = try await container.pid()
            FileManager.default.createFile(atPath: container.rootfs + "/go", contents: nil)
            #expect(try await child.wait() == 4)
            #expect(try said() == ["READY=1|", "MAINPID=\(pid)|"])
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
        }
    }

    /// One that ends without ever being ready keeps nobody waiting.
    @Test func neverReady() async throws {
        try await withManager("sockets say STATUS=failing; exit 3") { container, environment, said in
            let outcome = try await container.gantry(
                "run", "--detach", "--bundle", container.bundle, container.id, environment: environment)
            #expect(outcome.code == 0, "\(outcome)")
            try await container.waitUntil("stopped")
            #expect(try said() == [])
        }
    }

    /// Without a manager the container has no such variable, whatever else is in gantry's environment.
    @Test func withoutAManager() async throws {
        try await TestContainer.with { container in
            try container.setScript("env | grep -c NOTIFY; ls /run")
            let outcome = try await container.run()
            #expect(outcome.stdout.hasPrefix("0\n"), "\(outcome)")
            #expect(!outcome.stdout.contains("notify"), "\(outcome)")
        }
    }

    /// What the container makes in the directory that it sees does not keep its state from being removed.
    @Test func theDirectoryIsRemovedWithWhatIsInIt() async throws {
        try await withManager("sleep 1000") { container, environment, _ in
            let created = try await container.gantry(
                "create", "--bundle", container.bundle, container.id, environment: environment)
            #expect(created.code == 0, "\(created)")
            let notify = container.root + "/" + container.id + "/notify"
            try FileManager.default.createDirectory(
                atPath: notify + "/a/b", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: notify + "/a/link", withDestinationPath: container.rootfs)
            try await container.succeed(["delete", "--force", container.id])
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
            #expect(FileManager.default.fileExists(atPath: container.rootfs + "/bin/sh"))
        }
    }

    @Test(arguments: ["run", "create", "exec"])
    func pidfds(command: String) async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let program = try Self.sockets.get()
            let path = container.directory.path + "/pidfd"
            let said = container.directory.path + "/said"
            if command == "exec" {
                try await container.succeed(["run", "--detach", "--bundle", container.bundle, container.id])
            }
            let engine = try Child.spawn(program, ["pidfd", path], stdout: said)
            try await eventually("the engine to listen") { FileManager.default.fileExists(atPath: path) }
            let words =
                command == "exec"
                ? ["--detach", container.id, "/bin/sleep", "1001"]
                : ["--detach", "--bundle", container.bundle, container.id]
            let file = container.directory.path + "/pid"
            try await container.succeed([command, "--pidfd-socket", path, "--pid-file", file] + words)
            #expect(try await engine.wait() == 0)
            let pid = try String(contentsOfFile: file, encoding: .utf8)
            let kind = command == "exec" ? "setns" : "standard"
            #expect(try String(contentsOfFile: said, encoding: .utf8) == "\(kind) \(pid)\n")
        }
    }

    /// Nobody listens: one sentence, and nothing is left.
    @Test func noEngineForAPidfd() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let path = container.directory.path + "/nobody"
            for command in ["run", "create"] {
                try await container.fail(
                    [
                        command, "--detach", "--pidfd-socket", path, "--bundle", container.bundle,
                        container.id,
                    ],
                    says: "cannot hand over the pidfd: connect \(path): ")
                #expect(Host.cgroups(of: container.id) == [])
                #expect(try Host.processes(of: container.id) == [])
                #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
            }
        }
    }
}
