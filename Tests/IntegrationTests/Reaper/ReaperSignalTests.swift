import Foundation
import Testing

/// `--init`: signals to the container are signals to its program.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ReaperSignalTests {
    /// Those that a program can catch; 32 to 34 are the C library's own, 17, 21 and 22 are not handed on.
    private static let forwarded = Array(1...8) + Array(10...16) + [18, 20] + Array(23...31) + [35, 50, 64]

    /// Writes down each signal, and knows that SIGCHLD may also be of its own children.
    private static let noting = """
        for s in \(forwarded.map(String.init).joined(separator: " ")) 21 22; do trap "echo $s >> /got" $s; done
        : > /got
        touch /ready
        while :; do sleep 0.02; done
        """

    @Test(arguments: [false, true])
    func everyOneIsHandedOn(sharesProcesses: Bool) async throws {
        try await TestContainer.withReaper(Self.noting) {
            if sharesProcesses { try $0.shareHostProcesses() }
        } _: { container in
            // The terminal's words to a background job mean the one that is told.
            for signal in [21, 22, 17] {
                try await container.succeed(["kill", container.id, "\(signal)"])
            }
            var told: [String] = []
            for signal in Self.forwarded {
                try await container.succeed(["kill", container.id, "\(signal)"])
                told.append("\(signal)")
                try await eventually("signal \(signal)") {
                    try container.text("got").split(separator: "\n").map(String.init) == told
                }
            }
        }
    }

    /// A program that sets up nothing ends, which as PID 1 it would not.
    @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129), ("USR1", 138), ("QUIT", 131), ("ALRM", 142)])
    func defaultActions(signal: String, code: Int32) async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--init", "--bundle", container.bundle, container.id])
            try await eventually("it to run") {
                try await container.gantry("state", container.id).stdout.contains("\"running\"")
            }
            try await container.succeed(["kill", container.id, signal])
            #expect(try await child.wait() == code)
        }
    }

    /// By way of gantry, which waits in the foreground.
    @Test func fromTheForeground() async throws {
        try await TestContainer.with { container in
            try container.setScript("trap 'exit 9' TERM; touch /ready; while :; do sleep 0.02; done")
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--init", "--bundle", container.bundle, container.id])
            try await container.waitForFile("ready")
            kill(child.pid, SIGTERM)
            #expect(try await child.wait() == 9)
        }
    }

    /// None is lost between the exec of the reaper and that of the program.
    @Test func atOnce() async throws {
        for _ in 0..<Soak.rounds(12, soak: 300) {
            try await TestContainer.with(["/bin/sleep", "1000"]) { container in
                try await container.create("--init")
                try await container.succeed(["start", container.id])
                try await container.succeed(["kill", container.id, "TERM"])
                try await container.waitUntil("stopped")
            }
        }
    }

    @Test func stoppedAndContinued() async throws {
        try await TestContainer.withReaper("touch /ready; exec sleep 1000") { container in
            let program = try #require(try Host.children(of: try await container.pid()).first).pid
            try await container.succeed(["kill", container.id, "TSTP"])
            try await eventually("its stop") { Host.stat(program)?[0] == "T" }
            try await container.succeed(["kill", container.id, "CONT"])
            try await eventually("it to go on") { Host.stat(program)?[0] == "S" }
        }
    }

    /// Nothing is left of it, also where no pid namespace ends with its first process.
    @Test(arguments: [false, true])
    func killed(sharesProcesses: Bool) async throws {
        try await TestContainer.withReaper("touch /ready; exec sleep 1000") {
            if sharesProcesses { try $0.shareHostProcesses() }
        } _: { container in
            try await container.succeed(["kill", container.id, "KILL"])
            try await eventually("its end") { try Host.processes(of: container.id).isEmpty }
            #expect(try await container.status() == "stopped")
            try await container.succeed(["delete", container.id])
        }
    }

    /// The program has the signal state that it would have had: nothing blocked, nothing ignored.
    @Test func theProgramsOwnState() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/status"]) { container in
            let (plain, with) = (try await container.run(), try await container.runWithReaper())
            #expect(with.code == 0, "\(with)")
            for key in [
                "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapEff", "CapPrm", "Seccomp", "Uid",
            ] {
                #expect(
                    statusValue(key, in: with.stdout) == statusValue(key, in: plain.stdout), "\(key): \(with)"
                )
            }
            // Also when gantry's caller ignores or blocks some.
            let careless = try await Command.run(
                "/bin/sh",
                [
                    "-c", "trap '' TERM HUP USR1 CHLD; exec \"$@\"", "sh", Machine.gantry, "--root",
                    container.root,
                    "run", "--init", "--bundle", container.bundle, container.id,
                ])
            #expect(statusValue("SigIgn", in: careless.stdout) == "0000000000000000", "\(careless)")
        }
    }
}
