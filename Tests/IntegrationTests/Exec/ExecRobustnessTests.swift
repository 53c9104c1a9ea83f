import Foundation
import Testing

/// Many execs, and execs at the wrong moment.
@Suite(.needsContainers, .alsoSupervised, .timeLimit(minutes: 10))
struct ExecRobustnessTests {
    private func exec(_ container: TestContainer, _ words: [String]) async throws -> Outcome {
        try await Command.run(
            Machine.gantry, ["--root", container.root, "exec"] + words, seconds: 150)
    }

    /// What of execs could be left behind: processes and cgroups of the container, files of its state.
    private func traces(_ container: TestContainer) throws -> [String] {
        let pid = try #require(
            Host.processes(of: container.id).first { Host.commandLine($0.pid).contains("sleep 1000") }?.pid)
        return try Host.processes(of: container.id).map(\.description).sorted()
            + Host.cgroups(of: container.id).sorted()
            + FileManager.default.subpathsOfDirectory(atPath: container.root).sorted()
            + FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").sorted()
    }

    /// 2,000 with GANTRY_SOAK=1.
    @Test func manyLeaveNothing() async throws {
        try await TestContainer.sleeping { container in
            _ = try await exec(container, [container.id, "/bin/true"])
            let before = try traces(container)
            for number in 0..<Soak.rounds(100, soak: 2000) {
                let outcome = try await exec(
                    container,
                    ["--user", "\(number % 3)", container.id, "/bin/sh", "-c", "exit \(number % 7)"])
                #expect(outcome.code == Int32(number % 7), "\(outcome)")
            }
            #expect(try traces(container) == before)
        }
    }

    @Test func aHundredAtOnce() async throws {
        try await TestContainer.sleeping { container in
            let (root, id) = (container.root, container.id)
            try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let words = [
                            "--root", root, "exec", id, "/bin/sh", "-c", "echo \(number); exit \(number)",
                        ]
                        return (number, try await Command.run(Machine.gantry, words, seconds: 150))
                    }
                }
                for try await (number, outcome) in group {
                    #expect(outcome.code == Int32(number) && outcome.stdout == "\(number)\n", "\(outcome)")
                }
            }
        }
    }

    @Test func everyExitCode() async throws {
        try await TestContainer.sleeping { container in
            for code in [0, 1, 2, 126, 127, 128, 200, 254, 255] {
                let outcome = try await exec(container, [container.id, "/bin/sh", "-c", "exit \(code)"])
                #expect(outcome.code == Int32(code), "\(outcome)")
            }
        }
    }

    /// Either the program has run, or a sentence says why not; never the one without the other.
    @Test func racingWithTheEnd() async throws {
        for round in 0..<Soak.rounds(8, soak: 200) {
            try await TestContainer.sleeping { container in
                let child = try Child.spawn(
                    Machine.gantry,
                    [
                        "--root", container.root, "exec", container.id, "/bin/sh", "-c",
                        "echo ran > /ran; exit 7",
                    ],
                    stderr: container.directory.path + "/err")
                try await Task.sleep(for: .milliseconds(round * 2 % 40))
                _ = try await container.gantry("kill", container.id, "KILL")
                let code = try await child.wait(seconds: 150)
                let error = try String(contentsOfFile: container.directory.path + "/err", encoding: .utf8)
                #expect([7, 137, 255].contains(code), "\(code) \(error)")
                #expect((code == 255) == !error.isEmpty, "\(code) \(error)")
                if code == 7 { #expect(try container.text("ran") == "ran\n") }
            }
        }
    }

    @Test func racingWithDelete() async throws {
        for round in 0..<Soak.rounds(6, soak: 100) {
            try await TestContainer.sleeping { container in
                let child = try Child.spawn(
                    Machine.gantry, ["--root", container.root, "exec", container.id, "/bin/sleep", "1000"],
                    stderr: container.directory.path + "/err")
                try await Task.sleep(for: .milliseconds(round * 3 % 50))
                let deleted = try await container.gantry("delete", "--force", container.id)
                #expect(deleted.code == 0, "\(deleted)")
                let code = try await child.wait(seconds: 150)
                let error = try String(contentsOfFile: container.directory.path + "/err", encoding: .utf8)
                #expect(code == 137 || code == 255 && !error.isEmpty, "\(code) \(error)")
                try await eventually("its end") { try Host.processes(of: container.id).isEmpty }
                #expect(Host.cgroups(of: container.id) == [])
            }
        }
    }

    @Test func racingWithPause() async throws {
        try await TestContainer.sleeping { container in
            let (root, id) = (container.root, container.id)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<8 {
                        for command in ["pause", "resume"] {
                            let outcome = try await Command.run(
                                Machine.gantry, ["--root", root, command, id])
                            #expect(outcome.code == 0, "\(outcome)")
                        }
                    }
                }
                for flags in [[], ["--ignore-paused"]] {
                    group.addTask {
                        for _ in 0..<12 {
                            let outcome = try await Command.run(
                                Machine.gantry,
                                ["--root", root, "exec"] + flags + [id, "/bin/sh", "-c", "exit 3"],
                                seconds: 150)
                            let isRefused = outcome.code == 255 && outcome.stderr.contains("container paused")
                            #expect(outcome.code == 3 || flags.isEmpty && isRefused, "\(outcome)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: ["TERM", "INT", "USR1", "HUP"])
    func signalsAreForwarded(signal: String) async throws {
        try await TestContainer.sleeping { container in
            let script = "trap 'exit 9' \(signal); touch /ready; while :; do sleep 0.05; done"
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "exec", container.id, "/bin/sh", "-c", script])
            try await container.waitForFile("ready")
            let number = ["TERM": SIGTERM, "INT": SIGINT, "USR1": SIGUSR1, "HUP": SIGHUP][signal]!
            kill(child.pid, number)
            #expect(try await child.wait() == 9)
        }
    }

    /// As with runc: what was started is the container's.
    @Test func theProcessOutlivesGantry() async throws {
        try await TestContainer.sleeping { container in
            let child = try Child.spawn(
                Machine.gantry,
                [
                    "--root", container.root, "exec", container.id, "/bin/sh", "-c",
                    "touch /ready; exec sleep 999",
                ])
            try await container.waitForFile("ready")
            kill(child.pid, SIGKILL)
            #expect(try await child.wait() == 137)
            #expect(
                try Host.processes(of: container.id).contains { Host.commandLine($0.pid).contains("999") })
        }
    }

    /// Gantry, or a stage of the init, is killed at a system call: what is left in the container is its own.
    @Test(arguments: [KillPoint.Victim.gantry, .stage1, .stage2])
    func killed(victim: KillPoint.Victim) async throws {
        // The stages are children of the keeper then, where killpoint.c does not see them.
        if TestContainer.areSupervised, victim != .gantry { return }
        try await TestContainer.sleeping { container in
            let words = ["--root", container.root, "exec", container.id, "/bin/true"]
            let before = try traces(container)
            let whole = try await KillPoint.run(victim, .never, words)
            try #require(whole.outcome.code == 0, "\(whole)")
            let count = whole.calls.count
            let calls =
                Soak.isOn ? Array(1...count) : [1, count] + (0..<8).map { _ in Int.random(in: 1...count) }
            for call in calls {
                let point = try await KillPoint.run(victim, .call(call), words)
                #expect([0, 137, 255].contains(point.outcome.code), "\(point)")
                #expect(point.outcome.code != 255 || point.outcome.isOneSentence, "\(point)")
                try await eventually("what is left of \(point) to end") {
                    !point.left.contains(where: \.isAlive)
                }
                try await eventually("\(before) after \(point)") { try traces(container) == before }
            }
        }
    }

    /// Directories, devices and nonsense in place of a document.
    @Test(arguments: [
        ("/", "is a directory"), ("/dev/zero", "must not be larger than 16 MiB"), ("/nosuch", "no such file"),
        ("/dev/null", "expected a value"), ("{", "line 1, column 2"), ("[]", "must be an object"),
        ("{\"cwd\": \"/\", \"args\": []}", "args"), ("{\"cwd\": \"/\", \"args\": 1}", "args"),
        ("{\"args\": [\"x\"], \"cwd\": \"rel\"}", "cwd: must be an absolute"), ("\u{0}", "line 1, column 1"),
        ("{\"args\": [\"x\"]}", "cwd: is required"),
    ])
    func documents(text: String, says: String) async throws {
        try await TestContainer.sleeping { container in
            var path = text
            if !text.hasPrefix("/") {
                path = container.directory.path + "/process.json"
                try text.write(toFile: path, atomically: false, encoding: .utf8)
            }
            let outcome = try await exec(container, ["--process", path, container.id])
            #expect(outcome.code == 255 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains(says), "\(outcome)")
        }
    }

    @Test func aLimitOnProcessesIsTold() async throws {
        try await TestContainer.sleeping {
            try $0.set("linux.resources.pids", ["limit": 1])
        } _: { container in
            let outcome = try await exec(container, [container.id, "/bin/true"])
            #expect(outcome.code == 255 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains("limit on processes"), "\(outcome)")
        }
    }

    @Test func aMemoryLimitKills() async throws {
        try await TestContainer.sleeping {
            try $0.set("linux.resources.memory", ["limit": 16 << 20, "swap": 16 << 20])
        } _: { container in
            let outcome = try await exec(
                container,
                [container.id, "/bin/sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=64M count=1"])
            #expect(outcome.code == 137, "\(outcome)")
            let after = try await exec(container, [container.id, "/bin/true"])
            #expect(after.code == 0, "\(after)")
        }
    }

    @Test func closedStandardStreams() async throws {
        try await TestContainer.sleeping { container in
            for closing in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
                let outcome = try await Command.run(
                    "/bin/sh",
                    [
                        "-c", "exec \"$@\" \(closing)", "sh", Machine.gantry, "--root", container.root,
                        "exec",
                        container.id, "/bin/sh", "-c", "exec > /list; ls /proc/$$/fd; exit 5",
                    ])
                #expect(outcome.code == 5, "\(outcome)")
                #expect(try container.text("list") == "0\n1\n2\n")
            }
        }
    }

    @Test(arguments: ["umount /proc", "umount -l /dev", "mount -t tmpfs none /dev", "rm -rf /etc /tmp"])
    func aContainerThatTookItselfApart(how: String) async throws {
        try await TestContainer.sleeping {
            for set in ["bounding", "effective", "permitted"] {
                try $0.set("process.capabilities.\(set)", ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])
            }
        } _: { container in
            _ = try await exec(container, [container.id, "/bin/sh", "-c", how])
            let outcome = try await exec(container, [container.id, "/bin/sh", "-c", "echo here; exit 4"])
            #expect(outcome.code == 4 && outcome.stdout == "here\n", "\(outcome)")
        }
    }

    @Test func aRootFileSystemThatIsGone() async throws {
        try await TestContainer.sleeping { container in
            try FileManager.default.removeItem(atPath: container.rootfs + "/bin")
            let outcome = try await exec(container, [container.id, "/bin/true"])
            #expect(outcome.code == 255 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains("no such file or directory"), "\(outcome)")
        }
    }
}
