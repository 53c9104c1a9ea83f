import Foundation
import Testing

/// What becomes of supervised containers: their end is kept, they run again, they outlive a reboot.
@Suite(.needsContainers, .timeLimit(minutes: 10))
struct SupervisedLifecycleTests {
    @Test(
        arguments: [
            ("exit 0", 0, nil), ("exit 7", 7, nil), ("exit 255", 255, nil), ("kill -9 $$", 137, 9),
            ("kill -TERM $$", 143, 15),
        ] as [(String, Int, Int?)])
    func itsEndIsKept(script: String, code: Int, signal: Int?) async throws {
        try await TestContainer.with { container in
            // PID 1 of a namespace does not die of its own signals.
            try container.shareHostProcesses()
            try container.setScript(script)
            try await container.supervise()
            let supervision = try await container.supervision(when: "stopped")
            #expect(supervision["exitCode"] as? Int == code)
            #expect(supervision["signal"] as? Int == signal)
            #expect(supervision["startedAt"] != nil && supervision["finishedAt"] != nil)
            #expect(supervision["keeper"] == nil && supervision["supervisor"] == nil)
            #expect(try await container.state()["status"] as? String == "stopped")
            let list = try await container.gantry("list")
            #expect(list.stdout.contains("stopped (\(code))"), "\(list)")
            try await container.succeed(["delete", container.id])
            try container.expectNothing()
        }
    }

    /// `start` of one that has stopped: the same bundle, what it wrote before, hooks again.
    @Test func itRunsAgain() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo run >> /runs; echo said; exit $(wc -l < /runs)")
            let note = container.directory.path + "/hooks"
            try container.set("hooks", hooks(note))
            try await container.supervise()
            for run in 1...3 {
                if run > 1 { try await container.succeed(["start", container.id]) }
                let supervision = try await container.supervision(when: "stopped", exitCode: run)
                #expect(supervision["restartCount"] as? Int == 0)
            }
            #expect(try container.text("runs") == "run\nrun\nrun\n")
            try await container.succeed(["delete", container.id])
            #expect(
                try String(contentsOfFile: note, encoding: .utf8)
                    == String(repeating: "createRuntime\npoststart\npoststop\n", count: 3))
            try container.expectNothing()
        }
    }

    private func hooks(_ note: String) -> [String: Any] {
        var hooks: [String: Any] = [:]
        for point in ["createRuntime", "poststart", "poststop"] {
            hooks[point] = [["path": "/bin/sh", "args": ["sh", "-c", "echo \(point) >> \(note)"]]]
        }
        return hooks
    }

    @Test func aPolicyRunsItAgain() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo run >> /runs; exit 3")
            try await container.supervise("--restart", "on-failure:2")
            let supervision = try await container.supervision(when: "stopped", exitCode: 3)
            #expect(supervision["restartCount"] as? Int == 2)
            #expect(try container.text("runs") == "run\nrun\nrun\n")
            // systemd removes a scope with its last process.
            #expect(Machine.usesSystemd || Host.cgroups(of: container.id) != [])
            try await container.succeed(["delete", container.id])
            try container.expectNothing()
        }
    }

    /// A start that fails says why, and leaves the stopped container as it was.
    @Test func aStartThatFailsLeavesItStopped() async throws {
        try await TestContainer.with { container in
            try container.setScript("exit 4")
            try await container.supervise()
            _ = try await container.supervision(when: "stopped", exitCode: 4)
            try container.set("process.args", ["/nothere"])
            for _ in 0..<2 {
                try await container.fail(["start", container.id], says: "no such file or directory")
                let supervision = try await container.supervision(when: "stopped")
                #expect(supervision["exitCode"] as? Int == 4)
                try await eventually("nothing to run") { try Host.processes(of: container.id) == [] }
                #expect(Host.cgroups(of: container.id) == [])
            }
            try container.setScript("exit 5")
            try await container.succeed(["start", container.id])
            _ = try await container.supervision(when: "stopped", exitCode: 5)
            try await container.succeed(["delete", container.id])
            try container.expectNothing()
        }
    }

    /// The supervisor cannot start it again since the bundle has changed.
    @Test func aRestartThatFailsIsTold() async throws {
        try await TestContainer.with { container in
            try container.setScript("while [ ! -e /go ]; do sleep 0.01; done; exit 4")
            try await container.supervise("--restart", "on-failure:1")
            try container.set("process.args", ["/nothere"])
            try Data().write(to: URL(filePath: container.rootfs + "/go"))
            let supervision = try await container.supervision(when: "stopped")
            let problem = try #require(supervision["problem"] as? String)
            #expect(problem.contains("/nothere"), "\(problem)")
            try await container.succeed(["delete", container.id])
            try container.expectNothing()
        }
    }

    @Test func itIsNotAnotherRoots() async throws {
        try await TestContainer.with { container in
            try container.setScript("exit 0")
            try await container.supervise()
            _ = try await container.supervision(when: "stopped")
            let other = container.directory.path + "/other"
            let flags = ["--root", other, "--state-dir", container.states]
            let start = try await Command.run(Machine.gantry, flags + ["start", container.id])
            #expect(
                start.code == 1 && start.stderr.contains("was made with --root \(container.root)"), "\(start)"
            )
            let delete = try await Command.run(Machine.gantry, flags + ["delete", "--force", container.id])
            #expect(delete.code == 1 && delete.stderr.contains("was made with --root"), "\(delete)")
            let list = try await Command.run(Machine.gantry, flags + ["list", "-q"])
            #expect(list.code == 0 && list.stdout == "", "\(list)")
            #expect(try await container.supervision(when: "stopped")["exitCode"] as? Int == 0)
        }
    }

    // MARK: A reboot

    @Test func itOutlivesAReboot() async throws {
        try await TestContainer.with { container in
            let note = container.directory.path + "/hooks"
            try container.set("hooks", hooks(note))
            try container.set("annotations", ["org.example.kept": "yes"])
            try container.setScript("echo run >> /runs; exit 9")
            try await container.supervise()
            _ = try await container.supervision(when: "stopped", exitCode: 9)
            let before = try await container.state()
            try await container.reboot()

            let after = try await container.state()
            #expect(NSDictionary(dictionary: before) == NSDictionary(dictionary: after))
            let list = try await container.gantry("list", "-q")
            #expect(list.stdout == container.id + "\n", "\(list)")
            // The ID stays taken, by a command that knows nothing of supervision, too.
            for words in [["create"], ["run", "-d"], ["run", "-d", "--supervise"]] {
                try await container.fail(
                    words + ["--bundle", container.bundle, container.id],
                    says: "container with given ID already exists")
            }
            try await container.fail(["kill", container.id], says: "container not running")
            _ = try await container.supervision(when: "stopped", exitCode: 9)

            try await container.succeed(["start", container.id])
            _ = try await container.supervision(when: "stopped", exitCode: 9)
            #expect(try container.text("runs") == "run\nrun\n")
            #expect(try await container.state()["created"] as? String == before["created"] as? String)

            try await container.reboot()
            try await container.succeed(["delete", container.id])
            #expect(try String(contentsOfFile: note, encoding: .utf8).hasSuffix("poststop\n"))
            try container.expectNothing()
        }
    }

    @Test func theMachineGoesDownWhileItRuns() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise("--restart", "always")
            try await container.powerCut()
            let state = try await container.state()
            let supervision = try #require(state["supervision"] as? TestContainer.JSON)
            #expect(state["status"] as? String == "stopped" && state["pid"] as? Int == 0)
            #expect(supervision["phase"] as? String == "stopped" && supervision["exitCode"] == nil)
            #expect((supervision["problem"] as? String)?.contains("nobody was there when it ended") == true)
            try await container.succeed(["start", container.id])
            #expect(try await container.status() == "running")
            try await container.succeed(["delete", "--force", container.id])
            try container.expectNothing()
        }
    }

    // MARK: Faults

    @Test func itsKeeperIsKilled() async throws {
        try await TestContainer.with { container in
            try container.setScript("trap 'exit 3' TERM; touch /ready; while :; do sleep 0.05; done")
            try await container.supervise()
            try await container.waitForFile("ready")
            let supervision = try await container.supervision(when: "running")
            kill(pid_t(try #require(supervision["keeper"] as? Int)), SIGKILL)
            try await eventually("the loss to be told") {
                let told = try await container.state()["supervision"] as? TestContainer.JSON
                return (told?["problem"] as? String)?.contains("keeper") == true
            }
            // It goes on, and can be worked with.
            let exec = try await container.gantry("exec", container.id, "/bin/sh", "-c", "exit 6")
            #expect(exec.code == 6, "\(exec)")
            try await container.succeed(["delete", "--force", container.id])
            try container.expectNothing()
        }
    }

    @Test func bothAreKilled() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise("--restart", "always", "--log-driver", "none")
            let supervision = try await container.supervision(when: "running")
            for name in ["keeper", "supervisor"] {
                kill(pid_t(try #require(supervision[name] as? Int)), SIGKILL)
            }
            #expect(try await container.status() == "running")
            try await container.succeed(["delete", "--force", container.id])
            try container.expectNothing()
        }
    }

    /// A keeper that answers nobody is killed in the end.
    @Test func itsKeeperIsStopped() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise("--log-driver", "none")
            let keeper = pid_t(
                try #require(try await container.supervision(when: "running")["keeper"] as? Int))
            kill(keeper, SIGSTOP)
            let outcome = try await container.gantry("delete", "--force", container.id, seconds: 150)
            kill(keeper, SIGCONT)
            #expect(outcome.code == 0, "\(outcome)")
            try container.expectNothing()
        }
    }

    @Test func itRunsOutOfMemory() async throws {
        try await TestContainer.with { container in
            try container.set("linux.resources.memory", ["limit": 20 << 20, "swap": 20 << 20])
            try container.setScript("x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}")
            try await container.supervise()
            let supervision = try await container.supervision(when: "stopped")
            #expect(supervision["oomKilled"] as? Bool == true, "\(supervision)")
            try await container.succeed(["delete", container.id])
        }
    }

    /// 200 with GANTRY_SOAK=1.
    @Test func manyEndAtOnce() async throws {
        let count = Soak.rounds(20, soak: 200)
        try await TestContainer.with { container in
            try container.setScript(
                "while [ ! -e /go ]; do sleep 0.05; done; exit $(($(hostname | tr -dc 0-9) % 200))")
            let (globals, bundle) = (container.globals, container.bundle)
            for number in 0..<count {
                try container.set("hostname", "h\(number)")
                let outcome = try await Command.run(
                    Machine.gantry,
                    globals + ["run", "-d", "--supervise", "--bundle", bundle, "\(container.id)-\(number)"],
                    seconds: 150)
                try #require(outcome.code == 0, "\(outcome)")
            }
            try Data().write(to: URL(filePath: container.rootfs + "/go"))
            try await eventually("all to have ended") {
                let list = try await container.gantry("list")
                return list.lines.filter { $0.contains("stopped (") }.count == count
            }
            let list = try await container.gantry("list").lines
            for number in 0..<count {
                let line = list.first { $0.hasPrefix("\(container.id)-\(number) ") }
                #expect(line?.contains("stopped (\(number % 200))") == true, "\(line ?? "")")
            }
            try await eventually("nothing to run") { try Host.processes(of: container.id) == [] }
            for number in 0..<count { try await container.succeed(["delete", "\(container.id)-\(number)"]) }
            try container.expectNothing()
        }
    }

    /// The exit command may be what removes the container.
    @Test func theExitCommandDeletesIt() async throws {
        try await TestContainer.with { container in
            let said = container.directory.path + "/said"
            let words = ([Machine.gantry] + container.globals + ["delete", container.id]).joined(
                separator: " ")
            try container.setScript("exit 3")
            try await container.supervise(
                "--exit-command", "\(words) > \(said) 2>&1; echo \"code $?\" >> \(said)")
            try await eventually("its end") {
                (try? String(contentsOfFile: said, encoding: .utf8)) == "code 0\n"
            }
            // Keeper and supervisor end after the command.
            try await eventually("nothing to run") { try Host.processes(of: container.id) == [] }
            try container.expectNothing()
        }
    }
}

extension TestContainer {
    /// What `state` tells of it once it is in that phase.
    func supervision(
        when phase: String, exitCode: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        var found: JSON = [:]
        try await eventually("phase \(phase)", sourceLocation: sourceLocation) {
            found = try await self.state()["supervision"] as? JSON ?? [:]
            return found["phase"] as? String == phase && (found["keeper"] == nil) == (phase == "stopped")
                && (exitCode == nil || found["exitCode"] as? Int == exitCode)
        }
        return found
    }

    /// Takes what is on a tmpfs, and whatever runs.
    func reboot() async throws {
        for process in try Host.processes(of: id) { kill(process.pid, SIGKILL) }
        try await eventually("all processes to end") { try Host.processes(of: self.id) == [] }
        try FileManager.default.removeItem(atPath: root)
        try removeCgroups()
    }

    /// So suddenly that nobody notes anything.
    func powerCut() async throws {
        let supervision = try await supervision(when: "running")
        for name in ["keeper", "supervisor"] { kill(pid_t(supervision[name] as? Int ?? 0), SIGSTOP) }
        try await reboot()
    }

    private func removeCgroups() throws {
        for path in Host.cgroups(of: id).reversed() { rmdir(path) }
    }
}
