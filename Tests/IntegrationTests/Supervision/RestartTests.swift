import Foundation
import Testing

/// Restart policies, `gantry restart`, and what is kept from one run to the next.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct RestartTests {
    @Test func aPolicyRunsItAgain() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo x >> /runs; echo run $(wc -l < /runs); exit 7")
            try await container.supervise("--restart", "on-failure:2")
            #expect(try await container.gantry("wait", container.id).stdout == "7\n")
            #expect(try container.logged() == ["run 1", "run 2", "run 3"])
            let status = try container.keptStatus()
            #expect(status["restartCount"] as? Int == 2 && status["run"] as? Int == 3)
            try await eventually("nothing to be left") { try Host.processes(of: container.id) == [] }
        }
    }

    @Test func untilItSucceeds() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo x >> /runs; [ $(wc -l < /runs) = 2 ]")
            try await container.supervise("--restart", "on-failure")
            #expect(try await container.gantry("wait", container.id).stdout == "0\n")
            #expect(try container.keptStatus()["restartCount"] as? Int == 1)
        }
    }

    @Test func onRequest() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "trap 'exit 0' TERM; echo x >> /runs; echo run $(wc -l < /runs); while :; do sleep 0.02; done"
            )
            try await container.supervise()
            try await container.waitForLine("run 1")
            let first = try await container.pid()
            try await container.succeed(["restart", container.id])
            #expect(try await container.pid() != first)
            #expect(try await container.status() == "running")
            try await container.waitForLine("run 2")
            // What has been stopped is run, too.
            try await container.succeed(["stop", container.id])
            try await container.succeed(["restart", container.id])
            try await container.waitForLine("run 3")
            let status = try container.keptStatus()
            #expect(status["restartCount"] as? Int == 0 && status["run"] as? Int == 3)
            #expect(status["stoppedByUser"] as? Bool == false)
        }
    }

    @Test func aRunThatCannotBeMadeIsTold() async throws {
        try await TestContainer.with { container in
            try container.setScript("while [ ! -e /end ]; do sleep 0.02; done; exit 7")
            try await container.supervise("--restart", "on-failure:1")
            let config = try Data(contentsOf: URL(filePath: container.bundle + "/config.json"))
            try container.set("process.args", ["/nothere"])
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            #expect(try await container.gantry("wait", container.id).stdout == "1\n")
            let problem = try container.keptStatus()["problem"] as? String ?? ""
            #expect(problem.contains("/nothere"))
            #expect(container.messages().contains("/nothere"))
            // A restart tells it who asked.
            try await container.fail(["restart", container.id], says: "/nothere")
            try FileManager.default.removeItem(atPath: container.rootfs + "/end")
            try config.write(to: URL(filePath: container.bundle + "/config.json"))
            try await container.succeed(["restart", container.id])
            #expect(try container.keptStatus()["problem"] == nil)
        }
    }

    @Test func stopWinsOverTheNextRun() async throws {
        try await TestContainer.with { container in
            try container.setScript("exit 9")
            try await container.supervise("--restart", "always")
            try await eventually("a pause") { try container.phase() == "restarting" }
            try await container.succeed(["stop", container.id])
            #expect(try container.phase() == "stopped")
            #expect(try container.keptCode() == 9)
            let run = try container.keptStatus()["run"] as? Int
            try await eventually("nothing to be left") { try Host.processes(of: container.id) == [] }
            #expect(try container.keptStatus()["run"] as? Int == run)
        }
    }

    @Test func theExitCommandIsToldHowItEnded() async throws {
        try await TestContainer.with { container in
            try container.setScript("exit 3")
            let file = container.directory.path + "/told"
            try await container.supervise(
                "--exit-command",
                "echo $GANTRY_CONTAINER_ID $GANTRY_EXIT_CODE $GANTRY_EXIT_SIGNAL $GANTRY_OOM_KILLED"
                    + " $GANTRY_STATE_DIR > \(file); echo it failed; exit 4")
            try await eventually("its failure to be told") {
                container.messages().contains("the exit command ended with status 4: it failed")
            }
            let told = try String(contentsOfFile: file, encoding: .utf8)
            #expect(told == "\(container.id) 3 0 false \(container.states)/\(container.id)\n")
        }
    }

    /// Whoever asks gets answers meanwhile.
    @Test func anExitCommandThatPrintsForEver() async throws {
        try await TestContainer.with { container in
            try container.setScript("exit 3")
            // One alone may be slower than whoever reads.
            let zeros = "cat /dev/zero /nothing/\(container.id)"
            try await container.supervise("--exit-command", "\(zeros) & \(zeros) & exec \(zeros)")
            let printers: () throws -> [Host.Process] = {
                try Host.processes(of: container.id).filter {
                    Host.commandLine($0.pid).hasPrefix("cat /dev/zero")
                }
            }
            try await eventually("the command to run") { try printers().count == 3 }
            let reader = try container.attach("--no-stdin", name: "reader")
            #expect(try await reader.wait() == 3)
            let supervisor = try await container.pid(of: "supervisor")
            #expect(try Host.privateMemory(supervisor) < 4 << 20)
            for printer in try printers() { kill(printer.pid, SIGKILL) }
            try await eventually("its end to be told") {
                container.messages().contains("the exit command ended with status 137")
            }
            try await eventually("nothing to be left") { try Host.processes(of: container.id) == [] }
        }
    }

    @Test func lackOfMemoryIsTold() async throws {
        try await TestContainer.with { container in
            try container.setScript("sleep 0.1; head -c 200000000 /dev/zero | tail | wc; exit 5")
            try container.set("linux.resources.memory.limit", 20_000_000)
            try container.set("linux.resources.memory.swap", 20_000_000)
            try await container.supervise()
            _ = try await container.gantry("wait", container.id)
            #expect(try container.keptStatus()["oomKilled"] as? Bool == true)
        }
    }

    /// Whoever was given a container's output, another container say, may write for ever: that is none of its own.
    @Test func whoeverElseHasItsOutputDoesNotHoldItUp() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo run; while [ ! -e /go ]; do sleep 0.02; done; exit 3")
            try await container.supervise("--restart", "on-failure:1", "--log-max-size", "1m")
            try await container.waitForLine("run")
            let pid = try #require(try await container.state()["pid"] as? Int)
            let writer = try Child.spawn(
                "/usr/bin/yes", [], stdout: "/proc/\(pid)/fd/1")
            let other = try Child.spawn(
                "/usr/bin/yes", [], stdout: "/proc/\(pid)/fd/1")
            defer {
                kill(writer.pid, SIGKILL)
                kill(other.pid, SIGKILL)
            }
            let log = container.states + "/" + container.id + "/container.log"
            try await eventually("other output") {
                try String(contentsOfFile: log, encoding: .utf8).contains(" F y\n")
            }
            try Data().write(to: URL(filePath: container.rootfs + "/go"))
            let code = try await container.exitCode()
            let status = try container.keptStatus()
            #expect(
                code == 3 && status["restartCount"] as? Int == 1,
                "\(code) \(status) \(container.messages())")
            // The pipe has no reader any more.
            #expect(try await writer.wait() == 128 + SIGPIPE)
            #expect(try await other.wait() == 128 + SIGPIPE)
        }
    }
}
