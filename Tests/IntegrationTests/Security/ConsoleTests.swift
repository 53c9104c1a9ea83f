import Foundation
import Testing

/// Terminals and /dev/console in a root file system that somebody else made.
@Suite("Security: terminals", .needsContainers, .timeLimit(minutes: 2))
struct ConsoleTests {
    private func withoutDev(_ script: String, _ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.withTerminal(script) { container in
            for path in ["/dev/shm", "/dev/mqueue", "/dev/pts", "/dev"] { try container.removeMount(path) }
            try await body(container)
        }
    }

    private func addTerminals(_ container: TestContainer) throws {
        try container.addMount(
            "/dev/pts", type: "devpts", source: "devpts",
            options: ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"])
    }

    @Test("CVE-2026-88264: /dev/console of the image is a symlink: nothing is made or mounted where it leads")
    func symlinkedConsole() async throws {
        for target in ["outside", "inside"] {
            try await withoutDev("echo ran") { container in
                try addTerminals(container)
                let outside = try container.makeOutside()
                try "kept".write(toFile: outside + "/file", atomically: false, encoding: .utf8)
                try container.put("kept", at: "/etc/secret")
                try container.link(
                    "/dev/console",
                    to: target == "inside" ? "/etc/secret" : "../../../../../../.." + outside + "/file")
                let outcome = try await container.run()
                #expect(outcome.code == 1, "\(outcome)")
                #expect(
                    outcome.stderr.hasPrefix("gantry: process.terminal: ")
                        && outcome.stderr.contains("symlink"),
                    "\(outcome)")
                #expect(try String(contentsOfFile: outside + "/file", encoding: .utf8) == "kept")
                #expect(try container.text("etc/secret") == "kept")
            }
        }
    }

    @Test("CVE-2025-52565: a file at /dev/console is covered, not truncated")
    func consoleIsNotTruncated() async throws {
        try await withoutDev("stat -c %t:%T /dev/console") { container in
            try addTerminals(container)
            try container.put("kept", at: "/dev/console")
            let outcome = try await container.run()
            #expect(outcome.code == 0 && outcome.stdout == "88:0\r\n", "\(outcome)")
            #expect(try container.text("dev/console") == "kept")
        }
    }

    @Test(
        "CVE-2025-52565: what looks like a devpts is none",
        arguments: ["directory", "symlink", "tmpfs", "missing"])
    func pretendedTerminals(kind: String) async throws {
        try await withoutDev("true") { container in
            let pts = container.rootfs + "/dev/pts"
            let outside = try container.makeOutside()
            try? FileManager.default.removeItem(atPath: pts)
            switch kind {
            case "directory":
                try FileManager.default.createDirectory(atPath: pts, withIntermediateDirectories: true)
                // Who opened it for writing would wait.
                mkfifo(pts + "/ptmx", 0o666)
                try container.put("kept", at: "/dev/pts/0")
            case "symlink": try container.link("/dev/pts", to: "../../../../../../.." + outside)
            case "tmpfs": try container.addMount("/dev/pts", type: "tmpfs", source: "tmpfs")
            default: break
            }
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: process.terminal: "), "\(outcome)")
            #expect(outcome.isOneSentence, "\(outcome)")
            #expect(try await container.gantry("list", "-q").stdout.isEmpty)
        }
    }

    /// With CAP_SYS_ADMIN it may mount what it likes over its own terminals.
    @Test(
        "CVE-2025-52565: a container that replaces its /dev/pts gets no terminal by exec",
        arguments: [
            "mount -t tmpfs none /dev/pts; mknod /dev/pts/ptmx c 5 2; echo kept >/dev/pts/0",
            "mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx || mknod /dev/pts/ptmx p",
            "umount /dev/pts; rmdir /dev/pts; ln -s /proc/1/fd /dev/pts",
            "touch /node; mount --bind /node /dev/pts/ptmx",
        ])
    func exec(script: String) async throws {
        try await TestContainer.with { container in
            try container.setScript(script + "; touch /ready; exec sleep 1000")
            for set in ["bounding", "effective", "permitted"] {
                try container.set(
                    "process.capabilities.\(set)", ["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_DAC_OVERRIDE"])
            }
            try await container.startToReady()
            let outcome = try await container.gantry("exec", "-t", container.id, "/bin/true")
            #expect(outcome.code == 255, "\(outcome)")
            #expect(
                outcome.isOneSentence && outcome.stderr.contains("process.terminal: cannot "), "\(outcome)")
        }
    }

    /// Neither the caller's streams nor the terminal's other end are anybody's in the container.
    @Test("CVE-2024-21626: a terminal's master does not leak")
    func nothingLeaks() async throws {
        try await TestContainer.withTerminal(
            "for fd in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/self/fd/$fd; done; true"
        ) {
            container in
            let terminal = try container.runOnTerminal()
            #expect(try await terminal.end() == 0)
            #expect(
                !terminal.output.contains("ptmx") && !terminal.output.contains("socket"), "\(terminal.output)"
            )
            #expect(terminal.output.contains("/dev/pts/0"), "\(terminal.output)")
        }
    }
}
