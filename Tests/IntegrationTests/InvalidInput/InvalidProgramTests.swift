import Foundation
import Testing

/// A program that cannot be started: the sentence names the file and says why.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct InvalidProgramTests {
    private static func program(
        _ name: String, _ path: String, says: String,
        _ change: @escaping @Sendable (TestContainer) throws -> Void = { _ in }
    ) -> Refusal {
        Refusal(name, says: says) { container in
            try change(container)
            try container.set("process.args", [path])
        }
    }

    /// Told by `create`.
    private static let unresolved: [Refusal] = [
        program(
            "not found in PATH", "nothing", says: "exec: \"nothing\": executable file not found in $PATH"),
        program(
            "not found by path", "/bin/nothing",
            says: "exec: \"/bin/nothing\": stat /bin/nothing: no such file or directory"),
        program(
            "not found below a file", "/etc/passwd/x",
            says: "exec: \"/etc/passwd/x\": stat /etc/passwd/x: not a directory"),
        program(
            "not found by relative path", "bin/nothing",
            says: "exec: \"bin/nothing\": stat bin/nothing: no such file or directory"),
        program("a directory", "/etc", says: "exec: \"/etc\": permission denied: it is a directory"),
        program(
            "not executable", "/data",
            says: "exec: \"/data\": permission denied: it is not executable for the user"
        ) { try $0.put("#!/bin/sh\n", at: "/data", mode: 0o644) },
        program(
            "not executable, in PATH", "data",
            says: """
                exec: "data": executable file not found in $PATH: one is there, but it is not executable \
                for the user
                """
        ) {
            try $0.put("#!/bin/sh\n", at: "/bin/data", mode: 0o644)
        },
        program("a directory in PATH", "thing", says: "exec: \"thing\": executable file not found in $PATH") {
            try $0.put("", at: "/bin/thing/x")
        },
        program(
            "no PATH", "true",
            says: "exec: \"true\": executable file not found in $PATH: process.env has no PATH"
        ) { try $0.set("process.env", ["A=b"]) },
        program(
            "a symlink to nowhere", "/link", says: "exec: \"/link\": stat /link: no such file or directory"
        ) { try $0.link("/link", to: "/nowhere") },
        program(
            "a symlink to itself", "/link",
            says: "exec: \"/link\": stat /link: too many levels of symbolic links"
        ) { try $0.link("/link", to: "link") },
        program("a fifo", "/fifo", says: "exec: \"/fifo\": permission denied: it is not a regular file") {
            mkfifo($0.rootfs + "/fifo", 0o777)
        },
        program(
            "a noexec mount", "/tmp/program",
            says: "exec: \"/tmp/program\": permission denied: it is on a mount with noexec"
        ) { container in
            let outside = try container.makeOutside()
            try Rootfs.copy(Machine.busybox!, to: outside + "/program")
            try container.addMount("/tmp", type: "bind", source: outside, options: ["bind", "noexec"])
        },
        program(
            "of another user", "/secret/program",
            says: """
                exec: "/secret/program": permission denied: a directory on the way may not be entered by \
                the user
                """
        ) { container in
            try container.put("#!/bin/sh\n", at: "/secret/program")
            chmod(container.rootfs + "/secret", 0o700)
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            for set in ["bounding", "effective", "permitted", "ambient"] {
                try container.set("process.capabilities.\(set)", nil)
            }
        },
    ]

    @Test("create tells what cannot be found", arguments: unresolved)
    func cannotBeFound(_ refusal: Refusal) async throws {
        try await refusal.check("create")
        try await refusal.check("run")
    }

    /// Told by `run`, and by `start` after a `create` that could not know.
    private static let refused: [Refusal] = [
        program(
            "missing interpreter", "/script",
            says: """
                the interpreter /bin/nothing of /script is missing in the container: exec /script: no such \
                file or directory
                """
        ) { try $0.put("#!/bin/nothing -x\n", at: "/script") },
        program(
            "missing interpreter, with spaces", "/script",
            says: """
                the interpreter /opt/bin/python3 of /script is missing in the container: exec /script: no \
                such file or directory
                """
        ) {
            try $0.put("#!   /opt/bin/python3   -u\n", at: "/script")
        },
        program(
            "CRLF", "/script",
            says: """
                the #! line of /script ends with a carriage return (CRLF), part of the name: exec /script: \
                no such file or directory
                """
        ) { try $0.put("#!/bin/sh\r\necho\r\n", at: "/script") },
        program(
            "interpreter that is not executable", "/script",
            says: """
                the interpreter /data of /script may not be executed: its mode, or a mount with noexec: \
                exec /script: permission denied
                """
        ) {
            try $0.put("x", at: "/data", mode: 0o644)
            try $0.put("#!/data\n", at: "/script")
        },
        program(
            "interpreter that is a directory", "/script",
            says: """
                the interpreter /etc of /script may not be executed: its mode, or a mount with noexec: \
                exec /script: permission denied
                """
        ) { try $0.put("#!/etc\n", at: "/script") },
        program(
            "text without #!", "/script",
            says: "/script is no program and has no #! line: exec /script: exec format error"
        ) { try $0.put("echo hello\n", at: "/script") },
        program("empty file", "/script", says: "/script is empty: exec /script: exec format error") {
            try $0.put("", at: "/script")
        },
        program(
            "another architecture", "/program",
            says: "/program is built for arm64, this machine is x86-64: exec /program: exec format error"
        ) { container in
            // Only the head of an arm64 program.
            var head = [UInt8](repeating: 0, count: 64)
            head.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
            head[16] = 2
            head[18] = 0xb7
            head[20] = 1
            head[52] = 64
            head[54] = 56
            let file = try container.makeOutside() + "/program"
            try Data(head).write(to: URL(filePath: file))
            chmod(file, 0o755)
            try Rootfs.copy(file, to: container.rootfs + "/program")
            chmod(container.rootfs + "/program", 0o755)
        },
        program(
            "missing loader", "/program",
            says: """
                the loader /lib64/ld-linux-x86-64.so.2 of /program is missing in the container: exec \
                /program: no such file or directory
                """
        ) { container in
            // A dynamic program of the host's, where there is no loader.
            try Rootfs.copy("/usr/bin/env", to: container.rootfs + "/program")
        },
        program(
            "a program found in PATH", "script",
            says: """
                the interpreter /bin/nothing of /bin/script is missing in the container: exec /bin/script: \
                no such file or directory
                """
        ) { try $0.put("#!/bin/nothing\n", at: "/bin/script") },
    ]

    @Test("run tells why the kernel refused", arguments: refused)
    func cannotBeExecuted(_ refusal: Refusal) async throws { try await refusal.check("run") }

    @Test("so does start, and the container is stopped then", arguments: refused)
    func cannotBeStarted(_ refusal: Refusal) async throws {
        try await TestContainer.with { container in
            try refusal.change(container)
            let created = try await container.gantry("create", "--bundle", container.bundle, container.id)
            #expect(created.code == 0, "\(created)")
            let started = try await container.gantry("start", container.id)
            #expect(started.code == 1, "\(started)")
            #expect(started.stderr == "gantry: " + refusal.says + "\n")
            let state = try await container.gantry("state", container.id)
            #expect(state.stdout.contains("\"status\": \"stopped\""), "\(state)")
            let deleted = try await container.gantry("delete", container.id)
            #expect(deleted.code == 0, "\(deleted)")
        }
    }
}
