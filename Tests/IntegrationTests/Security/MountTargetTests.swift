import Foundation
import Testing

/// Mount targets that an image prepared. They are resolved in the root file system or not at all.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct MountTargetTests {
    /// Runs a container that mounts a tmpfs on /target, and returns where it is in there.
    private func mountedAt(_ container: TestContainer, _ destination: String) async throws -> String? {
        try container.addMount(destination, type: "tmpfs", source: "marked")
        let outcome = try await container.run()
        #expect(outcome.code == 0, "\(outcome)")
        return MountLine.all(in: outcome.stdout).first { $0.source == "marked" }?.mountPoint
    }

    @Test(
        "CVE-2019-18837: a symlink on the way to a mount target stays in the root file system",
        arguments: [
            ("/etc", "/etc"), ("etc", "/etc"), ("../../../../../../etc", "/etc"), ("/../../etc", "/etc"),
            ("/missing/deep", "/missing/deep"), ("../missing/deep", "/missing/deep"),
            ("etc/../missing", "/missing"),
            ("second", "/etc"), ("dangling", "/made"),
        ])
    func symlinkedTarget(target: String, expected: String) async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            try container.link("/second", to: "/third")
            try container.link("/third", to: "etc")
            try container.link("/dangling", to: "../../made")
            try container.link("/target", to: target)
            #expect(try await mountedAt(container, "/target") == expected)
            #expect(!FileManager.default.fileExists(atPath: "/missing"))
            #expect(!FileManager.default.fileExists(atPath: "/made"))
        }
    }

    @Test(
        "CVE-2019-18837: a symlink in the middle, and .. in the destination",
        arguments: [
            ("/target/sub", "/etc/sub"), ("/target/a/b/c", "/etc/a/b/c"), ("/bin/../target/x", "/etc/x"),
            ("/../../../target/x", "/etc/x"), ("target/x", "/etc/x"),
        ])
    func symlinkInTheMiddle(destination: String, expected: String) async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            try container.link("/target", to: "/../../etc")
            #expect(try await mountedAt(container, destination) == expected)
        }
    }

    /// The target of the symlink is there on the host, but must be made in the root file system.
    @Test(
        "CVE-2019-18837, CVE-2024-45310: a symlink to a directory of the host makes one of that name inside")
    func symlinkToTheHost() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            let outside = try container.makeOutside()
            try container.link("/target", to: outside)
            #expect(try await mountedAt(container, "/target/new") == outside + "/new")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
            #expect(FileManager.default.fileExists(atPath: container.rootfs + outside + "/new"))
        }
    }

    @Test("CVE-2019-18837: a symlink to itself is an error")
    func loop() async throws {
        try await TestContainer.with { container in
            try container.link("/target", to: "target")
            try container.addMount("/target", type: "tmpfs", source: "marked")
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: mounts[7]: "), "\(outcome)")
            #expect(outcome.stderr.contains("too many levels of symbolic links"), "\(outcome)")
        }
    }

    @Test("CVE-2019-18837: a bind mount's target that is a symlink to a file of the host is made inside")
    func fileTarget() async throws {
        try await TestContainer.with(["/bin/cat", "/etc/target"]) { container in
            let outside = try container.makeOutside()
            try "source".write(toFile: outside + "/source", atomically: false, encoding: .utf8)
            try "host".write(toFile: outside + "/file", atomically: false, encoding: .utf8)
            try container.link("/etc/target", to: outside + "/file")
            try container.addMount(
                "/etc/target", type: "bind", source: outside + "/source", options: ["bind", "ro"])
            let outcome = try await container.run()
            #expect(outcome.stdout == "source", "\(outcome)")
            #expect(try String(contentsOfFile: outside + "/file", encoding: .utf8) == "host")
        }
    }

    @Test("CVE-2019-18837: /etc/passwd of the image is read in the root file system only")
    func passwd() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "echo $HOME"]) { container in
            let outside = try container.makeOutside()
            try "root:x:0:0::/of-the-host:/bin/sh\n".write(
                toFile: outside + "/passwd", atomically: false, encoding: .utf8)
            try container.link("/etc/passwd", to: outside + "/passwd")
            #expect(try await container.run().stdout == "/\n")
            try container.link("/etc/passwd", to: "/proc/self/fd/0")
            #expect(try await container.run().stdout == "/\n")
            try container.link("/etc/passwd", to: "/dev/zero")
            #expect(try await container.run().stdout == "/\n")
        }
    }
}
