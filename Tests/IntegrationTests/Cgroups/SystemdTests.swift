import Foundation
import Testing

/// Cgroups made by systemd, where it runs: scripts/vm.
@Suite(.needsContainers, .needsSystemd, .serialized, .timeLimit(minutes: 20))
struct SystemdTests {
    // MARK: What is made

    @Test func aScopeAroundTheContainer() async throws {
        try await Scoped.with { container in
            try await container.make()
            let unit = "gantry-\(container.id).scope"
            #expect(try await container.cgroup() == "/system.slice/" + unit)
            let properties = try await Systemd.properties(unit)
            #expect(properties["ActiveState"] == "active")
            #expect(properties["Slice"] == "system.slice")
            #expect(properties["Delegate"] == "yes")
            #expect(properties["Description"] == "gantry container " + container.id)
            // An exec is in it, too.
            let exec = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            #expect(exec.stdout == "0::/system.slice/\(unit)\n", "\(exec)")
            try await container.expectUnitGone(after: "delete", "--force", container.id)
        }
    }

    @Test func inTheForeground() async throws {
        try await Scoped.with(["/bin/cat", "/proc/self/cgroup"]) { container in
            let outcome = try await container.gantry(
                "--cgroup-manager", "systemd", "run", "--bundle", container.bundle, container.id)
            #expect(outcome.stdout == "0::/system.slice/gantry-\(container.id).scope\n", "\(outcome)")
            try await container.expectNoUnit()
        }
    }

    @Test func slicesPrefixesAndSubgroups() async throws {
        try await Scoped.with { container in
            let tag = container.id.suffix(6)
            container.config["annotations"] = [
                "run.oci.systemd.subgroup": "inner", "org.systemd.property.TimeoutStopSec": "7",
            ]
            try container.set("linux.cgroupsPath", "gt\(tag)-b.slice:pre:x+\(container.id)")
            try container.set("linux.resources.pids", ["limit": 20])
            try await container.make()
            let path = "/gt\(tag).slice/gt\(tag)-b.slice/pre-x\\x2b\(container.id).scope"
            #expect(try await container.cgroup() == path + "/inner")
            #expect(try container.file("pids.max", path + "/inner") == "20")
            let properties = try await Systemd.properties("pre-x\\x2b\(container.id).scope")
            #expect(properties["TimeoutStopUSec"] == "7s")
            #expect(properties["TasksMax"] == "20")
            try await container.expectUnitGone(after: "delete", "--force", container.id)
            _ = try await Systemd.control("stop", "gt\(tag).slice")
        }
    }

    /// Rooted at its own cgroup, not at the one that it was born in.
    @Test func cgroupNamespace() async throws {
        try await Scoped.with(["/bin/cat", "/proc/self/cgroup"]) { container in
            var namespaces = try #require(container.value("linux.namespaces") as? [[String: Any]])
            namespaces.removeAll { $0["type"] as? String == "cgroup" }
            try container.set("linux.namespaces", namespaces + [["type": "cgroup"]])
            let outcome = try await container.gantry(
                "--systemd-cgroup", "run", "--bundle", container.bundle, container.id)
            #expect(outcome.stdout == "0::/\n", "\(outcome)")
        }
    }

    /// It cannot be put into the scope any more: what is told is that it died.
    @Test func theInitDiesMeanwhile() async throws {
        try await Scoped.with { container in
            let words =
                container.globals + [
                    "--systemd-cgroup", "create", "--bundle", container.bundle, container.id,
                ]
            let whole = try await KillPoint.run(.stage2, .never, words)
            try #require(whole.outcome.code == 0, "\(whole)")
            try await container.succeed(["delete", container.id])
            // Where it waits for gantry to have put it there.
            let wait = try #require(whole.calls.firstIndex(of: "recvmsg")) + 1
            let point = try await KillPoint.run(.stage2, .call(wait), words)
            #expect(
                point.outcome.stderr == "gantry: the init was killed by signal 9 before the container ran\n",
                "\(point)")
            try await container.expectNoUnit()
        }
    }

    // MARK: Beside runc

    /// Properties that are another unit's, or another moment's.
    private static let incidental = [
        "Timestamp", "CPUUsageNSec", "ControlGroup", "DropInPaths", "FragmentPath", "Id", "InvocationID",
        "Memory",
        "Names", "Tasks", "IORead", "IOWrite", "IPIngress", "IPEgress", "EffectiveMemory", "EffectiveTasks",
    ]
    private static let kept = [
        "MemoryMax", "MemoryLow", "MemorySwapMax", "MemoryHigh", "MemoryMin", "TasksMax",
    ]
    /// Differences that are meant (spec/cgroups.md).
    private static let meant: [(name: String, ours: @Sendable (String) -> Bool)] = [
        ("Description", { $0.hasPrefix("gantry container ") }),
        ("CollectMode", { $0 == "inactive-or-failed" }),
        // Of 512 shares; the linear formula makes 20 of them.
        ("CPUWeight", { $0 == "59" }), ("DeviceAllow", { $0.contains("char-136 rwm") }),
        // Nobody could tell runc 1.1 about one.
        ("IOWeight", { $0 == "9091" }),
    ]

    static let configurations: [(name: String, resources: String)] = [
        ("none", "{}"),
        (
            "limits",
            """
            {"memory":{"limit":67108864,"reservation":33554432,"swap":134217728},"pids":{"limit":50},
             "cpu":{"shares":512,"quota":12345,"period":50000,"cpus":"0-1","mems":"0"},"blockIO":{"weight":910}}
            """
        ),
        (
            "unified",
            """
            {"unified":{"memory.high":"60000000","memory.min":"4096","cpu.max":"30000 60000","pids.max":"99"}}
            """
        ),
        ("unlimited", #"{"memory":{"limit":-1},"pids":{"limit":-1},"cpu":{"quota":-1}}"#),
    ]

    @Test(arguments: configurations) func asThePeer(_ name: String, _ resources: String) async throws {
        try await Scoped.with { container in
            var all = try #require(
                try JSONSerialization.jsonObject(with: Data(resources.utf8)) as? [String: Any])
            all["devices"] = container.value("linux.resources.devices")
            try container.set("linux.resources", all)
            try await container.make()
            let peer = ["--root", container.directory.path + "/peer", "--systemd-cgroup"]
            let made = try await Command.run(
                "/usr/bin/env",
                ["runc"] + peer + ["run", "--detach", "--bundle", container.bundle, container.id + "-p"],
                seconds: 300)
            #expect(made.code == 0, "\(made)")
            let ours = try await Systemd.properties("gantry-\(container.id).scope")
            let theirs = try await Systemd.properties("runc-\(container.id)-p.scope")
            _ = try await Command.run(
                "/usr/bin/env", ["runc"] + peer + ["delete", "--force", container.id + "-p"], seconds: 300)
            for name in Set(ours.keys).union(theirs.keys).sorted() where ours[name] != theirs[name] {
                if Self.incidental.contains(where: { name.contains($0) }), !Self.kept.contains(name) {
                    continue
                }
                if Self.meant.contains(where: { $0.name == name && $0.ours(ours[name] ?? "") }) { continue }
                Issue.record("\(name): \(ours[name] ?? "-") with gantry, \(theirs[name] ?? "-") with runc")
            }
        }
    }

    // MARK: Limits that stay

    private static let files = [
        "memory.max", "memory.low", "memory.swap.max", "cpu.weight", "cpu.max", "pids.max", "cpuset.cpus",
        "cpuset.mems", "io.weight",
    ]

    private func values(_ container: TestContainer) async throws -> [String] {
        let path = try await container.cgroup()
        return try Self.files.map { try $0 + " " + container.file($0, path) }
    }

    @Test func daemonReloadChangesNothing() async throws {
        try await Scoped.with { container in
            try container.set("linux.resources.memory", ["limit": 67_108_864, "swap": 134_217_728])
            try container.set(
                "linux.resources.cpu",
                ["shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"])
            try container.set("linux.resources.pids", ["limit": 50])
            try container.set("linux.resources.blockIO", ["weight": 500])
            try await container.make()
            let before = try await values(container)
            #expect(
                before.contains("memory.max 67108864") && before.contains("cpu.max 50000 100000"), "\(before)"
            )
            try await expectDevices(container)
            #expect(try await Systemd.control("daemon-reload").code == 0)
            #expect(try await values(container) == before)
            try await expectDevices(container)

            let update = try await container.gantry(
                "update", "--memory", "128m", "--memory-swap", "256m", "--pids-limit", "77", "--cpu-quota",
                "20000",
                container.id, seconds: 300)
            #expect(update.code == 0, "\(update)")
            let after = try await values(container)
            for line in [
                "memory.max 134217728", "memory.swap.max 134217728", "pids.max 77", "cpu.max 20000 100000",
            ] {
                #expect(after.contains(line), "\(line) in \(after)")
            }
            #expect(try await Systemd.control("daemon-reload").code == 0)
            #expect(try await values(container) == after)
            let properties = try await Systemd.properties("gantry-\(container.id).scope")
            #expect(properties["MemoryMax"] == "134217728" && properties["TasksMax"] == "77")

            // All or nothing, in systemd as well.
            let refused = try await container.gantry(
                "update", "--pids-limit", "88", "--cpuset-cpus", "4000", container.id, seconds: 300)
            #expect(refused.code == 1, "\(refused)")
            #expect(try await values(container) == after)
            let same = try await Systemd.properties("gantry-\(container.id).scope")
            #expect(same["TasksMax"] == "77" && same["AllowedCPUs"] == properties["AllowedCPUs"])
        }
    }

    /// /dev/null may be used; a node for the disk may be made, but not be opened.
    private func expectDevices(_ container: TestContainer) async throws {
        let script = "echo >/dev/null && mknod /dev/disk b 8 0; cat /dev/disk; echo $?; rm -f /dev/disk"
        let outcome = try await container.gantry(
            "exec", "--cap", "CAP_MKNOD", container.id, "/bin/sh", "-c", script, seconds: 300)
        #expect(outcome.stdout == "1\n" && outcome.stderr.contains("not permitted"), "\(outcome)")
    }

    @Test func pauseEventsPsAndKill() async throws {
        try await Scoped.with { container in
            try await container.make()
            #expect(try await container.gantry("pause", container.id, seconds: 300).code == 0)
            #expect(try await container.status() == "paused")
            #expect(try await Systemd.control("daemon-reload").code == 0)
            #expect(try await container.status() == "paused")
            #expect(try await container.gantry("resume", container.id, seconds: 300).code == 0)
            let ps = try await container.gantry("ps", "--format", "json", container.id)
            #expect(ps.stdout == "[\(try await container.pid())]\n", "\(ps)")
            let events = try await container.gantry("events", "--stats", container.id)
            #expect(events.code == 0 && events.stdout.contains("\"pids\":{\"current\":1"), "\(events)")
            #expect(try await container.gantry("pause", container.id, seconds: 300).code == 0)
            try await container.expectUnitGone(after: "delete", "--force", container.id)
        }
    }

    // MARK: Others

    @Test func supervised() async throws {
        try await Scoped.with { container in
            let made = try await container.gantry(
                "--systemd-cgroup", "run", "--detach", "--supervise", "--bundle", container.bundle,
                container.id,
                seconds: 300)
            #expect(made.code == 0, "\(made)")
            let path = "/system.slice/gantry-\(container.id).scope"
            #expect(try await container.cgroup() == path)
            let first = try await container.pid()
            let again = try await container.gantry("restart", "--time", "0", container.id, seconds: 300)
            #expect(again.code == 0, "\(again)")
            #expect(try await container.pid() != first)
            #expect(try await container.cgroup() == path)
            try await container.expectUnitGone(after: "delete", "--force", container.id)
        }
    }

    @Test(.enabled(if: Systemd.has("podman"), "podman is not here")) func podman() async throws {
        try await Scoped.with { container in
            let name = "pod-" + container.id
            let words = [
                "podman", "--cgroup-manager=systemd", "--runtime", Machine.gantry, "run", "--rm", "--name",
                name,
                "--network=none", "--memory=64m", "--rootfs", container.rootfs, "/bin/cat",
                "/proc/self/cgroup",
                "/sys/fs/cgroup/memory.max",
            ]
            let outcome = try await Command.run("/usr/bin/env", words, seconds: 600)
            #expect(outcome.code == 0 && outcome.stdout.contains("67108864"), "\(outcome)")
        }
    }
}
