import Foundation
import Testing

/// What becomes of the caller's own terminal, and of streams that are none.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct CallersTerminalTests {
    /// A shell on a terminal that runs command lines one by one, without a line editor that would change the mode too.
    private func shell() async throws -> Terminal {
        let terminal = try Terminal(
            ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"],
            environment: ["PS1": "", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        // Written so that its echo is not taken for it.
        try terminal.type("PS1='pro''mpt> '\r")
        try await terminal.expect("prompt> ")
        return terminal
    }

    private func line(_ words: [String]) -> String { words.joined(separator: " ") }

    private func expectRaw(_ terminal: Terminal) async throws {
        try await eventually("a raw terminal") { try await terminal.mode().contains("-icanon") }
    }

    @Test func isRestoredAtTheEnd() async throws {
        try await TestContainer.withTerminal("echo ready; read -r line; exit 3") { container in
            let terminal = try await shell()
            let before = try await terminal.mode()
            try terminal.type(line(container.runWords()) + "; echo code $?\r")
            try await terminal.expect("ready\r\n")
            let raw = try await terminal.mode()
            #expect(raw.contains("-icanon") && raw.contains("-echo ") && raw.contains("-opost"), "\(raw)")
            try terminal.type("go\r")
            try await terminal.expect("code 3\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    @Test func isRestoredAfterAnError() async throws {
        try await TestContainer.withTerminal("true") { container in
            try container.set("process.args", ["/nothere"])
            let terminal = try await shell()
            let before = try await terminal.mode()
            try terminal.type(line(container.runWords()) + "; echo code $?\r")
            try await terminal.expect("code 1\r\n")
            #expect(terminal.output.contains("gantry: exec"), "\(terminal.output)")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    /// The signal is the container's. When that ends by it, the terminal is as it was; it is too when somebody else
    /// kills the container.
    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGALRM, 40, 0])
    func isRestoredAfterASignal(signal: Int32) async throws {
        try await TestContainer.withTerminal("echo $$ ready; exec sleep 1000") { container in
            // Not PID 1, so that the signal's default action ends it.
            try container.shareHostProcesses()
            let terminal = try await shell()
            let before = try await terminal.mode()
            try terminal.type(line(container.runWords()) + "; echo code $?\r")
            try await terminal.expect("ready\r\n")
            try await expectRaw(terminal)
            if signal == 0 {
                try await container.succeed(["delete", "--force", container.id])
            } else {
                let stat = try #require(Host.stat(try await container.pid()))
                kill(try #require(pid_t(stat[1])), signal)
            }
            try await terminal.expect("code \(128 + (signal == 0 ? SIGKILL : signal))\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    /// Sent to gantry, since the suspend key itself is the container's.
    @Test func suspendAndForeground() async throws {
        try await TestContainer.withTerminal("echo ready; read -r line; echo got $line; exit 6") {
            container in
            let terminal = try await shell()
            let before = try await terminal.mode()
            try terminal.type(line(container.runWords()) + "\r")
            try await terminal.expect("ready\r\n")
            try await expectRaw(terminal)
            let stat = try #require(Host.stat(try await container.pid()))
            let gantry = try #require(pid_t(stat[1]))
            for _ in 1...2 {
                kill(gantry, SIGTSTP)
                try await terminal.expect("Stopped")
                try await terminal.expect("prompt> ")
                #expect(try await terminal.mode() == before)
                #expect(try await container.status() == "running")
                try terminal.type("fg\r")
                try await expectRaw(terminal)
            }
            // Stopped by force it cannot restore anything; the shell does, and gantry takes the terminal again.
            kill(gantry, SIGSTOP)
            try await terminal.expect("Stopped")
            try await terminal.expect("prompt> ")
            try terminal.type("fg\r")
            try await expectRaw(terminal)
            try terminal.type("text\r")
            try await terminal.expect("got text\r\n")
            try await terminal.expect("prompt> ")
            try terminal.type("echo code $?\r")
            try await terminal.expect("code 6\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    /// In the background gantry neither stops nor touches the terminal; brought to the front it takes it.
    @Test func background() async throws {
        try await TestContainer.withTerminal("echo ready; read -r line; echo got $line; exit 6") {
            container in
            let terminal = try await shell()
            let before = try await terminal.mode()
            try terminal.type("" + line(container.runWords()) + " &\r")
            // The shell's terminal is not raw: it adds a carriage return of its own.
            try await terminal.expect("ready\r")
            try terminal.type("echo code $?\r")
            try await terminal.expect("code 0\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("jobs\r")
            try await terminal.expect("Running")
            try terminal.type("fg\r")
            try await expectRaw(terminal)
            try terminal.type("text\r")
            try await terminal.expect("got text\r\n")
            // What is typed before gantry has ended is the container's.
            try await terminal.expect("prompt> ")
            try terminal.type("echo code $?\r")
            try await terminal.expect("code 6\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    /// It ends in the background as well, also where output from there stops others.
    @Test func backgroundToTheEnd() async throws {
        try await TestContainer.withTerminal("echo working; exit 6") { container in
            let terminal = try await shell()
            try terminal.type("stty tostop\r")
            try await terminal.expect("prompt> ")
            let before = try await terminal.mode()
            try terminal.type(line(container.runWords()) + " & wait $!; echo code $?\r")
            // The shell's terminal is not raw: it adds a carriage return of its own.
            try await terminal.expect("working\r")
            try await terminal.expect("code 6\r\n")
            #expect(try await terminal.mode() == before)
            try terminal.type("exit\r")
            _ = try await terminal.end()
        }
    }

    /// A terminal has no end: the character that stands for it is typed, whenever somebody reads again.
    @Test(arguments: [
        ("/bin/cat", "line\npart", "line\r\npartline\r\npart", 0),
        ("/bin/sh -c 'read -r one; read -r two; echo $?; cat; cat; echo end'", "a\n", "a\r\n1\r\nend\r\n", 0),
    ])
    func endOfStandardInput(command: String, input: String, wanted: String, code: Int) async throws {
        try await TestContainer.withTerminal("") { container in
            try container.set("process.args", ["/bin/sh", "-c", "exec " + command])
            let outcome = try await Command.run(
                "/bin/sh", ["-c", "printf %s \"$INPUT\" | " + line(container.runWords())],
                environment: ["INPUT": input, "PATH": "/usr/bin:/bin"])
            #expect(outcome.code == code, "\(outcome)")
            #expect(outcome.stdout == wanted, "\(outcome)")
        }
    }

    /// A shell, which changes the mode as it pleases, ends with its input.
    @Test func shellScriptFromAPipe() async throws {
        try await TestContainer.withTerminal("") { container in
            try container.set("process.args", ["/bin/sh"])
            let outcome = try await container.run(stdin: "echo $((6 * 7)); sleep 0.3; (exit 5)\n")
            #expect(outcome.code == 5, "\(outcome)")
            #expect(outcome.stdout.contains("42\r\n"), "\(outcome)")
        }
    }

    @Test func aClosedStandardOutputHangsUp() async throws {
        try await TestContainer.withTerminal("trap 'exit 9' HUP; while :; do echo text; done") { container in
            let outcome = try await Command.run(
                "/bin/bash",
                ["-c", line(container.runWords()) + " | head -c 10 >/dev/null; echo ${PIPESTATUS[0]}"])
            #expect(outcome.code == 0 && ["9\n", "1\n"].contains(outcome.stdout), "\(outcome)")
        }
    }

    /// Output that nobody takes holds up the container, not gantry.
    @Test func aSlowReaderDoesNotKeepSignals() async throws {
        let script = "trap 'touch /got' USR1; echo ready; yes & while :; do sleep 0.02; done"
        try await TestContainer.withTerminal(script) { container in
            let terminal = try container.runOnTerminal()
            try await terminal.expect("ready\r\n")
            // From here on nobody reads.
            try await Task.sleep(for: .milliseconds(200))
            kill(terminal.child.pid, SIGUSR1)
            try await container.waitForFile("got")
            // The signal for the container ends nothing here; the second way out is that the container is gone.
            try await container.succeed(["delete", "--force", container.id])
            #expect(try await terminal.end() == 137)
        }
    }

    @Test func theTerminalVanishes() async throws {
        try await TestContainer.withTerminal(
            "trap 'touch /hup; exit 9' HUP; echo ready; while :; do sleep 0.02; done"
        ) {
            container in
            let terminal = try container.runOnTerminal()
            try await terminal.expect("ready\r\n")
            close(terminal.master)
            try await container.waitForFile("hup")
            #expect(try await terminal.child.wait() == 9)
        }
    }

    /// Waiting costs nothing: neither input that nobody sends nor a terminal that nobody has open is asked for.
    @Test func doesNotSpin() async throws {
        let script = "echo ready; exec </dev/null >/dev/null 2>&1; sleep 1; exit 0"
        try await TestContainer.withTerminal(script) { container in
            let terminal = try container.runOnTerminal()
            try await terminal.expect("ready\r\n")
            let before = try #require(Host.stat(terminal.child.pid))
            try await Task.sleep(for: .milliseconds(600))
            let after = try #require(Host.stat(terminal.child.pid))
            // utime and stime, in hundredths of a second.
            let spent = [11, 12].reduce(0) { $0 + (Int(after[$1]) ?? 0) - (Int(before[$1]) ?? 0) }
            #expect(spent < 20)
            #expect(try await terminal.end() == 0)
        }
    }
}
