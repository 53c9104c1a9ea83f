import Foundation
import Testing

/// `gantry attach`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct AttachTests {
    /// Waits for `/go`, so that nothing is printed before somebody listens.
    private static let waiting = "while [ ! -e /go ]; do sleep 0.02; done; "

    private func go(_ container: TestContainer) throws {
        try Data().write(to: URL(filePath: container.rootfs + "/go"))
    }

    @Test func streamsAndExitCode() async throws {
        try await TestContainer.with { container in
            try container.setScript(AttachTests.waiting + "echo out; echo err >&2; printf end; exit 21")
            try await container.supervise()
            let client = try container.attach("--no-stdin", name: "client")
            try await attached(client)
            try go(container)
            #expect(try await client.wait() == 21)
            #expect(container.output("client") == "out\nend")
            #expect(container.output("client.err") == "err\n")
        }
    }

    /// Input of several in the order in which it comes; the end of one's input is the end of all, unless it is kept.
    @Test func standardInput() async throws {
        try await TestContainer.with { container in
            try container.setScript("while read line; do echo got $line; done; echo end; exit 9")
            try await container.supervise("--stdin")
            let input = container.directory.path + "/in"
            try "one\ntwo\n".write(toFile: input, atomically: false, encoding: .utf8)
            let first = try container.attach("--keep-stdin-open", name: "first", stdin: input)
            try await container.waitForLine("got two")
            try "three\n".write(toFile: input, atomically: false, encoding: .utf8)
            let second = try container.attach(name: "second", stdin: input)
            #expect(try await first.wait() == 9)
            #expect(try await second.wait() == 9)
            #expect(container.output("first").hasSuffix("got three\nend\n"))
            #expect(try container.logged() == ["got one", "got two", "got three", "end"])
        }
    }

    @Test func whoeverVanishesClosesNothing() async throws {
        try await TestContainer.with { container in
            try container.setScript("while read line; do echo got $line; done; echo end")
            try await container.supervise("--stdin")
            let input = container.directory.path + "/in"
            try "one\n".write(toFile: input, atomically: false, encoding: .utf8)
            let client = try container.attach("--keep-stdin-open", name: "first", stdin: input)
            try await container.waitForLine("got one")
            kill(client.pid, SIGKILL)
            _ = try await client.wait()
            try "two\n".write(toFile: input, atomically: false, encoding: .utf8)
            let second = try container.attach(name: "second", stdin: input)
            #expect(try await second.wait() == 0)
            #expect(try container.logged() == ["got one", "got two", "end"])
        }
    }

    /// More than pipes and sockets hold, to a container that takes its time.
    @Test func inputIsHeldUpAndAllArrives() async throws {
        try await TestContainer.with { container in
            try container.setScript(AttachTests.waiting + "wc -c; exit 2")
            try await container.supervise("--stdin")
            let input = container.directory.path + "/in"
            try Data(repeating: 120, count: 5_000_000).write(to: URL(filePath: input))
            let client = try container.attach(name: "client", stdin: input)
            try await attached(client)
            try go(container)
            #expect(try await client.wait() == 2)
            #expect(container.output("client") == "5000000\n")
        }
    }

    /// What has been passed on is nobody's any more, also when more always waits, as for one who reads slowly.
    @Test func inputIsNotKept() async throws {
        try await TestContainer.with { container in
            let step = "dd bs=60000 count=1 of=/dev/null 2>/dev/null"
            try container.setScript(
                AttachTests.waiting
                    + "i=0; while [ $i -lt 800 ]; do \(step); i=$((i + 1)); done; touch /done;"
                    + "cat > /dev/null; exit 2")
            try await container.supervise("--stdin")
            let supervisor = try await container.pid(of: "supervisor")
            let before = try Host.privateMemory(supervisor)
            let input = container.directory.path + "/in"
            try Data(repeating: 120, count: 50_000_000).write(to: URL(filePath: input))
            let client = try container.attach(name: "client", stdin: input)
            try await attached(client)
            try go(container)
            var most = 0
            try await eventually("most to have arrived") {
                if let now = try? Host.privateMemory(supervisor) { most = max(most, now) }
                return FileManager.default.fileExists(atPath: container.rootfs + "/done")
            }
            #expect(try await client.wait() == 2)
            #expect(most - before < 4 << 20, "\(before) bytes, then \(most)")
        }
    }

    @Test func signalsAreTheContainers() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "trap 'echo hup' HUP; trap 'exit 31' INT; echo up; while :; do sleep 0.02; done")
            try await container.supervise()
            try await container.waitForLine("up")
            let client = try container.attach("--no-stdin", name: "client")
            let other = try container.attach("--no-stdin", "--sig-proxy=false", name: "other")
            try await attached(client, other)
            kill(other.pid, SIGINT)
            #expect(try await other.wait() == 130)
            kill(client.pid, SIGHUP)
            try await container.waitForLine("hup")
            kill(client.pid, SIGINT)
            #expect(try await client.wait() == 31)
        }
    }

    /// Byte for byte, over the deaths of three supervisors.
    @Test func nothingIsLostWhenSupervisorsDie() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                AttachTests.waiting + "for i in 1 2 3 4; do seq 1 30000; sleep 0.3; done; exit 6")
            try await container.supervise()
            let client = try container.attach("--no-stdin", name: "client")
            try await attached(client)
            try go(container)
            for _ in 0..<3 {
                try await container.killSupervisor()
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(try await client.wait(seconds: 120) == 6)
            let run = (1...30000).map { "\($0)" }
            let all = run + run + run + run
            #expect(try container.logged() == all)
            let text = container.output("client")
            #expect(text.utf8.count + container.missed("client") == all.reduce(0) { $0 + $1.utf8.count + 1 })
            if container.missed("client") == 0 {
                // Not what is expected and what is there: that is megabytes.
                let lines = text.split(separator: "\n").map(String.init)
                let place = zip(lines, all).enumerated().first { $1.0 != $1.1 }
                #expect(place == nil, "\(String(describing: place))")
                #expect(lines.count == all.count)
            }
        }
    }

    /// A client that does not read holds up neither the container, nor the log, nor another client.
    @Test func aSlowClientIsTold() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                AttachTests.waiting
                    + "seq 1 1000000; echo last; while [ ! -e /end ]; do sleep 0.02; done; exit 3")
            try await container.supervise()
            let slow = try container.attach("--no-stdin", name: "slow")
            let quick = try container.attach("--no-stdin", name: "quick")
            try await attached(slow, quick)
            kill(slow.pid, SIGSTOP)
            try go(container)
            try await eventually("the log") { try container.logEnds(with: "last") }
            try await eventually("the quick one") { container.output("quick").hasSuffix("last\n") }
            kill(slow.pid, SIGCONT)
            try await eventually("the slow one") { container.output("slow").hasSuffix("last\n") }
            let all = 6_888_896 + 5
            #expect(container.missed("slow") > 1_000_000)
            for name in ["slow", "quick"] {
                #expect(container.output(name).utf8.count + container.missed(name) == all)
            }
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            #expect(try await quick.wait() == 3)
            #expect(try await slow.wait() == 3)
        }
    }

    @Test func keysAreRead() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            try await container.fail(
                ["attach", "--detach-keys", "ctrl-1", container.id], says: "--detach-keys: invalid key")
        }
    }

    // MARK: Terminals

    private func attachOnTerminal(_ container: TestContainer, _ flags: String...) throws -> Terminal {
        try Terminal(
            [Machine.gantry] + container.globals + ["attach"] + flags + [container.id], rows: 33, columns: 77)
    }

    @Test func aTerminal() async throws {
        try await TestContainer.withTerminal("while read line; do stty size; echo got $line; done; exit 4") {
            container in
            try await container.supervise()
            let terminal = try attachOnTerminal(container)
            let before = try await terminal.mode()
            try await attached(terminal.child)
            try terminal.type("one\r")
            try await terminal.expect("33 77\r\n")
            try await terminal.expect("got one\r\n")
            try terminal.resize(rows: 44, columns: 111)
            try terminal.type("two\r")
            try await terminal.expect("44 111\r\n")
            // The keys come one after the other.
            try terminal.type("\u{10}")
            try await Task.sleep(for: .milliseconds(100))
            try terminal.type("\u{11}")
            #expect(try await terminal.end() == 0)
            #expect(before.contains("icanon"))
            #expect(try await container.status() == "running")
            // And another one, which sees the end of it.
            let second = try attachOnTerminal(container, "--detach-keys", "ctrl-x,x")
            try await attached(second.child)
            try second.type("three\r")
            try await second.expect("got three\r\n")
            try second.type("\u{4}")
            #expect(try await second.end() == 4)
        }
    }

    /// Input that nobody reads waits, also that of clients that have gone. It does not keep others from being served.
    @Test func inputOfManyWhoVanishIsGivenUp() async throws {
        try await TestContainer.with { container in
            try container.setScript("while :; do sleep 1000; done")
            try await container.supervise("--stdin")
            let input = container.directory.path + "/in"
            try Data(repeating: 120, count: 300_000).write(to: URL(filePath: input))
            // As many as are served at once.
            let clients = try (0..<64).map { try container.attach(name: "client\($0)", stdin: input) }
            for client in clients { try await attached(client) }
            for client in clients { kill(client.pid, SIGKILL) }
            for client in clients { _ = try await client.wait() }
            try await container.succeed(["stop", "--time", "0", container.id])
            #expect(try container.keptCode() == 137)
        }
    }

    /// It has ended, and the supervisor is still there: nobody waits for its exit command.
    @Test func whileTheExitCommandRuns() async throws {
        try await TestContainer.with { container in
            let gate = container.directory.path + "/gate"
            try container.setScript("exit 6")
            try await container.supervise("--exit-command", "while [ ! -e \(gate) ]; do sleep 0.02; done")
            defer { try? Data().write(to: URL(filePath: gate)) }
            try await eventually("the end") { try container.phase() == "stopped" }
            let outcome = try await container.gantry("attach", "--no-stdin", container.id)
            #expect(outcome.code == 6)
            #expect(outcome.stderr.isEmpty)
        }
    }

    /// The end of the input that comes between two runs is the next one's.
    @Test func theEndOfInputInTheRestartPause() async throws {
        try await TestContainer.with { container in
            try container.setScript("[ -e /again ] || { touch /again; exit 1; }; wc -c; exit 8")
            // The pause lasts until the gate is open.
            let gate = container.directory.path + "/gate"
            let words = ["sh", "-c", "while [ ! -e \(gate) ]; do sleep 0.02; done"]
            let hook = ["path": "/bin/sh", "args": words, "timeout": 60] as [String: Any]
            try container.set("hooks", ["poststop": [hook]])
            defer { try? Data().write(to: URL(filePath: gate)) }
            try await container.supervise("--stdin", "--restart", "on-failure:1")
            try await eventually("the pause") { try container.phase() == "restarting" }
            let input = container.directory.path + "/in"
            try "five\n".write(toFile: input, atomically: false, encoding: .utf8)
            let client = try container.attach(name: "client", stdin: input)
            try await attached(client)
            try Data().write(to: URL(filePath: gate))
            #expect(try await client.wait() == 8)
            #expect(container.output("client") == "5\n")
        }
    }
}
