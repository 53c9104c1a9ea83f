import Foundation
import Testing

/// `--init`: what becomes of processes whose parents have ended, and of the container when its program has.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ReaperTests {
    private static let sleeping = "touch /ready; exec sleep 1000"

    /// Leaves orphans that end at once and one that lives on.
    private static let orphans = "for i in 1 2 3 4 5; do (sleep 0.01 &); done; (sleep 999 &); exit 3"

    /// What PID 1 of the container has for children: the program, the orphan that lives, and who has ended.
    private func children(_ container: TestContainer) async throws -> (alive: Int, zombies: Int) {
        let all = try Host.children(of: try await container.pid())
        let zombies = all.count { $0.state == "Z" }
        return (all.count - zombies, zombies)
    }

    /// Without it zombies stay: sleep(1) waits for nobody.
    @Test func withoutItZombiesStay() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", container.id, "/bin/sh", "-c", Self.orphans)
            #expect(outcome.code == 3, "\(outcome)")
            try await eventually("zombies") { try await children(container) == (1, 5) }
        }
    }

    /// An exec is gantry's child; what it leaves is the container's.
    @Test func reapsWhatAnExecLeaves() async throws {
        try await TestContainer.withReaper(Self.sleeping) { container in
            for _ in 0..<3 {
                let outcome = try await container.gantry("exec", container.id, "/bin/sh", "-c", Self.orphans)
                #expect(outcome.code == 3, "\(outcome)")
            }
            try await eventually("no zombies") { try await children(container) == (4, 0) }
        }
    }

    /// Without a pid namespace of its own, too.
    @Test(arguments: ["own", "host", "joined"])
    func reapsWhatTheProgramLeaves(namespace: String) async throws {
        try await TestContainer.sleeping { other in
            let path = "/proc/\(try await other.pid())/ns/pid"
            let script = "(sh -c '\(Self.orphans)'); touch /ready; exec sleep 1000"
            try await TestContainer.withReaper(script) {
                if namespace != "own" { try $0.shareHostProcesses() }
                guard namespace == "joined" else { return }
                let namespaces = try #require($0.value("linux.namespaces") as? [TestContainer.JSON])
                try $0.set("linux.namespaces", namespaces + [["type": "pid", "path": path]])
            } _: { container in
                try await eventually("no zombies") { try await children(container) == (2, 0) }
            }
        }
    }

    /// Several may end while one SIGCHLD is pending.
    @Test func manyAtOnce() async throws {
        let script = """
            for i in $(seq 300); do (sleep 0.0$((i % 7)) &); done; touch /ready; exec sleep 1000
            """
        try await TestContainer.withReaper(script) { container in
            try await eventually("no zombies") { try await children(container) == (1, 0) }
            // It rests: no signal, no system call.
            let pid = try await container.pid()
            let before = try #require(Host.stat(pid))[11...12]
            try await Task.sleep(for: .milliseconds(300))
            #expect(try #require(Host.stat(pid))[11...12] == before)
        }
    }

    @Test(arguments: [0, 1, 7, 126, 127, 128, 255])
    func exitCodes(code: Int32) async throws {
        try await TestContainer.with { container in
            let outcome = try await container.runWithReaper(["/bin/sh", "-c", "echo out; exit \(code)"])
            #expect(outcome.code == code && outcome.stdout == "out\n" && outcome.stderr == "", "\(outcome)")
        }
    }

    /// As PID 1 of its namespace a program cannot even kill itself.
    @Test(arguments: [("KILL", 137), ("TERM", 143), ("SEGV", 139), ("ABRT", 134), ("PIPE", 141), ("64", 192)])
    func deathsBySignal(signal: String, code: Int32) async throws {
        try await TestContainer.with { container in
            let outcome = try await container.runWithReaper([
                "/bin/sh", "-c", "ulimit -c 0; kill -\(signal) $$",
            ])
            #expect(outcome.code == code, "\(outcome)")
        }
    }

    /// The container ends with its program, whatever else runs.
    @Test func endsWithTheProgram() async throws {
        try await TestContainer.with { container in
            let outcome = try await container.runWithReaper(
                ["/bin/sh", "-c", "sleep 998 & (sleep 997 &); exit 5", container.id])
            #expect(outcome.code == 5, "\(outcome)")
            try await eventually("the end of all") { try Host.processes(of: container.id).isEmpty }
            #expect(Host.cgroups(of: container.id).isEmpty)
        }
    }

    /// `start` learns of the exec as ever, however soon the program ends.
    @Test func createAndStart() async throws {
        for round in 0..<Soak.rounds(10, soak: 300) {
            try await TestContainer.with(["/bin/sh", "-c", "exit \(round % 2)"]) { container in
                try await container.create("--init")
                #expect(try await container.status() == "created")
                try await container.succeed(["start", container.id])
                try await container.waitUntil("stopped")
                try await container.succeed(["delete", container.id])
            }
        }
    }

    @Test func isRunningOnceStarted() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.create("--init")
            let pid = try await container.pid()
            #expect(Host.commandLine(pid).hasPrefix("gantry-init "))
            try await container.succeed(["start", container.id])
            #expect(try await container.status() == "running")
            #expect(try await container.pid() == pid)
            #expect(Host.commandLine(pid) == "gantry-reaper /bin/sleep /bin/sleep 1000 ")
            let name = try String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
            #expect(name == "gantry-reaper\n")
            try await container.fail(["start", container.id], says: "already running")
            try await container.succeed(["kill", container.id, "TERM"])
            try await container.waitUntil("stopped")
        }
    }

    /// A created container has no reaper yet; it dies of signals as ever.
    @Test func beforeTheStart() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.create("--init")
            try await container.succeed(["kill", container.id, "TERM"])
            try await container.waitUntil("stopped")
        }
    }

    @Test func execGoesIntoIt() async throws {
        try await TestContainer.withReaper(Self.sleeping) { container in
            let outcome = try await container.gantry(
                "exec", container.id, "/bin/sh", "-c", "readlink /proc/1/exe; cat /proc/1/comm; exit 6")
            #expect(outcome.code == 6, "\(outcome)")
            #expect(outcome.stdout == "/memfd:gantry-reaper (deleted)\ngantry-reaper\n", "\(outcome)")
            let list = try await container.gantry("ps", "--format", "json", container.id)
            #expect(list.lines.first?.split(separator: ",").count == 2, "\(list)")
        }
    }
}
