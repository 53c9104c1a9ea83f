import Foundation
import Testing

// Faults of those who read, watch and limit.
extension FaultTests {
    // MARK: Readers

    /// Killed in the middle of what they read: the others read on, and nothing of them is left.
    @Test func readersAreKilled() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "n=1; while [ ! -e /end ]; do seq $n $((n + 499)); n=$((n + 500)); sleep 0.05; done; echo $n; exit 2"
            )
            try await container.supervise("--log-max-size", "1m", "--log-max-files", "10000")
            let attached = try container.attach("--no-stdin", name: "attached")
            let follower = try container.follow(name: "follower")
            try await eventually("readers") {
                container.outputSize("attached") > 0 && container.outputSize("follower") > 0
            }
            let supervisor = try await container.pid(of: "supervisor")
            let keeper = try await container.pid(of: "keeper")
            let before = try descriptors(supervisor)
            let keptBefore = try descriptors(keeper)
            for round in 0..<Soak.rounds(3, soak: 30) {
                var victims: [Child] = []
                for number in 0..<3 {
                    victims.append(try container.attach("--no-stdin", name: "a\(round).\(number)"))
                    victims.append(try container.follow(name: "f\(round).\(number)"))
                }
                try await eventually("them to read") {
                    (0..<3).allSatisfy { number in
                        ["a", "f"].allSatisfy { container.outputSize("\($0)\(round).\(number)") > 0 }
                    }
                }
                for victim in victims {
                    kill(victim.pid, SIGKILL)
                    #expect(try await victim.wait() == 137)
                }
            }
            try await eventually("their descriptors to be closed") { try descriptors(supervisor) == before }
            try await eventually("those of the keeper") { try descriptors(keeper) == keptBefore }
            try await expectUnharmed(container)
            try end(container)
            #expect(try await attached.wait(seconds: 120) == 2)
            #expect(try await follower.wait(seconds: 120) == 0)
            let logs = try await container.gantry("logs", container.id)
            let last = try #require(logs.stdout.split(separator: "\n").last.flatMap { Int($0) })
            #expect(logs.stdout == Self.lines(1...last))
            #expect(container.output("follower") == logs.stdout)
            // It came when lines had been printed; on a busy machine it may have been too slow later.
            let seen = container.output("attached")
            #expect(
                logs.stdout.hasSuffix(container.missed("attached") == 0 ? seen : String(seen.suffix(1000))))
            #expect(container.messages() == "")
        }
    }

    /// What a process has open, as /proc tells it: numbers differ, what they are does not.
    private func descriptors(_ pid: pid_t) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    /// For a minute with GANTRY_SOAK=1. Nobody waits for it, and what is kept for it has an end.
    @Test func anAttachedReaderStands() async throws {
        let (megabytes, pause) = (Soak.rounds(20, soak: 100), Double(Soak.rounds(3, soak: 60)))
        let print = "awk 'BEGIN { for (i = 0; i < \(megabytes * 12_500); i++) printf \"%079d\\n\", i }'"
        try await TestContainer.with { container in
            try container.setScript(
                "while [ ! -e /go ]; do echo ready >&2; sleep 0.05; done; \(print); touch /printed;"
                    + "\(Self.untilEnd); echo end; exit 3")
            try await container.supervise("--log-max-size", "4m", "--log-max-files", "10000")
            let reader = try container.attach("--no-stdin", name: "reader")
            try await eventually("it to read") { container.outputSize("reader.err") > 0 }
            let supervisor = try await container.pid(of: "supervisor")
            let before = try Host.privateMemory(supervisor)
            kill(reader.pid, SIGSTOP)
            let stopped = ContinuousClock.now
            try go(container)
            var most = 0
            let expected = container.directory.path + "/expected"
            let truth = try Child.spawn("/bin/sh", ["-c", "busybox " + print], stdout: expected)
            try await eventually("the container to print all") {
                most = max(most, try Host.privateMemory(supervisor))
                return FileManager.default.fileExists(atPath: container.rootfs + "/printed")
            }
            #expect(try await truth.wait() == 0)
            let logs = container.directory.path + "/logs"
            try await eventually("the log to have all") {
                try? FileManager.default.removeItem(atPath: logs)
                let reading = try Child.spawn(
                    Machine.gantry, container.globals + ["logs", "--stdout", container.id], stdout: logs)
                #expect(try await reading.wait() == 0)
                most = max(most, try Host.privateMemory(supervisor))
                return try await Command.run("/usr/bin/cmp", ["-s", logs, expected]).code == 0
            }
            try await expectUnharmed(container)
            while ContinuousClock.now - stopped < .seconds(pause) {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(Host.stat(reader.pid)?.first == "T", "it stands all the while")
            // 1 MiB for it, and what the log's batches take.
            #expect(most - before < 8 << 20, "\(before) bytes, then \(most)")

            kill(reader.pid, SIGCONT)
            try end(container)
            #expect(try await reader.wait() == 3)
            let text = container.output("reader")
            #expect(text.hasSuffix("\nend\n"))
            #expect(container.missed("reader") > (megabytes - 4) * 1_000_000)
            #expect(text.utf8.count + container.missed("reader") == megabytes * 1_000_000 + 4)
        }
    }

    // MARK: The supervisor

    /// Killed again and again in the middle of the output; LogLoadTests does it with much of it, and rotation.
    @Test func itsSupervisorIsKilled() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "n=1; while [ ! -e /end ]; do seq $n $((n + 499)); n=$((n + 500)); sleep 0.05; done; exit 4")
            try await container.supervise()
            let process = try await container.pid()
            for round in 1...3 {
                let log = "supervised/" + container.id + "/container.log"
                let size = container.outputSize(log)
                try await eventually("more in the log") { container.outputSize(log) > size }
                let supervisor = try await container.pid(of: "supervisor")
                #expect(kill(supervisor, SIGKILL) == 0)
                try await eventually("it to be told") {
                    container.messages().contains("the supervisor (process \(supervisor)) was killed")
                }
                #expect(container.messages().split(separator: "\n").count == round)
                #expect(try await container.pid() == process, "the same process")
            }
            try await expectUnharmed(container)
            try end(container)
            #expect(try await container.gantry("wait", container.id).stdout == "4\n")
            let supervision = try await container.supervision(when: "stopped", exitCode: 4)
            #expect(supervision["restartCount"] as? Int == 0 && supervision["problem"] == nil)
            let printed = try await container.printed("stdout")
            let last = try #require(printed.split(separator: "\n").last.flatMap { Int($0) })
            #expect(printed == Self.lines(1...last))
        }
    }

    // MARK: The kernel

    /// Its first process is killed for want of memory.
    @Test func theKernelKillsIt() async throws {
        try await TestContainer.with { container in
            try container.set("linux.resources.memory", ["limit": 20 << 20, "swap": 20 << 20])
            // The shell itself has it all.
            try container.setScript("echo before; x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}")
            let file = container.directory.path + "/told"
            try await container.supervise(
                "--exit-command", "echo $GANTRY_OOM_KILLED $GANTRY_EXIT_CODE $GANTRY_EXIT_SIGNAL > \(file)")
            #expect(try await container.gantry("wait", container.id).stdout == "137\n")
            let supervision = try await container.supervision(when: "stopped", exitCode: 137)
            #expect(supervision["signal"] as? Int == 9 && supervision["oomKilled"] as? Bool == true)
            // systemd has removed the cgroup.
            #expect(Machine.usesSystemd || memoryKills(container) > 0, "the kernel says so")
            let list = try await container.gantry("list")
            #expect(list.stdout.contains("stopped (137)"), "\(list)")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "true 137 9\n")
            expectTold(container, "memory ran out")
            #expect(try await container.printed("stdout") == "before\n")
        }
    }

    /// `oom_kill` of memory.events, or of version 1's memory.oom_control.
    private func memoryKills(_ container: TestContainer) -> Int {
        let files = Host.cgroups(of: container.id).flatMap {
            ["\($0)/memory.events", "\($0)/memory.oom_control"]
        }
        let lines = files.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }.joined()
            .split(separator: "\n").filter { $0.hasPrefix("oom_kill ") }
        return lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
    }
}
