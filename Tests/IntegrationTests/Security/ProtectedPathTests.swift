import Foundation
import Testing

/// linux.maskedPaths and linux.readonlyPaths do what they say.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct ProtectedPathTests {
    /// With all capabilities, so that nothing but the mounts protects.
    private static func privileged(_ args: [String], _ body: (TestContainer) async throws -> Void)
        async throws
    {
        try await TestContainer.with(args) { container in
            let all = [
                "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_RAWIO", "CAP_SYSLOG",
            ]
            for set in ["bounding", "effective", "permitted"] {
                try container.set("process.capabilities.\(set)", all)
            }
            try container.set("process.capabilities.ambient", nil)
            try await body(container)
        }
    }

    private static let masked = [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]

    @Test("powercap and its like: what is masked is empty, and stays so", arguments: masked)
    func maskedIsEmpty(path: String) async throws {
        let script = """
            test -e $0 || { echo absent; exit; }
            if test -d $0; then ls -A $0; touch $0/x 2>/dev/null && echo touched; echo directory; exit; fi
            head -c 1 $0; echo file; stat -c %t:%T $0
            """
        try await Self.privileged(["/bin/sh", "-c", script, path]) { container in
            try container.set("linux.maskedPaths", Self.masked)
            let outcome = try await container.run()
            let expected = ["absent\n", "directory\n", "file\n1:3\n"]
            #expect(expected.contains(outcome.stdout), "\(outcome)")
            var status = stat()
            if stat(path, &status) == 0 {
                #expect(outcome.stdout != "absent\n", "\(outcome)")
            }
        }
    }

    /// Whoever may remount could make it writable: it holds nothing then.
    @Test("hardening: the tmpfs of masked directories cannot be filled")
    func maskCannotBeFilled() async throws {
        let script = """
            mount -o remount,rw /sys/firmware || echo cannot remount
            mkdir /sys/firmware/x 2>/dev/null && echo made; echo end
            """
        try await Self.privileged(["/bin/sh", "-c", script]) { container in
            try container.set("linux.seccomp", nil)
            let outcome = try await container.run()
            #expect(outcome.stdout == "end\n" || outcome.stdout == "cannot remount\nend\n", "\(outcome)")
        }
    }

    private static let readOnlyFiles = [
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
        "/proc/irq/default_smp_affinity", "/proc/bus/pci/devices",
    ].filter { FileManager.default.fileExists(atPath: $0) }

    @Test("read-only paths refuse to be written, with all capabilities, too", arguments: readOnlyFiles)
    func readOnly(path: String) async throws {
        try await Self.privileged(["/bin/sh", "-c", "echo x > $0 && echo written; true", path]) { container in
            try container.set(
                "linux.readonlyPaths", ["/proc/bus", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
            let outcome = try await container.run()
            #expect(outcome.stdout.isEmpty, "\(outcome)")
            #expect(outcome.stderr.contains("Read-only file system"), "\(outcome)")
        }
    }

    @Test("a read-only path keeps what its mount forbade")
    func keepsOtherAttributes() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            let outcome = try await container.run()
            let mount = MountLine.all(in: outcome.stdout).first { $0.mountPoint == "/proc/sys" }
            let proc = MountLine.all(in: outcome.stdout).first { $0.mountPoint == "/proc" }
            #expect(mount?.options == proc?.options.map { $0 == "rw" ? "ro" : $0 }, "\(outcome)")
        }
    }

    @Test(
        "CVE-2023-27561: a masked or read-only path through a symlink of the image protects what it leads to")
    func throughSymlink() async throws {
        let script = "cat /secret/file /other 2>/dev/null; echo x > /data/new; echo end"
        try await TestContainer.with(["/bin/sh", "-c", script]) { container in
            try container.put("secret", at: "/secret/file")
            try container.put("data", at: "/data/file")
            try container.put("other", at: "/other")
            try container.link("/to-secret", to: "../../secret")
            try container.link("/to-data", to: "/data")
            try container.link("/to-other", to: "other")
            try container.set("linux.maskedPaths", ["/to-secret", "/to-other"])
            try container.set("linux.readonlyPaths", ["/to-data"])
            let outcome = try await container.run()
            #expect(outcome.stdout == "end\n", "\(outcome)")
            #expect(outcome.stderr.contains("Read-only file system"), "\(outcome)")
        }
    }

    @Test("CVE-2023-27561: a protected path that leads out by .. stays inside")
    func climbing() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            let outside = try container.makeOutside()
            try container.link("/up", to: "../../../../../../.." + outside)
            try container.set("linux.maskedPaths", ["/up", "/../../../../..\(outside)"])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(
                MountLine.all(in: outcome.stdout).allSatisfy { !$0.mountPoint.contains(outside) },
                "\(outcome)")
        }
    }

    @Test("root.readonly: the root refuses to be written")
    func readOnlyRoot() async throws {
        try await Self.privileged(["/bin/sh", "-c", "echo x > /new; mkdir /etc/x; true"]) { container in
            try container.set("root.readonly", true)
            let outcome = try await container.run()
            #expect(outcome.stderr.split(separator: "\n").count == 2, "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: container.rootfs + "/new"))
        }
    }
}
