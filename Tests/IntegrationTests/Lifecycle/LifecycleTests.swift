import Foundation
import Testing

/// What happens to a container from `create` to `delete`, beyond what `EngineContractTests` has.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 5))
struct LifecycleTests {
    private static let waiting = "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.02; done"

    private func with(
        _ script: String = waiting, _ body: (TestContainer) async throws -> Void
    ) async throws {
        try await TestContainer.with { container in
            try container.setScript(script)
            try await body(container)
        }
    }

    // MARK: run

    @Test func detachedRunReturnsAtOnceAndKeepsTheContainer() async throws {
        try await with { container in
            try await container.startToReady()
            #expect(try await container.status() == "running")
            try await container.succeed(["kill", container.id])
            try await container.waitUntil("stopped")
            try await container.succeed(["delete", container.id])
        }
    }

    @Test func keepLeavesStateAndCgroup() async throws {
        try await with("exit 5") { container in
            #expect(try await container.run("--keep").code == 5)
            #expect(try await container.status() == "stopped")
            // systemd removes a scope with its last process.
            #expect(Machine.usesSystemd || Host.cgroups(of: container.id) != [])
            try await container.succeed(["delete", container.id])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    @Test func aRunThatFailsLeavesNothing() async throws {
        try await TestContainer.with(["/no/such/program"]) { container in
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.isOneSentence, "\(outcome)")
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: container.root) == [])
        }
    }

    // MARK: create, start

    @Test func createdTimeIsWhenItWasCreated() async throws {
        try await with { container in
            let before = Date()
            try await container.create()
            let after = Date()
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            // Nanoseconds are more digits than the parser takes.
            let text = try #require(try await container.state()["created"] as? String)
            let cut = try #require(text.firstIndex(of: "."))
            #expect(text.last == "Z" && text.count >= 22)
            let created = try format.parse(
                text[..<cut] + "." + text[text.index(after: cut)...].prefix(3) + "Z")
            #expect(created >= before.addingTimeInterval(-0.001) && created <= after)
            // It does not change with the status.
            try await container.succeed(["start", container.id])
            #expect(try await container.state()["created"] as? String == text)
        }
    }

    /// What vanished after create's look at it is told by start, which then leaves a stopped container.
    @Test func startTellsWhyTheExecFailed() async throws {
        try await TestContainer.with(["/bin/program", "1"]) { container in
            let program = container.rootfs + "/bin/program"
            try FileManager.default.copyItem(atPath: container.rootfs + "/bin/busybox", toPath: program)
            try await container.create()
            try FileManager.default.removeItem(atPath: program)
            try await container.fail(["start", container.id], says: "/bin/program")
            try await container.waitUntil("stopped")
            try await container.fail(
                ["start", container.id], says: "cannot start a container that has stopped")
            try await container.succeed(["delete", container.id])
        }
    }

    @Test func startTellsOfAMissingInterpreter() async throws {
        try await TestContainer.with(["/bin/script"]) { container in
            let script = container.rootfs + "/bin/script"
            try "#!/bin/interpreter\n".write(toFile: script, atomically: false, encoding: .utf8)
            chmod(script, 0o755)
            try await container.create()
            try await container.fail(["start", container.id], says: "/bin/interpreter")
        }
    }

    @Test func whatWasKilledBeforeItsStartHasStopped() async throws {
        for signal in ["TERM", "KILL", "INT", "HUP", "USR1"] {
            try await with { container in
                try await container.create()
                try await container.succeed(["kill", container.id, signal])
                try await container.waitUntil("stopped")
                try await container.fail(
                    ["start", container.id], says: "cannot start a container that has stopped")
                #expect(!FileManager.default.fileExists(atPath: container.rootfs + "/ready"))
                try await container.succeed(["delete", container.id])
            }
        }
    }

    /// Signals that end nothing by default do not end a container that waits.
    @Test func whatEndsNothingDoesNotEndACreatedContainer() async throws {
        try await with { container in
            try await container.create()
            for signal in ["CONT", "CHLD", "WINCH", "URG", "0"] where signal != "0" {
                try await container.succeed(["kill", container.id, signal])
            }
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await container.status() == "created")
            try await container.succeed(["start", container.id])
        }
    }

    /// Somebody who connects to the start socket and says nothing, such as a `state` that was stopped.
    @Test func aSilentVisitorHoldsNothingUp() async throws {
        try await with { container in
            try await container.create()
            let visitor = try Visitor(container.root + "/" + container.id + "/start.sock")
            defer { visitor.leave() }
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await container.status() == "created")
            try await container.succeed(["start", container.id])
            try await container.waitForFile("ready")
        }
        try await with { container in
            try await container.create()
            let visitor = try Visitor(container.root + "/" + container.id + "/start.sock")
            defer { visitor.leave() }
            try await Task.sleep(for: .milliseconds(50))
            try await container.succeed(["kill", container.id, "TERM"])
            try await container.waitUntil("stopped")
        }
    }

    @Test func stateIsAskedByManyAtOnce() async throws {
        try await with { container in
            try await container.create()
            try await withThrowingTaskGroup(of: String.self) { group in
                let (root, id) = (container.root, container.id)
                for _ in 0..<40 {
                    group.addTask {
                        try await Command.run(Machine.gantry, ["--root", root, "state", id]).stdout
                    }
                }
                for try await answer in group { #expect(answer.contains("\"created\"")) }
            }
            try await container.succeed(["start", container.id])
        }
    }

    // MARK: Paths

    @Test func bundleMayBeRelative() async throws {
        try await TestContainer.with { container in
            for (directory, flags) in [
                (container.directory.path, ["--bundle", "bundle"]), (container.bundle, ["--bundle", "."]),
                (container.bundle, []), (container.rootfs, ["--bundle", "../"]),
                ("/", ["--bundle", container.bundle]),
            ] {
                let outcome = try await Command.run(
                    Machine.gantry, ["--root", container.root, "create"] + flags + [container.id],
                    directory: directory)
                #expect(outcome.code == 0, "\(outcome)")
                #expect(try await container.state()["bundle"] as? String == container.bundle)
                try await container.succeed(["delete", container.id])
            }
        }
    }

    @Test func rootIsMadeWithWhatIsAboveIt() async throws {
        try await TestContainer.with { container in
            for root in ["a/b/c", "d/", "./e//f"] {
                for (command, flags) in [("create", ["--bundle", container.bundle]), ("delete", [])] {
                    let outcome = try await Command.run(
                        Machine.gantry, ["--root", root, command] + flags + [container.id],
                        directory: container.directory.path)
                    #expect(outcome.code == 0, "\(outcome)")
                }
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: container.directory.path + "/" + root)
                #expect(attributes[.posixPermissions] as? Int == 0o700)
            }
        }
    }

    @Test func pidFile() async throws {
        try await TestContainer.with { container in
            let directory = container.directory.path
            try "an older one".write(toFile: directory + "/pid", atomically: false, encoding: .utf8)
            // As a killed gantry leaves it; and it is not written through.
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/.pid", withDestinationPath: directory + "/victim")
            let outcome = try await Command.run(
                Machine.gantry,
                [
                    "--root", container.root, "create", "--bundle", container.bundle, "--pid-file", "pid",
                    container.id,
                ],
                directory: directory)
            #expect(outcome.code == 0, "\(outcome)")
            let pid = try await container.pid()
            #expect(try String(contentsOfFile: directory + "/pid", encoding: .utf8) == "\(pid)")
            #expect(!FileManager.default.fileExists(atPath: directory + "/victim"))
            try await container.succeed(["delete", container.id])

            try await container.fail(
                [
                    "create", "--bundle", container.bundle, "--pid-file", directory + "/none/pid",
                    container.id,
                ],
                says: directory + "/none/")
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    // MARK: kill, delete

    /// With SIGKILL all of a container end, also where they do not end with the first, as with runc 1.2 and later.
    @Test func killedWithoutAPidNamespace() async throws {
        try await with("sleep 1000 & touch /ready; wait") { container in
            try container.shareHostProcesses()
            try await container.startToReady()
            try await container.succeed(["kill", container.id, "KILL"])
            try await container.waitUntil("stopped")
            try await eventually("the second to end") { try Host.processes(of: container.id) == [] }
        }
    }

    /// A container that may write to its cgroup can nest more than a path can name.
    @Test func deleteRemovesWhatNoPathCanName() async throws {
        try await with("touch /ready; sleep 1000") { container in
            try await container.startToReady()
            let cgroup = try #require(Host.cgroups(of: container.id).first)
            var directory = open(cgroup, O_RDONLY | O_DIRECTORY)
            for level in 0..<25 {
                let name = "\(level)" + String(repeating: "x", count: 240)
                #expect(mkdirat(directory, name, 0o755) == 0)
                let next = openat(directory, name, O_RDONLY | O_DIRECTORY)
                close(directory)
                directory = next
            }
            close(directory)
            try await container.succeed(["ps", container.id])
            try await container.succeed(["kill", "--all", container.id, "KILL"])
            try await container.succeed(["delete", "--force", container.id])
            #expect(!FileManager.default.fileExists(atPath: cgroup))
        }
    }

    @Test func killAllReachesEveryProcess() async throws {
        let script = """
            trap 'echo first >>/got; exit' USR1
            sh -c 'trap "echo second >>/got; exit" USR1; touch /ready; while :; do sleep 0.02; done' &
            while :; do sleep 0.02; done
            """
        try await with(script) { container in
            // In the host's pid namespace, so that the second process outlives the first.
            try container.shareHostProcesses()
            try await container.startToReady()
            try await container.succeed(["kill", "--all", container.id, "USR1"])
            try await eventually("both to be told") {
                Set(try container.text("got").split(separator: "\n")) == ["first", "second"]
            }
            try await container.waitUntil("stopped")
            try await container.succeed(["kill", "--all", container.id, "KILL"])
        }
    }

    /// Without a pid namespace nothing but the cgroup knows of a container's processes.
    @Test(arguments: [false, true])
    func deleteEndsAllProcesses(mainProcessIsGone: Bool) async throws {
        let script = """
            trap '' TERM HUP
            sh -c "trap '' TERM HUP; while :; do sleep 0.05; done; : $0" & setsid sh -c "sleep 50; : $0" &
            touch /ready; \(mainProcessIsGone ? "exit" : "sleep 1000")
            """
        try await with(script) { container in
            try FileManager.default.createSymbolicLink(
                atPath: container.rootfs + "/bin/setsid", withDestinationPath: "busybox")
            try container.shareHostProcesses()
            try await container.startToReady()
            if mainProcessIsGone { try await container.waitUntil("stopped") }
            #expect(try Host.processes(of: container.id).count >= 2)
            try await container.succeed(
                ["delete"] + (mainProcessIsGone ? [] : ["--force"]) + [container.id])
            #expect(try Host.processes(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    @Test func deleteForceEndsWhatDoesNotWantToEnd() async throws {
        try await with("trap '' TERM INT HUP; touch /ready; while :; do sleep 0.02; done") { container in
            try await container.startToReady()
            try await container.succeed(["kill", container.id])
            #expect(try await container.status() == "running")
            try await container.succeed(["delete", "--force", container.id])
            #expect(try Host.processes(of: container.id) == [])
        }
    }

    /// Its end and the exec look alike on the socket.
    @Test func anInitThatIsKilledBeforeTheExecIsNoStart() async throws {
        try await TestContainer.with { container in
            try await container.create()
            let pid = try await container.pid()
            kill(pid, SIGSTOP)
            let start = try Child.spawn(Machine.gantry, ["--root", container.root, "start", container.id])
            // It waits for an answer: recvmsg(2), or recvfrom(2).
            try await eventually("start to wait") {
                let call = try? String(contentsOfFile: "/proc/\(start.pid)/syscall", encoding: .utf8)
                #if arch(x86_64)
                    return ["45 ", "47 "].contains { call?.hasPrefix($0) ?? false }
                #else
                    return ["207 ", "212 "].contains { call?.hasPrefix($0) ?? false }
                #endif
            }
            kill(pid, SIGKILL)
            #expect(try await start.wait() == 1)
            try await container.waitUntil("stopped")
        }
    }
}

/// A connection to a start socket that says nothing.
private struct Visitor {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }

    func leave() {
        close(descriptor)
    }
}
