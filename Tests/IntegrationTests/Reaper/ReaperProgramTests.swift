import Foundation
import TestSupport
import Testing

/// `--init`: the program is what it would be without, and one that cannot be executed is told as well as can be.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ReaperProgramTests {
    /// A program sees of itself what it sees without.
    @Test func isTheSameProgram() async throws {
        try await TestContainer.with { container in
            try container.set("process.env", ["PATH=/bin", "A=b c", "B="])
            try container.set("process.cwd", "/tmp")
            let script =
                "tr '\\0' '|' < /proc/$$/cmdline; tr '\\0' '|' < /proc/$$/environ; pwd; umask; ulimit -n"
            try container.set("process.args", ["sh", "-c", script, "", "two words", "é\n"])
            let (plain, with) = (try await container.run(), try await container.runWithReaper())
            #expect(
                with.code == 0 && with.stdout == plain.stdout && with.stderr == plain.stderr,
                "\(with)\n\(plain)")
            #expect(with.stdout.contains("|two words|"), "\(with)")
        }
    }

    /// What can be known before the start is told before the start, in the same words.
    @Test(arguments: [
        (["nosuch"], "exec: \"nosuch\": executable file not found in $PATH"),
        (["/nosuch"], "exec: \"/nosuch\": stat /nosuch: no such file or directory"),
        (["/etc/passwd"], "exec: \"/etc/passwd\": permission denied: it is not executable for the user"),
        (["/etc"], "exec: \"/etc\": permission denied: it is a directory"),
    ])
    func whatCannotBeExecuted(args: [String], says: String) async throws {
        try await TestContainer.with(args) { container in
            for command in ["run", "create"] {
                try await container.fail(
                    [command, "--init", "--bundle", container.bundle, container.id], says: says)
            }
        }
    }

    /// The rest only the exec can tell, which is the reaper's child's.
    @Test(arguments: [
        (
            "#!/nosuch -x\n", 127,
            "the interpreter /nosuch of /script is missing in the container: exec /script: no such file or directory"
        ),
        (
            "#! /no\u{1b}such\r\n", 127,
            "the interpreter /no\\x1bsuch\\x0d of /script is missing in the container: exec /script: no such file or directory"
        ),
        ("echo\n", 126, "/script is no program and has no #! line: exec /script: exec format error"),
        ("", 126, "/script is empty: exec /script: exec format error"),
        ("\u{7f}ELF\n", 126, "/script is built for another machine: exec /script: exec format error"),
        (
            "#!/etc\n", 126,
            "/script, or its interpreter, may not be executed: its mode, or a mount with noexec: exec /script: permission denied"
        ),
    ])
    func whatTheExecTells(text: String, code: Int32, says: String) async throws {
        try await TestContainer.with { container in
            try container.put(text, at: "/script")
            let outcome = try await container.runWithReaper(["/script"])
            #expect(outcome.code == code, "\(outcome)")
            #expect(outcome.stderr == "gantry: \(says)\n", "\(outcome)")

            try await container.create("--init")
            try await container.succeed(["start", container.id])
            try await container.waitUntil("stopped")
        }
    }

    /// Debian's loader is not in a busybox root.
    @Test func aMissingLoader() async throws {
        try await TestContainer.with { container in
            try Rootfs.copy("/usr/bin/true", to: container.rootfs + "/dynamic")
            let outcome = try await container.runWithReaper(["/dynamic"])
            #expect(outcome.code == 127, "\(outcome)")
            #expect(
                outcome.stderr.hasPrefix("gantry: the loader of /dynamic is missing in the container"),
                "\(outcome)")
        }
    }

    @Test func aLimitOnProcesses() async throws {
        try await TestContainer.with { container in
            try container.set("linux.resources.pids", ["limit": 1])
            let outcome = try await container.runWithReaper()
            #expect(outcome.code == 126 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.contains("a limit on processes is reached"), "\(outcome)")
        }
    }

    @Test func tooManyWords() async throws {
        try await TestContainer.with(["/bin/true", String(repeating: "x", count: 1 << 18)]) { container in
            let outcome = try await container.runWithReaper()
            #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome.code)")
            #expect(outcome.stderr.contains("argument list too long"), "\(outcome.stderr.suffix(200))")
        }
    }

    @Test func aReadOnlyRoot() async throws {
        try await TestContainer.with { container in
            try container.set("root.readonly", true)
            let outcome = try await container.runWithReaper(["/bin/sh", "-c", "touch /x || exit 4"])
            #expect(outcome.code == 4, "\(outcome)")
        }
    }

    /// PID 1 keeps standard streams alone: others see the end of what the program closes.
    @Test func descriptors() async throws {
        // It closes them while the program begins.
        let script = """
            while [ -L /proc/1/fd/3 ]; do sleep 0.01; done
            ls /proc/1/fd; ls /proc/$$/fd; cat <&4
            """
        try await TestContainer.with { container in
            let file = container.directory.path + "/file"
            try "kept".write(toFile: file, atomically: false, encoding: .utf8)
            try container.set("process.args", ["/bin/sh", "-c", script])
            let descriptor = open(file, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let output = container.directory.path + "/output"
            let child = try Child.spawn(
                Machine.gantry,
                [
                    "--root", container.root, "run", "--init", "--preserve-fds", "2", "--bundle",
                    container.bundle, container.id,
                ],
                stdout: output, stderr: output, descriptors: [3: descriptor, 4: descriptor])
            #expect(try await child.wait() == 0)
            let text = try String(contentsOfFile: output, encoding: .utf8)
            #expect(text == "0\n1\n2\n0\n1\n2\n3\n4\nkept", "\(text)")
        }
    }

    /// The process that sockets are for is the program.
    @Test(arguments: [false, true])
    func socketActivation(sharesProcesses: Bool) async throws {
        try await TestContainer.with { container in
            if sharesProcesses { try container.shareHostProcesses() }
            try container.set(
                "process.args",
                ["/bin/sh", "-c", "[ $LISTEN_PID = $$ ] && echo $LISTEN_FDS; readlink /proc/$$/fd/3"])
            let outcome = try await Command.run(
                "/bin/sh",
                [
                    "-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\" 3</dev/zero", "sh", Machine.gantry,
                    "--root",
                    container.root, "run", "--init", "--bundle", container.bundle, container.id,
                ])
            #expect(outcome.stdout == "1\n/dev/zero\n", "\(outcome)")
        }
    }

    @Test func plan() async throws {
        try await TestContainer.with { container in
            let plain = try await container.gantry("plan", "--bundle", container.bundle)
            let with = try await container.gantry("plan", "--init", "--bundle", container.bundle)
            #expect(
                !plain.stdout.contains("reaper") && with.stdout.contains("let gantry's reaper be the first"),
                "\(with)")
        }
    }
}
