import Foundation
import Testing

/// `--init` with a terminal: keys are for the program, and a shell's job control works.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ReaperTerminalTests {
    private func with(_ script: String, _ body: (TestContainer, Terminal) async throws -> Void) async throws {
        try await TestContainer.withTerminal(script) { container in
            try await body(container, try Terminal(container.runWords("--init")))
        }
    }

    @Test(arguments: [("\u{3}", 130), ("\u{1C}", 131)])
    func keysEndTheProgram(key: String, code: Int32) async throws {
        try await with("ulimit -c 0; echo here; exec sleep 1000") { _, terminal in
            try await terminal.expect("here")
            try terminal.type(key)
            #expect(try await terminal.end() == code)
        }
    }

    /// Ctrl-C is for the foreground job alone, and a job that is stopped can be taken up again.
    @Test func jobControl() async throws {
        try await with("exec sh -i") { _, terminal in
            try await terminal.prompt()
            try terminal.type("sleep 1000\n")
            try await terminal.expect("sleep 1000\r\n")
            try await foreground(terminal, "sleep")
            try terminal.type("\u{3}")
            try await terminal.prompt()
            try terminal.type("echo code-$?\n")
            try await terminal.expect("code-130")
            try await terminal.prompt()
            try terminal.type("sleep 1001\n")
            try await foreground(terminal, "sleep")
            try terminal.type("\u{1A}")
            try await terminal.expect("Stopped")
            try await terminal.prompt()
            try terminal.type("fg\n")
            try await terminal.expect("sleep 1001")
            try await foreground(terminal, "sleep")
            try terminal.type("\u{3}")
            try await terminal.prompt()
            try terminal.type("exit 4\n")
            #expect(try await terminal.end() == 4)
            #expect(!terminal.output.contains("job control"), "\(terminal.output)")
        }
    }

    /// Waits until a program of this name has the container's terminal, which is not the one before gantry.
    private func foreground(_ terminal: Terminal, _ name: String) async throws {
        try await eventually("\(name) in the foreground") {
            try descendants(of: terminal.child.pid).contains { pid in
                guard let fields = Host.stat(pid),
                    let comm = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
                else { return false }
                // pgrp and tpgid of proc(5).
                return comm == name + "\n" && fields[2] == fields[5]
            }
        }
    }

    private func descendants(of pid: pid_t) throws -> [pid_t] {
        try Host.children(of: pid).flatMap { [$0.pid] + (try descendants(of: $0.pid)) }
    }

    /// The program leads a group of its own in PID 1's session, and that group has the terminal.
    @Test func groups() async throws {
        try await with("cut -d ' ' -f 5-6,8 /proc/$$/stat; echo $$; cut -d ' ' -f 5-6,8 /proc/1/stat") {
            _, terminal in
            #expect(try await terminal.end() == 0)
            let lines = terminal.output.split(separator: "\r\n").map(String.init)
            try #require(lines.count == 3, "\(terminal.output)")
            #expect(lines[0] == "\(lines[1]) 1 \(lines[1])", "\(lines)")
            #expect(lines[2] == "1 1 \(lines[1])", "\(lines)")
        }
    }

    /// The size of the terminal changes for the program.
    @Test func resizing() async throws {
        try await with("trap 'stty size; exit 3' WINCH; echo here; while :; do sleep 0.02; done") {
            _, terminal in
            try await terminal.expect("here")
            try terminal.resize(rows: 33, columns: 77)
            #expect(try await terminal.end() == 3)
            #expect(terminal.output.contains("33 77"), "\(terminal.output)")
        }
    }

    /// Whoever sits before it hangs up: as the leader of the session the reaper hears of it.
    @Test func hangup() async throws {
        try await with("trap 'echo hup > /got; exit 1' HUP; touch /ready; while :; do sleep 0.02; done") {
            container, terminal in
            try await container.waitForFile("ready")
            kill(terminal.child.pid, SIGKILL)
            #expect(try await terminal.end() == 137)
            try await container.waitForFile("got")
            try await eventually("its end") { try Host.processes(of: container.id).isEmpty }
        }
    }
}
