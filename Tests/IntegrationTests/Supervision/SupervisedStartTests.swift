import Foundation
import Testing

/// `gantry run --detach --supervise`: what it takes, what the container gets, and what is left when it fails.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct SupervisedStartTests {
    /// Nothing is made when the command line is wrong.
    @Test(arguments: [
        (["--supervise"], "--supervise: needs --detach"),
        (["-d", "--log-driver", "none"], "--log-driver: needs --supervise"),
        (["-d", "--log-path", "/tmp/x"], "--log-path: needs --supervise"),
        (["-d", "--restart", "always"], "--restart: needs --supervise"),
        (["-d", "--stdin"], "--stdin: needs --supervise"),
        (["-d", "--exit-command", "true"], "--exit-command: needs --supervise"),
        (
            ["-d", "--supervise", "--console-socket", "/x"],
            "--console-socket: cannot be used with --supervise"
        ),
        (["-d", "--supervise", "--preserve-fds", "1"], "--preserve-fds: cannot be used with --supervise"),
        (["-d", "--supervise", "--restart", "sometimes"], "--restart: \"sometimes\" must be no, on-failure"),
        (["-d", "--supervise", "--restart", "on-failure:0"], "--restart: \"on-failure:0\" must be"),
        (["-d", "--supervise", "--restart", "always:3"], "--restart: \"always:3\" must be"),
        (["-d", "--supervise", "--restart", ""], "--restart: \"\" must be"),
        (["-d", "--supervise", "--exit-command", ""], "--exit-command: must not be empty"),
        (["-d", "--supervise", "--log-driver", "syslog"], "must be k8s-file, json-file, journald, none or"),
        (["-d", "--supervise", "--log-overflow", "never"], "must be block, drop-oldest or stop"),
        (["-d", "--supervise", "--log-path", ""], "--log-path: \"\" must be the path of a file"),
        (["-d", "--supervise", "--log-path", "/tmp/"], "--log-path: \"/tmp/\" must be the path of a file"),
        (["-d", "--supervise", "--log-max-size", "0"], "--log-max-size: must be more than 0"),
        (["-d", "--supervise", "--log-max-size", "-1"], "--log-max-size: must be more than 0"),
        (["-d", "--supervise", "--log-max-size", "9x"], "--log-max-size: invalid size"),
        (["-d", "--supervise", "--log-max-files", "2"], "--log-max-files: needs --log-max-size"),
        (
            ["-d", "--supervise", "--log-max-size", "1k", "--log-max-files", "0"],
            "--log-max-files: must be at least 1"
        ),
        (["-d", "--supervise", "--log-rate-limit", "0"], "--log-rate-limit: must be more than 0"),
        (["-d", "--supervise", "--log-tag", "t"], "--log-tag: the log driver k8s-file has no place for it"),
        (["-d", "--supervise", "--log-label", "a=b"], "--log-label: the log driver k8s-file has no place"),
        (
            ["-d", "--supervise", "--log-driver", "json-file", "--log-label", "=b"],
            "--log-label: \"=b\" must be KEY=VALUE"
        ),
        (
            ["-d", "--supervise", "--log-driver", "none", "--log-path", "/tmp/x"],
            "--log-path: the log driver none writes no file"
        ),
        (
            ["-d", "--supervise", "--log-driver", "none", "--log-rate-limit", "1k"],
            "--log-rate-limit: the log driver none logs nothing"
        ),
        (
            ["-d", "--supervise", "--log-driver", "passthrough", "--restart", "always"],
            "--restart: cannot be used with --log-driver passthrough"
        ),
        (
            ["-d", "--supervise", "--log-driver", "passthrough", "--stdin"],
            "--stdin: the log driver passthrough leaves the container the caller's standard input"
        ),
        (["-d", "--supervise", "--state-dir", ""], "--state-dir: must not be empty"),
    ])
    func refusals(flags: [String], says: String) async throws {
        try await TestContainer.with { container in
            let outcome = try await container.run(flags: flags)
            #expect(outcome.code == 1 && outcome.stderr.contains("gantry: "), "\(outcome)")
            #expect(outcome.stderr.contains(says), "\(outcome)")
            try container.expectNothing()
        }
    }

    @Test func socketActivationIsRefused() async throws {
        try await TestContainer.with { container in
            let outcome = try await Command.run(
                "/bin/sh",
                [
                    "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3</dev/null", "sh", Machine.gantry,
                ] + container.globals + [
                    "run", "-d", "--supervise", "--bundle", container.bundle, container.id,
                ])
            #expect(outcome.code == 1 && outcome.stderr.contains("LISTEN_FDS: cannot be used"), "\(outcome)")
            try container.expectNothing()
        }
    }

    /// Whatever goes wrong with a start is told as it is without a supervisor, and leaves nothing.
    @Test(arguments: [
        "process.args=[\"/nothere\"]", "root.path=\"nothere\"", "process.cwd=\"/etc/passwd\"",
        "hooks={\"poststart\":[{\"path\":\"/bin/false\"}]}",
        "hooks={\"createRuntime\":[{\"path\":\"/bin/false\"}]}",
        "mounts=[{\"destination\":\"/x\",\"source\":\"/nothere\",\"options\":[\"bind\"]}]",
    ])
    func failuresAreTheSame(change: String) async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let parts = change.split(separator: "=", maxSplits: 1)
            try container.set(
                String(parts[0]),
                try JSONSerialization.jsonObject(with: Data(parts[1].utf8), options: .fragmentsAllowed))
            let plain = try await container.run("--detach")
            let supervised = try await container.run("--detach", "--supervise")
            #expect(plain.code == 1, "\(plain)")
            #expect(
                supervised.code == plain.code && supervised.stderr == plain.stderr, "\(supervised)\n\(plain)")
            try container.expectNothing()
        }
    }

    /// What the container does not have of its own it has of whoever called `run`, although that is not its parent.
    @Test func theContainerSeesTheSame() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                """
                { cat /proc/self/limits /proc/self/oom_score_adj /proc/self/sessionid /proc/self/loginuid
                  cat /proc/self/cgroup /proc/self/personality
                  grep -v -e ctxt -e Pid -e Vm -e Rss -e NStgid -e NSpid -e NSpgid -e NSsid -e SigQ /proc/self/status
                  umask; pwd; env; ls /proc/self/fd; ps -o pid,ppid,pgid,sid,args
                  for fd in 0 1 2; do stat -L -c %u:%g:%a /proc/self/fd/$fd; done
                } > /report 2>&1 3>&-
                """)
            try container.set("process.user", ["uid": 0, "gid": 0, "umask": 18])
            var reports: [String] = []
            for flags in [["-d"], ["-d", "--supervise"]] {
                // What a caller may have changed.
                let outcome = try await Command.run(
                    "/bin/sh",
                    [
                        "-c",
                        """
                        umask 027; trap '' HUP PIPE; ulimit -c 5; echo 300 > /proc/self/oom_score_adj
                        exec nice -n 3 "$@" </dev/null >/dev/null
                        """, "sh", Machine.gantry,
                    ] + container.globals + ["run"] + flags + ["--bundle", container.bundle, container.id])
                try #require(outcome.code == 0, "\(outcome)")
                try await eventually("the container to end") {
                    try await container.status() == "stopped"
                }
                reports.append(
                    try container.text("report").split(separator: "\n", omittingEmptySubsequences: false)
                        // Pipes in place of /dev/null.
                        .filter { !$0.hasSuffix(":666") && !$0.hasSuffix(":600") }.joined(separator: "\n"))
                try await container.succeed(["delete", "--force", container.id])
            }
            for (plain, supervised) in zip(
                reports[0].split(separator: "\n"), reports[1].split(separator: "\n"))
            {
                #expect(plain == supervised)
            }
            #expect(reports[0].contains("300\n") && reports[0].contains("SigIgn"), "\(reports[0])")
        }
    }

    /// The keeper holds its output; without `--stdin` it reads the end at once.
    @Test func itsStreamsAreItsOwn() async throws {
        try await TestContainer.with { container in
            try container.setScript("cat; touch /ready; sleep 1000")
            try await container.supervise("--log-driver", "none")
            try await container.waitForFile("ready")
            let pid = try await container.pid()
            let streams = try (0..<3).map {
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
            }
            #expect(streams[0] == "/dev/null")
            #expect(
                streams[1].hasPrefix("pipe:") && streams[2].hasPrefix("pipe:") && streams[1] != streams[2])
        }
    }

    /// Its caller's descriptors are none of its, nor of its keeper's.
    @Test func nothingOfTheCallersStaysOpen() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let secret = container.directory.path + "/secret"
            try Data("x".utf8).write(to: URL(filePath: secret))
            let outcome = try await Command.run(
                "/bin/sh",
                ["-c", "exec 3<\(secret) 7<\(secret); exec \"$@\" </dev/null", "sh", Machine.gantry]
                    + container.globals
                    + [
                        "run", "-d", "--supervise", "--log-driver", "none", "--bundle", container.bundle,
                        container.id,
                    ])
            try #require(outcome.code == 0, "\(outcome)")
            for process in try Host.processes(of: container.id) {
                let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd")
                for number in open {
                    let path = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(process.pid)/fd/\(number)")
                    #expect(path != secret, "\(process)")
                }
            }
        }
    }

    @Test func stateTellsOfTheSupervision() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise("--restart", "on-failure:3", "--log-driver", "json-file")
            let state = try await container.state()
            let supervision = try #require(state["supervision"] as? TestContainer.JSON)
            #expect(state["status"] as? String == "running")
            #expect(supervision["phase"] as? String == "running")
            #expect(supervision["restartPolicy"] as? String == "on-failure:3")
            #expect(supervision["logDriver"] as? String == "json-file")
            #expect(supervision["logPath"] as? String == container.states + "/\(container.id)/container.log")
            #expect(supervision["oomKilled"] as? Bool == false)
            #expect(supervision["exitCode"] == nil && supervision["finishedAt"] == nil)
            let keeper = pid_t(try #require(supervision["keeper"] as? Int))
            let pid = pid_t(try #require(state["pid"] as? Int))
            #expect(Host.stat(pid)?[1] == "\(keeper)")
            #expect(Host.commandLine(keeper).hasPrefix("gantry-keeper "))
        }
    }

    @Test func anIDIsTakenOnce() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            for flags in [[], ["--supervise"]] {
                try await container.fail(
                    ["run", "-d"] + flags + ["--bundle", container.bundle, container.id],
                    says: "container with given ID already exists")
            }
            #expect(try await container.status() == "running")
        }
    }

    @Test func aRunningOneIsDeletedByForceOnly() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise("--restart", "always")
            let processes = try Host.processes(of: container.id)
            #expect(processes.count >= 2, "\(processes)")
            try await container.fail(["delete", container.id], says: "that is not stopped: running")
            try await container.fail(
                ["start", container.id], says: "cannot start an already running container")
            try await container.succeed(["delete", "--force", container.id])
            try container.expectNothing()
            #expect(processes.filter(\.isAlive) == [])
        }
    }

    @Test func itsTerminalIsTheKeepers() async throws {
        try await TestContainer.with { container in
            try container.setScript("tty > /tty; sleep 1000")
            try container.set("process.terminal", true)
            try await container.fail(
                [
                    "run", "-d", "--supervise", "--log-driver", "passthrough", "--bundle", container.bundle,
                    container.id,
                ],
                says: "process.terminal: a terminal cannot be passed through")
            try await container.supervise()
            try await container.waitForFile("tty")
            try await eventually("its terminal to be told") { try container.text("tty") == "/dev/pts/0\n" }
        }
    }

    /// It is made with the directories that are missing, and they go with a start that fails.
    @Test func itsLogMayBeAnywhere() async throws {
        try await TestContainer.with { container in
            let directory = container.directory.path + "/logs"
            let log = directory + "/deep/er/log"
            try container.set("process.args", ["/nothere"])
            let failed = try await container.run("-d", "--supervise", "--log-path", log)
            #expect(failed.code == 1 && failed.stderr.contains("/nothere"), "\(failed)")
            #expect(!FileManager.default.fileExists(atPath: directory))
            try container.setScript("echo said")
            try await container.supervise("--log-path", log)
            try await eventually("the log") {
                ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").contains(" stdout F said\n")
            }
            try await container.succeed(["delete", "--force", container.id])
            #expect(FileManager.default.fileExists(atPath: log))
            for path in [
                "/proc/nothere/log", container.bundle, container.bundle + "/config.json/x", "/dev/null",
            ] {
                let outcome = try await container.run("-d", "--supervise", "--log-path", path)
                #expect(outcome.code == 1 && outcome.stderr.contains("--log-path: "), "\(outcome)")
                try container.expectNothing()
            }
        }
    }

    @Test func passthroughIsTheCallersStreams() async throws {
        try await TestContainer.with { container in
            try container.setScript("cat; echo out; echo err >&2")
            let files = container.directory.path + "/stream-"
            try "in\n".write(toFile: files + "in", atomically: false, encoding: .utf8)
            let flags = [
                "run", "-d", "--supervise", "--log-driver", "passthrough", "--bundle", container.bundle,
            ]
            let child = try Child.spawn(
                Machine.gantry, container.globals + flags + [container.id], stdin: files + "in",
                stdout: files + "out", stderr: files + "err")
            #expect(try await child.wait() == 0)
            // The container goes on behind it.
            #expect(try await container.exitCode() == 0)
            #expect(try String(contentsOfFile: files + "out", encoding: .utf8) == "in\nout\n")
            #expect(try String(contentsOfFile: files + "err", encoding: .utf8) == "err\n")
        }
    }
}

extension TestContainer {
    /// `run --detach --supervise`.
    func supervise(_ flags: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await succeed(
            ["run", "--detach", "--supervise"] + flags + ["--bundle", bundle, id],
            sourceLocation: sourceLocation)
    }

    func run(flags: [String]) async throws -> Outcome {
        try await Command.run(Machine.gantry, globals + ["run", "--bundle", bundle] + flags + [id])
    }

    /// Neither processes nor cgroups nor files of it are left.
    func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for directory in [root, states] {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            #expect(entries == [], sourceLocation: sourceLocation)
        }
        #expect(try Host.processes(of: id) == [], sourceLocation: sourceLocation)
        #expect(Host.cgroups(of: id) == [], sourceLocation: sourceLocation)
    }
}
