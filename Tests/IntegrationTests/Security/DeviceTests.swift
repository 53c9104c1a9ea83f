import Foundation
import Testing

/// /dev of an image, and devices of the host that a container is given.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct DeviceTests {
    private static let pattern = "/proc/sys/kernel/core_pattern"

    /// The image's own /dev counts, and it has masked files to cover.
    private static func withoutDevMount(
        _ args: [String], _ body: (TestContainer) async throws -> Void
    ) async throws {
        try await TestContainer.with(args) { container in
            container.mounts.removeAll { ($0["destination"] as? String)?.hasPrefix("/dev") == true }
            try container.save()
            try await body(container)
        }
    }

    @Test(
        "CVE-2025-31133, CVE-2025-62161: /dev/null of the image is something else: nothing starts",
        arguments: ["symlink", "file", "directory", "fifo", "another device", "symlink to the host's"])
    func otherNull(kind: String) async throws {
        let before = try String(contentsOfFile: Self.pattern, encoding: .utf8)
        try await Self.withoutDevMount(["/bin/cat", "/proc/keys"]) { container in
            let null = container.rootfs + "/dev/null"
            switch kind {
            case "symlink": try container.link("/dev/null", to: Self.pattern)
            case "symlink to the host's": try container.link("/dev/null", to: "../../../../../../../dev/null")
            case "file": try container.put("lies", at: "/dev/null")
            case "directory":
                try FileManager.default.createDirectory(atPath: null, withIntermediateDirectories: false)
            case "fifo": #expect(mkfifo(null, 0o666) == 0)
            default: #expect(mknod(null, S_IFCHR | 0o666, 0x105) == 0)
            }
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("/dev/null: something else is there already"), "\(outcome)")
        }
        #expect(try String(contentsOfFile: Self.pattern, encoding: .utf8) == before)
    }

    @Test("CVE-2025-31133: an image without /dev/null gets one, and masks work")
    func missingNull() async throws {
        try await Self.withoutDevMount(["/bin/sh", "-c", "cat /proc/keys /proc/timer_list; echo end"]) {
            container in
            let outcome = try await container.run()
            #expect(outcome.stdout == "end\n", "\(outcome)")
        }
    }

    @Test(
        "CVE-2025-31133: a bound /dev without a null device cannot mask: nothing starts",
        arguments: ["missing", "symlink", "file", "zero"])
    func boundDev(kind: String) async throws {
        let before = try String(contentsOfFile: Self.pattern, encoding: .utf8)
        try await Self.withoutDevMount(["/bin/cat", "/proc/keys"]) { container in
            let dev = try container.makeOutside("dev")
            switch kind {
            case "symlink": symlink(Self.pattern, dev + "/null")
            case "file": try "lies".write(toFile: dev + "/null", atomically: false, encoding: .utf8)
            case "zero": mknod(dev + "/null", S_IFCHR | 0o666, 0x105)
            default: break
            }
            try container.addMount("/dev", type: "bind", source: dev, options: ["rbind"])
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: linux.maskedPaths: "), "\(outcome)")
        }
        #expect(try String(contentsOfFile: Self.pattern, encoding: .utf8) == before)
    }

    @Test("CVE-2026-41579, CVE-2026-47766: /dev of the image is a symlink: nothing is made outside")
    func symlinkedDev() async throws {
        try await Self.withoutDevMount(["/bin/true"]) { container in
            let outside = try container.makeOutside()
            try "host".write(toFile: outside + "/ptmx", atomically: false, encoding: .utf8)
            try container.link("/dev", to: "../../../../../../.." + outside)
            let outcome = try await container.run()
            #expect(outcome.code == 0 || outcome.stderr.hasPrefix("gantry: "), "\(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["ptmx"])
            #expect(try String(contentsOfFile: outside + "/ptmx", encoding: .utf8) == "host")
        }
    }

    @Test("CVE-2026-41579: links in the image's /dev are not followed when nodes and links are made")
    func symlinksInDev() async throws {
        try await Self.withoutDevMount(["/bin/true"]) { container in
            let outside = try container.makeOutside()
            for name in ["ptmx", "fd", "stdin", "core", "console"] {
                try "host".write(toFile: outside + "/" + name, atomically: false, encoding: .utf8)
                try container.link("/dev/" + name, to: "../../../../../../.." + outside + "/" + name)
            }
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            for name in ["ptmx", "fd", "stdin", "core", "console"] {
                #expect(try String(contentsOfFile: outside + "/" + name, encoding: .utf8) == "host")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).count == 5)
        }
    }

    @Test("CVE-2026-41579: a device of the configuration below a symlink is made inside")
    func deviceBelowSymlink() async throws {
        try await TestContainer.with(["/bin/true"]) { container in
            let outside = try container.makeOutside()
            try container.link("/nodes", to: "../../../../../../.." + outside)
            try container.set(
                "linux.devices", [["path": "/nodes/fuse", "type": "c", "major": 10, "minor": 229]])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        }
    }

    /// Devices are made, never mounted or followed: procfs is no place for them.
    @Test(
        "CVE-2026-41579: a device path that leads into /proc is refused",
        arguments: ["/proc/x", "/link/x", "/link/sys/x"])
    func deviceInProc(path: String) async throws {
        try await TestContainer.with { container in
            try container.link("/link", to: "/proc")
            try container.set("linux.devices", [["path": path, "type": "c", "major": 1, "minor": 3]])
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: linux.devices[0]: "), "\(outcome)")
        }
    }

    @Test(
        "CVE-2026-88265: the host's null device keeps its owner when it is the stdio of a user's container",
        arguments: ["/dev/null", "lookalike", "zero"])
    func ownerOfStdio(device: String) async throws {
        try await TestContainer.with(["/bin/sh", "-c", "stat -Lc '%t:%T %u' /proc/1/fd/0"]) { container in
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            var path = device
            // Not in /tmp, where many hosts have no devices.
            defer { if device != "/dev/null" { unlink(path) } }
            if device != "/dev/null" {
                path = "/var/tmp/gantry-" + container.id
                #expect(mknod(path, S_IFCHR | 0o666, device == "zero" ? 0x105 : 0x103) == 0)
            }
            var before = stat()
            #expect(stat(path, &before) == 0)
            let output = container.directory.path + "/output"
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--bundle", container.bundle, container.id],
                stdin: path, stdout: output, stderr: output)
            #expect(try await child.wait() == 0)
            var after = stat()
            #expect(stat(path, &after) == 0)
            if device != "zero" {
                #expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid)
                // It is the container's own, not the host's.
                #expect(try String(contentsOfFile: output, encoding: .utf8) == "1:3 0\n")
            }
        }
    }

    @Test(
        "CVE-2026-88265: a symlink in place of the null device is not followed, its target not chowned"
    )
    func symlinkedNullForStdio() async throws {
        try await Self.withoutDevMount(["/bin/true"]) { container in
            let file = try container.makeOutside() + "/file"
            try "host".write(toFile: file, atomically: false, encoding: .utf8)
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            try container.set("linux.maskedPaths", nil)
            try container.link("/dev/null", to: "../../../../../../.." + file)
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            var status = stat()
            #expect(stat(file, &status) == 0 && status.st_uid == 0)
        }
    }
}
