import Foundation
import Testing

/// `gantry run` in the foreground stands in for the container's process: its stdio, its signals, its exit
/// code. And that process is what process.args names, PID 1, and nothing else is between.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 5))
struct ForegroundTests {
    /// Every byte value, in no order that anything could get right by chance.
    private static let megabyte = Data(
        (0..<1 << 20).map { index in UInt8(truncatingIfNeeded: (index &* 2_654_435_761) >> 13) })

    @Test func stdioIsPassedThroughFiles() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "cat; echo problem >&2"]) { container in
            let files = container.directory.path
            try Self.megabyte.write(to: URL(filePath: files + "/in"))
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--bundle", container.bundle, container.id],
                stdin: files + "/in", stdout: files + "/out", stderr: files + "/err")
            #expect(try await child.wait() == 0)
            #expect(try Data(contentsOf: URL(filePath: files + "/out")) == Self.megabyte)
            #expect(try String(contentsOfFile: files + "/err", encoding: .utf8) == "problem\n")
        }
    }

    @Test func stdioIsPassedThroughPipes() async throws {
        try await TestContainer.with(["/bin/cat"]) { container in
            let files = container.directory.path
            try Self.megabyte.write(to: URL(filePath: files + "/in"))
            let line = """
                cat \(files)/in | \(Machine.gantry) --root \(container.root) run \
                --bundle \(container.bundle) \(container.id) | cat >\(files)/out
                """
            #expect(try await Command.run("/bin/sh", ["-c", line]).code == 0)
            #expect(try Data(contentsOf: URL(filePath: files + "/out")) == Self.megabyte)
        }
    }

    /// Not copies of them: the very same open files.
    @Test func stdioIsTheCallers() async throws {
        try await TestContainer.with(["/bin/stat", "-L", "-c", "%d:%i", "/proc/self/fd/0", "/proc/self/fd/1"])
        {
            container in
            let files = container.directory.path
            try Data().write(to: URL(filePath: files + "/in"))
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--bundle", container.bundle, container.id],
                stdin: files + "/in", stdout: files + "/out")
            #expect(try await child.wait() == 0)
            let seen = try String(contentsOfFile: files + "/out", encoding: .utf8)
            let outside = try await Command.run(
                "/usr/bin/stat", ["-c", "%d:%i", files + "/in", files + "/out"])
            #expect(seen == outside.stdout)
        }
    }

    /// A reader that goes away is SIGPIPE for the container, also when the caller ignores that signal.
    @Test func aClosedPipeEndsTheContainer() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "while :; do cat /bin/busybox || exit 9; done"]) {
            container in
            let line = """
                trap '' PIPE; \(Machine.gantry) --root \(container.root) run --bundle \(container.bundle) \
                \(container.id) | head -c 1 >/dev/null
                """
            let outcome = try await Command.run("/bin/sh", ["-c", line], seconds: 60)
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Test(arguments: [0, 1, 42, 127, 255])
    func exitCode(code: Int) async throws {
        try await TestContainer.with(["/bin/sh", "-c", "exit \(code)"]) { container in
            let outcome = try await container.run()
            #expect(outcome.code == code)
            #expect(outcome.stderr.isEmpty)
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
        }
    }

    /// Without a pid namespace of its own the process is subject to signals' default actions.
    @Test(arguments: [1, 2, 6, 9, 11, 15])
    func exitCodeOfASignal(signal: Int32) async throws {
        try await TestContainer.with(["/bin/sh", "-c", "kill -\(signal) $$; sleep 1000"]) { container in
            try container.shareHostProcesses()
            #expect(try await container.run().code == 128 + signal)
        }
    }

    /// The kernel forgets how a child ended when its parent ignores SIGCHLD, and gantry's caller may.
    @Test func exitCodeWhenTheCallerIgnoresItsChildren() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "exit 42"]) { container in
            let line = """
                trap '' CHLD; exec \(Machine.gantry) --root \(container.root) run \
                --bundle \(container.bundle) \(container.id)
                """
            let outcome = try await Command.run("/bin/bash", ["-c", line])
            #expect(outcome.code == 42, "\(outcome)")
        }
    }

    /// All that can be caught, but those that tell gantry of its own children (CHLD), terminal (WINCH) and
    /// sockets (URG); 32 and 33 are the C library's.
    @Test func signalsReachTheProcess() async throws {
        let signals = (1...64).filter { ![9, 17, 19, 23, 28, 32, 33].contains($0) }
        try await TestContainer.with { container in
            try container.setScript(
                """
                for n in \(signals.map(String.init).joined(separator: " ")); do trap "echo $n >>/got" $n; done
                trap 'exit 7' USR1
                touch /got /ready
                while :; do sleep 0.01; done
                """)
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "run", "--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            for signal in signals where signal != SIGUSR1 {
                kill(child.pid, Int32(signal))
                try await eventually("signal \(signal)") {
                    try container.text("got").hasSuffix("\(signal)\n")
                }
            }
            for ignored in [SIGCHLD, SIGURG, SIGWINCH] { kill(child.pid, ignored) }
            kill(child.pid, SIGUSR1)
            #expect(try await child.wait() == 7)
            #expect(
                try container.text("got").split(separator: "\n").map(String.init)
                    == signals.filter { $0 != SIGUSR1 }.map(String.init))
        }
    }

    /// A signal that comes before there is a process is kept for it.
    @Test func aSignalDuringTheStartIsNotLost() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            // Not PID 1, so that the signal's default action ends it.
            try container.shareHostProcesses()
            for delay in [1, 3, 5, 8] {
                let child = try Child.spawn(
                    Machine.gantry,
                    ["--root", container.root, "run", "--bundle", container.bundle, container.id])
                try await Task.sleep(for: .milliseconds(delay))
                kill(child.pid, SIGTERM)
                #expect(try await child.wait(seconds: 60) == 143)
                _ = try await container.gantry("delete", "--force", container.id)
            }
        }
    }

    @Test func theProcessIsPID1() async throws {
        let script = """
            echo pid $$
            echo $(tr '\\0' ' ' </proc/1/cmdline)
            cut -d ' ' -f 4-6 /proc/1/stat
            echo /proc/[0-9]*
            sh -c 'sleep 1000 & echo $! >/tmp/orphan'
            while [ ! -s /tmp/orphan ]; do :; done
            grep PPid /proc/$(cat /tmp/orphan)/status
            """
        try await TestContainer.with(["/bin/sh", "-c", script, "name"]) { container in
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            let lines = outcome.lines
            try #require(lines.count > 4, "\(outcome)")
            #expect(lines[0] == "pid 1")
            #expect(lines[1].hasPrefix("/bin/sh -c echo pid"))
            // No parent in its namespace, a process group and a session of its own.
            #expect(lines.contains("0 1 1"), "\(outcome)")
            // Nobody else: no wrapper, no reaper.
            #expect(lines.contains("/proc/1"), "\(outcome)")
            #expect(lines.last == "PPid:\t1", "\(outcome)")
        }
    }

    /// On the host it is a child of gantry's, which is all there is between it and the caller.
    @Test func theProcessIsGantrysChild() async throws {
        try await TestContainer.with { container in
            try container.setScript("touch /ready; exec sleep 1000")
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "run", "--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            let pid = try await container.pid()
            #expect(try #require(Host.stat(pid))[1] == "\(child.pid)")
            let children = try String(
                contentsOfFile: "/proc/\(child.pid)/task/\(child.pid)/children", encoding: .utf8)
            #expect(children.split(separator: " ") == ["\(pid)"])
            // Somebody else may end it; that is no error of this run.
            try await container.succeed(["delete", "--force", container.id])
            #expect(try await child.wait() == 137)
        }
    }

    /// A container that is made in place of the one that runs is not deleted with that one's end.
    @Test func onlyItsOwnContainerIsDeleted() async throws {
        try await TestContainer.with { container in
            try container.setScript("touch /ready; exec sleep 1000")
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "run", "--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            // `run` has let go of the container's lock when another command has had it.
            try await container.succeed(["update", "--pids-limit", "100", container.id])
            kill(child.pid, SIGSTOP)
            try await container.succeed(["delete", "--force", container.id])
            try await container.create()
            kill(child.pid, SIGCONT)
            #expect(try await child.wait() == 137)
            #expect(try await container.status() == "created")
        }
    }
}
