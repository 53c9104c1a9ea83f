import Foundation
import Testing

/// `gantry stop`, `restart` and `wait`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct StopTests {
    /// Ends with 5 on INT, with 6 on TERM; nothing else ends it.
    private static let obeying =
        "trap 'exit 5' INT; trap 'exit 6' TERM; touch /ready; while :; do sleep 0.02; done"
    private static let ignoring = "trap '' TERM; touch /ready; while :; do sleep 0.02; done"

    /// Runs the body with a container that has got so far that it obeys.
    private static func with<Value>(
        _ script: String, _ flags: [String] = ["--supervise"],
        _ change: (TestContainer) throws -> Void = { _ in },
        _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        try await TestContainer.with { container in
            try container.setScript(script)
            try change(container)
            try await container.succeed(
                ["run", "--detach"] + flags + ["--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            return try await body(container)
        }
    }

    @Test func itIsAsked() async throws {
        try await StopTests.with(StopTests.obeying) { container in
            try await container.succeed(["stop", container.id])
            #expect(try container.keptCode() == 6)
            #expect(try container.phase() == "stopped")
            #expect(try container.keptStatus()["stoppedByUser"] as? Bool == true)
            #expect(try await container.gantry("wait", container.id).stdout == "6\n")
            // Once more is no error.
            try await container.succeed(["stop", container.id])
        }
    }

    @Test(arguments: ["INT", "SIGINT", "2"])
    func bySignal(_ signal: String) async throws {
        try await StopTests.with(StopTests.obeying) { container in
            try await container.succeed(["stop", "--signal", signal, container.id])
            #expect(try container.keptCode() == 5)
        }
    }

    /// OCI image-spec, annotations.md.
    @Test(arguments: [true, false])
    func byItsOwnSignal(isSupervised: Bool) async throws {
        let set = { (container: TestContainer) in
            try container.set("annotations", ["org.opencontainers.image.stopSignal": "SIGINT"])
            try container.setScript(
                "trap 'echo int > /how; exit 5' INT; trap 'exit 6' TERM; touch /ready; while :; do sleep 0.02; done"
            )
        }
        try await StopTests.with("", isSupervised ? ["--supervise"] : [], set) { container in
            try await container.succeed(["stop", container.id])
            #expect(try container.text("how") == "int\n")
        }
    }

    @Test(arguments: [true, false])
    func whatDoesNotObeyIsKilled(isSupervised: Bool) async throws {
        try await StopTests.with(StopTests.ignoring, isSupervised ? ["--supervise"] : []) { container in
            let began = Date()
            try await container.succeed(["stop", "--time", "1", container.id])
            #expect(Date().timeIntervalSince(began) >= 1)
            if isSupervised {
                #expect(try container.keptCode() == 137)
                #expect((try container.keptStatus()["end"] as? TestContainer.JSON)?["signal"] as? Int == 9)
            }
            try await container.waitUntil("stopped")
        }
    }

    @Test func withoutGrace() async throws {
        try await StopTests.with(StopTests.obeying) { container in
            try await container.succeed(["stop", "-t", "0", container.id])
            #expect(try container.keptCode() == 137)
        }
    }

    @Test(arguments: [true, false])
    func whatIsPausedGoesOn(isSupervised: Bool) async throws {
        try await StopTests.with(StopTests.obeying, isSupervised ? ["--supervise"] : []) { container in
            try await container.succeed(["pause", container.id])
            try await container.succeed(["stop", "--time", "50", container.id])
            if isSupervised { #expect(try container.keptCode() == 6) }
        }
    }

    @Test func noPolicyRunsItAgain() async throws {
        try await StopTests.with(StopTests.obeying, ["--supervise", "--restart", "always"]) { container in
            try await container.succeed(["stop", container.id])
            #expect(try container.phase() == "stopped")
            #expect(try container.keptStatus()["run"] as? Int == 1)
            try await eventually("nothing to be left") { try Host.processes(of: container.id) == [] }
        }
    }

    @Test func severalOneOfThemUnknown() async throws {
        try await StopTests.with(StopTests.obeying) { container in
            let outcome = try await container.gantry("stop", "nothere", container.id)
            #expect(outcome.code == 1 && outcome.stderr.contains("nothere: "), "\(outcome)")
            #expect(try container.phase() == "stopped")
        }
    }

    /// One that never obeys does not keep another from being stopped.
    @Test(arguments: [true, false])
    func severalOneOfThemDisobedient(isSupervised: Bool) async throws {
        let flags = isSupervised ? ["--supervise"] : []
        try await StopTests.with(StopTests.ignoring, flags) { container in
            let other = container.id + "-other"
            try container.setScript(StopTests.obeying)
            try FileManager.default.removeItem(atPath: container.rootfs + "/ready")
            try await container.succeed(["run", "--detach"] + flags + ["--bundle", container.bundle, other])
            try await container.waitForFile("ready")
            let command = try Child.spawn(
                Machine.gantry, container.globals + ["stop", "--time", "-1", container.id, other])
            try await eventually("the other one's end") {
                try await container.gantry("state", other).stdout.contains("\"stopped\"")
            }
            #expect(try await container.status() == "running")
            kill(try await container.pid(), SIGKILL)
            #expect(try await command.wait() == 0)
            try await container.succeed(["delete", other])
        }
    }

    @Test(arguments: [
        (["--time", "-2"], "--time: must be"), (["--time", "x"], "--time: must be"),
        (["--signal", "NONE"], "unknown signal"), (["--signal", "0"], "--signal: must be"),
    ])
    func nonsenseIsRefused(flags: [String], says: String) async throws {
        try await TestContainer.with { container in
            let outcome = try await Command.run(
                Machine.gantry, container.globals + ["stop"] + flags + [container.id])
            #expect(outcome.code == 1 && outcome.stderr.contains(says), "\(outcome)")
        }
    }

    /// SIGTERM to the supervisor: as `stop`; no policy runs it again, but nobody has stopped it for good either.
    @Test func theEndOfTheSupervisorIsThatOfTheContainer() async throws {
        try await StopTests.with(StopTests.obeying, ["--supervise", "--restart", "always"]) { container in
            #expect(kill(try await container.pid(of: "supervisor"), SIGTERM) == 0)
            try await eventually("the end") { try container.phase() == "stopped" }
            #expect(try container.keptCode() == 6)
            #expect(try container.keptStatus()["stoppedByUser"] as? Bool == false)
        }
    }

    // MARK: wait

    @Test func exitCodesAreTold() async throws {
        try await TestContainer.with { container in
            try container.setScript("sleep 0.2; kill -9 $$")
            // PID 1 of a namespace of its own is not killed by itself.
            try container.shareHostProcesses()
            try await container.supervise()
            let outcome = try await container.gantry("wait", container.id)
            #expect(outcome.code == 0 && outcome.stdout == "137\n", "\(outcome)")
        }
    }

    @Test func whoWaitsIsToldAlsoByTheNextSupervisor() async throws {
        try await TestContainer.with { container in
            try container.setScript("while [ ! -e /end ]; do sleep 0.02; done; exit 44")
            try await container.supervise()
            let waiter = try Child.spawn(
                Machine.gantry, container.globals + ["wait", container.id],
                stdout: container.directory.path + "/code")
            try await Task.sleep(for: .milliseconds(100))
            try await container.killSupervisor()
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            #expect(try await waiter.wait() == 0)
            #expect(container.output("code") == "44\n")
        }
    }

    @Test func execsAreWaitedFor() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            let pidFile = container.directory.path + "/exec.pid"
            try await container.succeed(
                [
                    "exec", "--detach", "--pid-file", pidFile, container.id, "/bin/sh", "-c",
                    "sleep 0.2; exit 33",
                ])
            let pid = try String(contentsOfFile: pidFile, encoding: .utf8)
            for _ in 0..<2 {
                let outcome = try await container.gantry("wait", "--exec", pid, container.id)
                #expect(outcome.code == 0 && outcome.stdout == "33\n", "\(outcome)")
            }
            // Not there, or none of the container's.
            for pid in ["99999999", "\(getpid())"] {
                try await container.fail(
                    ["wait", "--exec", pid, container.id], says: "no process \(pid) of an exec")
            }
        }
    }

    @Test func nobodyKeepsTheCodeOfAnUnsupervisedOne() async throws {
        try await TestContainer.with { container in
            try container.setScript("sleep 0.1")
            try await container.succeed(["run", "--detach", "--bundle", container.bundle, container.id])
            try await container.fail(["wait", container.id], says: "its exit code is not kept")
            try await container.fail(["restart", container.id], says: "is not supervised")
            try await container.fail(["attach", container.id], says: "is not supervised")
        }
    }
}
