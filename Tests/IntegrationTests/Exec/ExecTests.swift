import Foundation
import Testing

/// `gantry exec` in a container that runs.
@Suite(.alsoSupervised, .timeLimit(minutes: 3)) struct ExecTests {
    @Test func runsInTheContainer() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry(
                "exec", container.id, "/bin/sh", "-c", "echo out; echo err >&2; cat; exit 7", stdin: "in\n")
            #expect(
                outcome.code == 7 && outcome.stdout == "out\nin\n" && outcome.stderr == "err\n", "\(outcome)")
        }
    }

    /// The kernel's own names for namespaces and cgroups.
    @Test func joinsAllNamespacesAndCgroups() async throws {
        try await TestContainer.sleeping { container in
            let pid = try await container.pid()
            for name in ["pid", "mnt", "net", "ipc", "uts", "cgroup", "user"] {
                let inside = try await container.gantry(
                    "exec", container.id, "/bin/readlink", "/proc/self/ns/\(name)")
                let outside = try FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(pid)/ns/\(name)")
                #expect(inside.stdout == outside + "\n", "\(inside)")
            }
            let cgroup = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            let init1 = try await container.gantry("exec", container.id, "/bin/cat", "/proc/1/cgroup")
            #expect(
                cgroup.stdout == init1.stdout && cgroup.stdout.contains(container.id), "\(cgroup)\n\(init1)")
        }
    }

    @Test func aKilledProcessGives128PlusTheSignal() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", container.id, "/bin/sh", "-c", "kill -9 $$")
            #expect(outcome.code == 137, "\(outcome)")
        }
    }

    @Test(arguments: [
        ("nothere", "exec failed: exec: \"nothere\": executable file not found in $PATH"),
        ("/nothere", "no such file or directory"), ("/etc", "permission denied: it is a directory"),
        ("/etc/passwd", "permission denied"),
    ])
    func whatCannotBeExecutedIs255(program: String, says: String) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", container.id, program)
            #expect(outcome.code == 255 && outcome.stderr.contains(says), "\(outcome)")
        }
    }

    @Test func detachedItGoesOnAndItsPidIsTold() async throws {
        try await TestContainer.sleeping { container in
            let file = container.directory.path + "/pid"
            let outcome = try await container.gantry(
                "exec", "--detach", "--pid-file", file, container.id, "/bin/sleep", "999")
            #expect(outcome.code == 0 && outcome.stdout.isEmpty, "\(outcome)")
            let pid = try String(contentsOfFile: file, encoding: .utf8)
            let line = try String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
            #expect(line == "/bin/sleep\0999\0")
        }
    }

    @Test(arguments: [
        "", ":", "1:", ":1", "-1", "4294967295", "4294967296", "1:x", "root", "1 ", "0x1", "1:2:3",
    ])
    func usersThatAreRefused(user: String) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", "--user", user, container.id, "/bin/id")
            #expect(outcome.code != 0 && outcome.stdout.isEmpty, "\(outcome)")
            #expect(outcome.stderr.contains("--user: \"\(user)\" must be UID or UID:GID"), "\(outcome)")
        }
    }

    @Test(arguments: [("1", "uid=1 gid=0"), ("7:8", "uid=7 gid=8")])
    func users(user: String, says: String) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", "-u", user, container.id, "/bin/id")
            #expect(
                outcome.stdout.replacingOccurrences(
                    of: "\\([a-z]*\\)", with: "", options: .regularExpression
                ).hasPrefix(says), "\(outcome)")
        }
    }

    @Test func statesThatForbidIt() async throws {
        try await TestContainer.with(["/bin/true"]) { container in
            let unknown = try await container.gantry("exec", container.id, "/bin/true")
            #expect(unknown.code == 255 && unknown.stderr.contains("container does not exist"), "\(unknown)")
            _ = try await container.run("--detach")
            try await container.waitUntil("stopped")
            let stopped = try await container.gantry("exec", container.id, "/bin/true")
            #expect(stopped.code == 255, "\(stopped)")
            #expect(stopped.stderr.contains("cannot exec in a stopped container"), "\(stopped)")
        }
    }

    @Test func aDocumentGivesTheWholeProcess() async throws {
        try await TestContainer.sleeping { container in
            let file = container.directory.path + "/process.json"
            try """
            {"cwd": "/tmp", "args": ["/bin/sh", "-c", "pwd; id -u; echo $X"], "env": ["X=y"],
             "user": {"uid": 5, "gid": 6}}
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let outcome = try await container.gantry("exec", "--process", file, container.id)
            #expect(outcome.stdout == "/tmp\n5\ny\n", "\(outcome)")
        }
    }

    /// A shell's `<(…)`: read to its end, and only once.
    @Test func aDocumentMayComeThroughAPipe() async throws {
        try await TestContainer.sleeping { container in
            let fifo = container.directory.path + "/process"
            try #require(mkfifo(fifo, 0o600) == 0)
            // Not as its standard output: the spawn would wait for a reader.
            let script = """
                { printf '{"cwd": "/", '; sleep 0.1; echo '"args": ["/bin/pwd"]}'; } > "$0"
                """
            let writer = try Child.spawn("/bin/sh", ["-c", script, fifo])
            let outcome = try await container.gantry("exec", "--process", fifo, container.id)
            #expect(outcome.code == 0 && outcome.stdout == "/\n", "\(outcome)")
            #expect(try await writer.wait() == 0)
        }
    }

    /// Nobody would know which process it is.
    @Test(arguments: [["--detach"], []])
    func whoseFileCannotBeWrittenDoesNotGoOn(flags: [String]) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await Command.run(
                Machine.gantry,
                ["--root", container.root, "exec", "--pid-file", "/proc/nosuch/pid"] + flags
                    + [container.id, "/bin/sleep", "999"])
            #expect(outcome.code == 255 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains("/proc/nosuch/pid"), "\(outcome)")
            try await eventually("its end") {
                try !Host.processes(of: container.id).contains { Host.commandLine($0.pid).contains("999") }
            }
        }
    }

    /// Of what gantry itself lacks, what was asked for here is told; what the container lacks was told before.
    @Test func capabilitiesThatCannotBeGivenAreTold() async throws {
        try await TestContainer.sleeping { container in
            func exec(_ flags: [String]) async throws -> Outcome {
                try await Command.run(
                    "/usr/bin/setpriv",
                    ["--bounding-set", "-sys_time", Machine.gantry, "--root", container.root, "exec"] + flags
                        + [container.id, "/bin/grep", "CapEff", "/proc/self/status"])
            }
            let plain = try await exec([])
            #expect(plain.code == 0 && plain.stderr.isEmpty, "\(plain)")
            let asked = try await exec(["--cap", "CAP_SYS_TIME", "--cap", "CAP_SYS_BOOT"])
            #expect(asked.code == 0 && asked.isOneSentence, "\(asked)")
            #expect(asked.stderr.contains("CAP_SYS_TIME"), "\(asked)")
            #expect(!asked.stderr.contains("CAP_SYS_BOOT"), "\(asked)")
            let mask = UInt64(statusValue("CapEff", in: asked.stdout) ?? "", radix: 16)
            #expect(mask == 1 << 5 | 1 << 10 | 1 << 22 | 1 << 29, "\(asked)")
        }
    }

    @Test(arguments: ["../x", "/x", "a/../../b", "nosuch:x", "memory:..", "memory:/x", ":"])
    func cgroupsThatLeadOut(path: String) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", "--cgroup", path, container.id, "/bin/true")
            #expect(outcome.code == 255 && outcome.stderr.contains("--cgroup"), "\(outcome)")
        }
    }
}
