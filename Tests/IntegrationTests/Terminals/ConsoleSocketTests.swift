import Foundation
import Testing

/// `--console-socket`: the terminal of a process that is left to itself goes to whoever listens there.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ConsoleSocketTests {
    /// Somebody who takes a terminal and passes on what stands on it.
    private struct Engine {
        let socket: String
        let output: String
        let child: Child

        init(_ directory: String, typing text: String = "") async throws {
            socket = directory + "/console.sock"
            output = directory + "/console.out"
            unlink(socket)
            try? FileManager.default.removeItem(atPath: output)
            child = try Child.spawn(
                try Programs.compile("console"), [socket] + (text.isEmpty ? [] : [text]), stdout: output)
            try await eventually("a console socket") { [socket] in
                FileManager.default.fileExists(atPath: socket)
            }
        }

        /// What was received until the terminal was closed.
        func end() async throws -> String {
            let code = try await child.wait()
            #expect(code == 0)
            return try String(contentsOfFile: output, encoding: .utf8)
        }
    }

    private static let script = "read -r line; echo got $line; tty; exit 0"
    private static let wanted = "/dev/ptmx\nhello\r\ngot hello\r\n/dev/pts/0\r\n"

    @Test func create() async throws {
        try await TestContainer.withTerminal(Self.script) { container in
            let engine = try await Engine(container.directory.path, typing: "hello\n")
            try await container.create("--console-socket", engine.socket)
            #expect(try await container.status() == "created")
            try await container.succeed(["start", container.id])
            #expect(try await engine.end() == Self.wanted)
        }
    }

    @Test func runDetached() async throws {
        try await TestContainer.withTerminal(Self.script) { container in
            // Longer than a socket's address can be.
            let long = container.directory.path + "/" + String(repeating: "d", count: 150)
            try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
            let engine = try await Engine(long, typing: "hello\n")
            let flags = ["--detach", "--console-socket", engine.socket]
            try await container.succeed(["run", "--bundle", container.bundle] + flags + [container.id])
            #expect(try await engine.end() == Self.wanted)
        }
    }

    @Test func execDetached() async throws {
        try await TestContainer.sleeping { container in
            let engine = try await Engine(container.directory.path, typing: "hello\n")
            let flags = ["--detach", "--tty", "--console-socket", engine.socket]
            try await container.succeed(["exec"] + flags + [container.id, "/bin/sh", "-c", Self.script])
            #expect(try await engine.end() == Self.wanted)
        }
    }

    /// As conmon does it, the size with it.
    @Test func execDocument() async throws {
        try await TestContainer.sleeping { container in
            let engine = try await Engine(container.directory.path)
            let document = container.directory.path + "/process.json"
            try """
            {"terminal": true, "consoleSize": {"height": 12, "width": 34}, "cwd": "/", "env": ["PATH=/bin"],
             "user": {"uid": 1000, "gid": 1000}, "args": ["sh", "-c", "stty size; stat -c %u /dev/pts/0"]}
            """.write(toFile: document, atomically: false, encoding: .utf8)
            try await container.succeed(
                ["exec", "--process", document, "--detach", "--console-socket", engine.socket, container.id])
            #expect(try await engine.end() == "/dev/ptmx\n12 34\r\n1000\r\n")
        }
    }

    /// Nobody would have the terminal, or nothing would go there.
    @Test func mustFitTheProcess() async throws {
        let without = "cannot allocate tty if gantry will detach without setting console socket"
        let needless = "cannot use console socket if gantry will not detach or allocate tty"
        try await TestContainer.withTerminal("true") { container in
            let bundle = ["--bundle", container.bundle]
            try await container.fail(["create"] + bundle + [container.id], says: without)
            try await container.fail(["run", "--detach"] + bundle + [container.id], says: without)
            let socket = ["--console-socket", container.directory.path + "/none"]
            try await container.fail(["run"] + socket + bundle + [container.id], says: needless)
            try await container.fail(
                ["create"] + socket + bundle + [container.id],
                says: "cannot hand over the terminal: connect \(socket[1]): no such file or directory")
            try container.set("process.terminal", false)
            try await container.fail(["create"] + socket + bundle + [container.id], says: needless)
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
        }
    }

    /// An engine that goes away takes the container along; nothing is left.
    @Test func anEngineThatRefuses() async throws {
        try await TestContainer.withTerminal("sleep 1000") { container in
            let engine = try await Engine(container.directory.path, typing: "refuse")
            let outcome = try await container.gantry(
                "create", "--bundle", container.bundle, "--console-socket", engine.socket, container.id)
            _ = try await engine.child.wait()
            // It may have been sent before the engine was gone: then the container has lost its terminal.
            guard outcome.code != 0 else { return }
            #expect(outcome.isOneSentence, "\(outcome)")
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
        }
    }
}
