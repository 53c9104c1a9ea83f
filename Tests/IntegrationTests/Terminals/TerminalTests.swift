import Foundation
import Testing

/// `process.terminal` and `exec -t` in the foreground: gantry stands between the caller's terminal and the process's.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct TerminalTests {
    /// What the process may ask of its terminal, each on a line.
    private static let questions = """
        tty
        tty </dev/console
        stat -c '%n %t:%T %a %u:%g' /dev/console /dev/pts/0
        for fd in 0 1 2; do readlink /proc/self/fd/$fd; done
        cut -d ' ' -f 5-8 /proc/self/stat
        grep -c ' /dev/console ' /proc/self/mountinfo
        stty -a
        echo written >/dev/tty
        echo console >/dev/console
        """

    @Test func isTheContainersOwn() async throws {
        try await TestContainer.withTerminal(Self.questions) { container in
            let terminal = try container.runOnTerminal()
            #expect(try await terminal.end() == 0)
            let lines = terminal.output.split(separator: "\r\n").map(String.init)
            #expect(lines.prefix(2) == ["/dev/pts/0", "/dev/console"], "\(terminal.output)")
            #expect(lines.contains("/dev/console 88:0 620 0:5"), "\(terminal.output)")
            #expect(lines.suffix(2) == ["written", "console"], "\(terminal.output)")
        }
    }

    /// runc takes `onlcr` from the container's terminal and has the caller's add the carriage return, also to what a
    /// program has made raw.
    @Test(.enabled(if: Machine.runc != nil, "runc is missing"))
    func isLikeRuncs() async throws {
        // runc's gets its size when the program runs already.
        let sized = "until [ \"$(stty size 2>/dev/null)\" = '24 80' ]; do :; done\n"
        try await TestContainer.withTerminal(sized + Self.questions) { container in
            let ours = try container.runOnTerminal()
            #expect(try await ours.end() == 0)
            let root = ["--root", container.directory.path + "/peer"]
            let peer = try Terminal(
                [Machine.runc!] + root + ["run", "--bundle", container.bundle] + [container.id + "-peer"])
            #expect(try await peer.end() == 0)
            // stty(1) breaks lines according to their length.
            func words(_ terminal: Terminal) -> [String] {
                terminal.output.replacing("-onlcr", with: "onlcr").split { $0.isWhitespace }.map(String.init)
            }
            #expect(words(ours) == words(peer))
            #expect(words(ours).count > 100)
        }
    }

    @Test func belongsToTheUser() async throws {
        try await TestContainer.withTerminal("stat -c %u:%g:%a /dev/pts/0; echo ok >/dev/stdout") {
            container in
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            let terminal = try container.runOnTerminal()
            #expect(try await terminal.end() == 0)
            #expect(terminal.output == "1000:5:620\r\nok\r\n")
        }
    }

    /// Nothing is cut off at the end, also when the reader is slow.
    @Test(arguments: [false, true], [false, true])
    func outputIsComplete(isSlow: Bool, sharesProcesses: Bool) async throws {
        try await TestContainer.withTerminal("seq 1 200000 | head -c 1048576; exit 3") { container in
            if sharesProcesses { try container.shareHostProcesses() }
            let terminal = try container.runOnTerminal()
            if isSlow { try await Task.sleep(for: .milliseconds(300)) }
            #expect(try await terminal.end() == 3)
            var wanted = ""
            for number in 1...200_000 where wanted.utf8.count < 1 << 20 { wanted += "\(number)\n" }
            let bytes = Data(wanted.utf8.prefix(1 << 20))
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            #expect(terminal.bytes == Data(lines.joined(separator: Array("\r\n".utf8))))
        }
    }

    /// Every byte value, both ways, with nothing done to it on the way.
    @Test func bytesAreExact() async throws {
        let all = Data((0...255).map { UInt8($0) } + "\u{1B}[31mred\u{1B}[0m\n\u{1B}[2J\r\n\t".utf8)
        try await TestContainer.withTerminal(
            "stty raw -echo; echo ready; head -c \(all.count) >/got; cat /got; echo end"
        ) { container in
            let terminal = try container.runOnTerminal()
            try await terminal.expect("ready\n")
            try terminal.type(all)
            #expect(try await terminal.end() == 0)
            #expect(try Data(contentsOf: URL(filePath: container.rootfs + "/got")) == all)
            #expect(terminal.bytes == Data("ready\n".utf8) + all + Data("end\n".utf8))
        }
    }

    @Test func resize() async throws {
        let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done"
        try await TestContainer.withTerminal(script) { container in
            let terminal = try container.runOnTerminal(rows: 33, columns: 101)
            try await terminal.expect("33 101\r\n")
            try terminal.resize(rows: 7, columns: 200)
            try await terminal.expect("7 200\r\n")
            kill(terminal.child.pid, SIGKILL)
            _ = try await terminal.end()
        }
    }

    /// BuildKit gives gantry a terminal that is not that of its session, and tells it of a new size by a signal.
    @Test func resizeBySignal() async throws {
        let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done"
        try await TestContainer.withTerminal(script) { container in
            let terminal = try Terminal(container.runWords(), rows: 33, columns: 101, isSession: false)
            try await terminal.expect("33 101\r\n")
            try terminal.resize(rows: 7, columns: 200)
            kill(terminal.child.pid, SIGWINCH)
            try await terminal.expect("7 200\r\n")
            try terminal.type("\u{3}")
            kill(terminal.child.pid, SIGKILL)
            _ = try await terminal.end()
        }
    }

    @Test(arguments: [
        (["height": 41, "width": 111], "41 111"), (["height": 0, "width": 0], "stty: standard input"),
    ])
    func consoleSize(size: [String: Int], says: String) async throws {
        try await TestContainer.withTerminal("stty size") { container in
            try container.set("process.consoleSize", size)
            // Nobody with a terminal: the size is the configuration's.
            let alone = try await container.run()
            #expect(alone.code == 0 && alone.stdout == says + "\r\n", "\(alone)")
            let terminal = try container.runOnTerminal(rows: 5, columns: 6)
            #expect(try await terminal.end() == 0)
            #expect(terminal.output == "5 6\r\n")
        }
    }

    @Test func jobControlInAShell() async throws {
        try await TestContainer.withTerminal("") { container in
            try container.set("process.args", ["/bin/sh"])
            let terminal = try container.runOnTerminal()
            try await terminal.prompt()
            try terminal.type("sleep 1000\r")
            try await terminal.expect("sleep 1000\r\n")
            try await container.untilForeground("sleep")
            try terminal.type("\u{1A}")
            try await terminal.expect("Stopped")
            try await terminal.prompt()
            try terminal.type("fg\r")
            try await terminal.expect("sleep 1000\r\n")
            try await container.untilForeground("sleep")
            try terminal.type("\u{3}")
            try await terminal.prompt()
            try terminal.type("echo got $?\r")
            try await terminal.expect("got 130\r\n")
            try await terminal.prompt()
            try terminal.type("exit 5\r")
            #expect(try await terminal.end() == 5)
        }
    }

    /// vi takes the whole screen, and what it writes is there.
    @Test func fullScreenProgram() async throws {
        try await TestContainer.withTerminal("vi /text; echo left") { container in
            let terminal = try container.runOnTerminal(rows: 12, columns: 40)
            // Lines behind the end, down to the last but one.
            try await terminal.expect("\u{1B}[11;1H~")
            try terminal.type("ihello\u{1B}")
            try await terminal.expect("hello")
            try terminal.type(":wq\r")
            try await terminal.expect("left\r\n")
            #expect(try await terminal.end() == 0)
            #expect(try container.text("text") == "hello\n")
        }
    }

    @Test func aSharedMountNamespaceKeepsTheHostsConsole() async throws {
        let before = try #require(Host.read("/proc/self/mountinfo"))
        try await TestContainer.withTerminal("tty") { container in
            let namespaces = try #require(container.value("linux.namespaces") as? [TestContainer.JSON])
            try container.set("linux.namespaces", namespaces.filter { $0["type"] as? String != "mount" })
            for property in ["mounts", "linux.maskedPaths", "linux.readonlyPaths"] {
                try container.set(property, nil)
            }
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("process.terminal: "), "\(outcome)")
        }
        #expect(
            try #require(Host.read("/proc/self/mountinfo")).contains(" /dev/console ")
                == before.contains(" /dev/console "))
    }

    @Test func execHasATerminalToo() async throws {
        try await TestContainer.sleeping { container in
            let script = "tty; stty size; echo here >/dev/tty; cut -d ' ' -f 6-7 /proc/self/stat; exit 4"
            let terminal = try Terminal(
                container.execWords("/bin/sh", "-c", script), rows: 20, columns: 50)
            #expect(try await terminal.end() == 4)
            let lines = terminal.output.split(separator: "\r\n").map(String.init)
            #expect(lines.prefix(3) == ["/dev/pts/0", "20 50", "here"], "\(terminal.output)")
            // 136:0 is the terminal of the session.
            #expect(lines.last?.hasSuffix(" 34816") ?? false, "\(terminal.output)")
            let shell = try Terminal(container.execWords("/bin/sh"))
            try await shell.prompt()
            try shell.type("sleep 1000\r")
            try await shell.expect("sleep 1000\r\n")
            try await container.untilForeground("sleep")
            try shell.type("\u{3}")
            try await shell.prompt()
            try shell.type("exit\r")
            #expect(try await shell.end() == 130)
        }
    }
}

extension TestContainer {
    /// Waits until a program of that name has the container's terminal: a key that is pressed before is the shell's.
    func untilForeground(_ name: String) async throws {
        try await eventually("\(name) in the foreground") {
            let first = try await self.pid()
            let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap {
                pid_t($0)
            }
            return processes.contains { pid in
                guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                    text.contains("(\(name))"), let stat = Host.stat(pid), stat.count > 5,
                    let one = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/ns/pid"),
                    let other = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(first)/ns/pid")
                else { return false }
                // Process group and the terminal's foreground one, as the host numbers them.
                return one == other && stat[2] == stat[5] && stat[5] != "-1"
            }
        }
    }
}
