import Foundation
import Testing

/// /proc and /sys: what the runtime writes to, and what it protects, must be the kernel's.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct ProcTests {
    private func expectRefused(_ container: TestContainer, at place: String) async throws {
        let outcome = try await container.run()
        #expect(outcome.code == 1, "\(outcome)")
        #expect(outcome.stderr.hasPrefix("gantry: \(place): "), "\(outcome)")
        #expect(outcome.stdout.isEmpty, "\(outcome)")
    }

    @Test(
        "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: /proc or /sys is a symlink",
        arguments: [("/proc", "mounts[0]"), ("/sys", "mounts[5]")],
        ["x", "/x", "/nowhere", "../../../../tmp", "/"])
    func symlinkForProc(path: (String, place: String), target: String) async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            try FileManager.default.createDirectory(
                atPath: container.rootfs + "/x", withIntermediateDirectories: true)
            try container.link(path.0, to: target)
            try await expectRefused(container, at: path.place)
        }
    }

    @Test(
        "CVE-2019-16884: only a proc file system goes on /proc",
        arguments: ["/proc", "/proc/", "//proc", "/./proc", "/etc/../proc"])
    func otherMountOnProc(destination: String) async throws {
        try await TestContainer.with { container in
            try container.addMount(destination, type: "tmpfs", source: "tmpfs")
            try await expectRefused(container, at: "mounts[7].destination")
        }
        try await TestContainer.with { container in
            let fake = try container.makeOutside()
            try container.addMount(destination, type: "bind", source: fake, options: ["bind"])
            try await expectRefused(container, at: "mounts[7].destination")
        }
    }

    @Test(
        "CVE-2019-16884: nothing goes inside /proc",
        arguments: [
            "/proc/self/attr", "/proc/self/attr/exec", "/proc/sys", "/proc/sys/kernel", "/proc/1",
            "/proc/thread-self",
            "/proc/../proc/sys", "/proc/cpuinfo/../sys", "/proc/acpi",
        ])
    func mountInsideProc(destination: String) async throws {
        try await TestContainer.with { container in
            let fake = try container.makeOutside()
            try container.addMount(destination, type: "bind", source: fake, options: ["bind"])
            try await expectRefused(container, at: "mounts[7].destination")
        }
        try await TestContainer.with { container in
            try container.addMount(destination, type: "tmpfs", source: "tmpfs")
            try await expectRefused(container, at: "mounts[7].destination")
        }
    }

    @Test(
        "CVE-2019-16884: nor by way of a symlink of the image",
        arguments: ["/proc/self/attr", "/proc/sys", "../proc/sys", "/proc", "/proc/self/fd/../attr"])
    func mountInsideProcThroughSymlink(target: String) async throws {
        try await TestContainer.with { container in
            let fake = try container.makeOutside()
            try container.link("/innocent", to: target)
            try container.addMount("/innocent", type: "bind", source: fake, options: ["bind"])
            try await expectRefused(container, at: "mounts[7]")
        }
    }

    @Test("CVE-2019-16884: the files that lxcfs provides may be bound, and only they are changed")
    func allowedInsideProc() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/uptime"]) { container in
            let file = try container.makeOutside() + "/uptime"
            try "1.00 2.00\n".write(toFile: file, atomically: false, encoding: .utf8)
            try container.addMount("/proc/uptime", type: "bind", source: file, options: ["bind"])
            let outcome = try await container.run()
            #expect(outcome.stdout == "1.00 2.00\n", "\(outcome)")
        }
    }

    /// The image brings a /proc of plain files and the configuration mounts none over it.
    @Test("CVE-2025-52881, CVE-2025-62596: writes to /proc do not go to the image's files")
    func tamperedProc() async throws {
        let read = ["/bin/sh", "-c", "cat /real/sys/kernel/msgmax /real/self/oom_score_adj"]
        try await TestContainer.with(read) { container in
            try container.removeMount("/proc")
            try container.set("linux.maskedPaths", nil)
            try container.set("linux.readonlyPaths", nil)
            try container.addMount("/real", type: "proc", source: "proc")
            for file in ["sys/kernel/msgmax", "self/oom_score_adj", "self/attr/exec", "1/oom_score_adj"] {
                try container.put("fake\n", at: "/proc/" + file)
            }
            try container.set("linux.sysctl", ["kernel.msgmax": "4242"])
            try container.set("process.oomScoreAdj", 321)
            let outcome = try await container.run()
            #expect(outcome.stdout == "4242\n321\n", "\(outcome)")
            for file in ["sys/kernel/msgmax", "self/oom_score_adj", "self/attr/exec", "1/oom_score_adj"] {
                let text = try String(contentsOfFile: container.rootfs + "/proc/" + file, encoding: .utf8)
                #expect(text == "fake\n", "\(file)")
            }
        }
    }

    /// The engine, or an earlier container, left mounts in the root file system; they are cloned with it.
    @Test(
        "CVE-2025-52881: nor to file systems that are mounted there already", arguments: ["tmpfs", "procfs"])
    func preparedMounts(kind: String) async throws {
        let read = ["/bin/sh", "-c", "cat /real/sys/kernel/msgmax /proc/sys/kernel/msgmax"]
        try await TestContainer.with(read) { container in
            try container.removeMount("/proc")
            try container.set("linux.maskedPaths", nil)
            try container.set("linux.readonlyPaths", nil)
            try container.addMount("/real", type: "proc", source: "proc")
            try container.set("linux.sysctl", ["kernel.msgmax": "4242"])
            let prepare =
                kind == "tmpfs"
                ? "mount -t tmpfs fake $1/proc && mkdir -p $1/proc/sys/kernel"
                : "mount --bind /proc $1/proc && mount -t tmpfs fake $1/proc/sys && mkdir $1/proc/sys/kernel"
            let script = prepare + " && echo fake > $1/proc/sys/kernel/msgmax && shift && exec \"$@\""
            let outcome = try await container.run(
                through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh", container.rootfs])
            #expect(outcome.stdout == "4242\nfake\n", "\(outcome)")
        }
    }

    /// /proc/sys of the image leads to another file of the kernel's.
    @Test("CVE-2025-52881: a sysctl is not redirected by symlinks of the image")
    func redirectedSysctl() async throws {
        let read = ["/bin/sh", "-c", "cat /real/sys/kernel/msgmax /real/sys/kernel/msgmnb"]
        try await TestContainer.with(read) { container in
            try container.removeMount("/proc")
            try container.set("linux.maskedPaths", nil)
            try container.set("linux.readonlyPaths", nil)
            try container.addMount("/real", type: "proc", source: "proc")
            try container.put("", at: "/proc/sys/kernel/x")
            try container.link("/proc/sys/kernel/msgmax", to: "/real/sys/kernel/msgmnb")
            try container.set("linux.sysctl", ["kernel.msgmax": "4242"])
            let outcome = try await container.run()
            #expect(outcome.lines.first == "4242", "\(outcome)")
            #expect(outcome.lines.last != "4242", "\(outcome)")
        }
    }

    @Test(
        "CVE-2022-0811: a value brings no second value, a name no second file",
        arguments: [
            ("kernel.msgmax", "1\n2"), ("kernel.msgmax", "4242\nkernel.core_pattern=|/evil"),
            ("kernel.msgmax=1\nkernel.shmmax", "1"), ("kernel/../../kernel/msgmax", "1"),
            ("net.././kernel.x", "1"),
            ("net/../kernel/core_pattern", "|/evil"), ("net.ipv4.../../kernel/core_pattern", "|/evil"),
            ("kernel.msgmax\u{0}", "1"), ("", "1"), ("net.", "1"), ("net..ipv4", "1"),
        ])
    func sysctlInjection(name: String, value: String) async throws {
        let before = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
        try await TestContainer.with { container in
            container.config.set(["linux", "sysctl"], [name: value])
            try container.save()
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: linux.sysctl"), "\(outcome)")
            #expect(outcome.lines.isEmpty, "\(outcome)")
        }
        #expect(try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8) == before)
    }

    @Test(
        "CVE-2022-0811: a parameter that belongs to no namespace is the host's and refused",
        arguments: [
            "kernel.core_pattern", "kernel.pid_max", "kernel.modprobe", "vm.swappiness", "fs.file-max",
            "kernel.hostname",
            "kernel.randomize_va_space", "dev.tty.ldisc_autoload", "kernel.ns_last_pid",
            "fs.binfmt_misc.status",
        ])
    func hostSysctls(name: String) async throws {
        let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
        let before = try? String(contentsOfFile: path, encoding: .utf8)
        try await TestContainer.with { container in
            container.config.set(
                ["linux", "sysctl"], [name: before?.trimmingCharacters(in: .newlines) ?? "0"])
            try container.save()
            try await expectRefused(container, at: "linux.sysctl[\"\(name)\"]")
        }
    }

    @Test(
        "CVE-2022-0811: so is one of a namespace that the container shares with the host",
        arguments: [
            ("net.ipv4.ip_forward", "network"), ("kernel.msgmax", "ipc"), ("fs.mqueue.msg_max", "ipc"),
            ("kernel.domainname", "uts"),
        ])
    func sysctlsOfSharedNamespaces(name: String, namespace: String) async throws {
        try await TestContainer.with { container in
            let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
            container.config.set(
                ["linux", "namespaces"], namespaces.filter { $0["type"] as? String != namespace })
            container.config.set(["linux", "sysctl"], [name: "1"])
            if namespace == "uts" { container.config.set(["hostname"], nil) }
            if namespace == "ipc" { container.mounts.removeAll { $0["type"] as? String == "mqueue" } }
            try container.save()
            try await expectRefused(container, at: "linux.sysctl[\"\(name)\"]")
        }
    }
}
