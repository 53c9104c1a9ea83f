import Foundation
import Testing

/// `gantry exec` in a container that runs.
@Suite(.timeLimit(.minutes(3))) struct ExecTests {
    /// A busybox container whose first process sleeps.
    private func with(
        _ change: (TestContainer) throws -> Void = { _ in }, _ body: (TestContainer) async throws -> Void
    ) async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try change(container)
            let outcome = try await container.run("--detach")
            #expect(outcome.code == 0, "\(outcome)")
            try await body(container)
        }
    }

    @Test func runsInTheContainer() async throws {
        try await with { container in
            let outcome = try await container.gantry(
                "exec", container.id, "/bin/sh", "-c", "echo out; echo err >&2; cat; exit 7", stdin: "in\n")
            #expect(
                outcome.code == 7 && outcome.stdout == "out\nin\n" && outcome.stderr == "err\n", "\(outcome)")
        }
    }

    /// The kernel's own names for namespaces and cgroups.
    @Test func joinsAllNamespacesAndCgroups() async throws {
        try await with { container in
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
            #expect(cgroup.stdout == init1.stdout && cgroup.lines.count > 1, "\(cgroup)\n\(init1)")
        }
    }

    @Test func aKilledProcessGives128PlusTheSignal() async throws {
        try await with { container in
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
        try await with { container in
            let outcome = try await container.gantry("exec", container.id, program)
            #expect(outcome.code == 255 && outcome.stderr.contains(says), "\(outcome)")
        }
    }

    @Test func detachedItGoesOnAndItsPidIsTold() async throws {
        try await with { container in
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
        try await with { container in
            let outcome = try await container.gantry("exec", "--user", user, container.id, "/bin/id")
            #expect(outcome.code != 0 && outcome.stdout.isEmpty, "\(outcome)")
            #expect(outcome.stderr.contains("--user: \"\(user)\" must be UID or UID:GID"), "\(outcome)")
        }
    }

    @Test(arguments: [("1", "uid=1 gid=0"), ("7:8", "uid=7 gid=8")])
    func users(user: String, says: String) async throws {
        try await with { container in
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
        try await with { container in
            let file = container.directory.path + "/process.json"
            try """
            {"cwd": "/tmp", "args": ["/bin/sh", "-c", "pwd; id -u; echo $X"], "env": ["X=y"],
             "user": {"uid": 5, "gid": 6}}
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let outcome = try await container.gantry("exec", "--process", file, container.id)
            #expect(outcome.stdout == "/tmp\n5\ny\n", "\(outcome)")
        }
    }

    @Test(arguments: ["../x", "/x", "a/../../b", "nosuch:x", "memory:..", "memory:/x", ":"])
    func cgroupsThatLeadOut(path: String) async throws {
        try await with { container in
            let outcome = try await container.gantry("exec", "--cgroup", path, container.id, "/bin/true")
            #expect(outcome.code == 255 && outcome.stderr.contains("--cgroup"), "\(outcome)")
        }
    }
}
