import Foundation
import Testing

/// Managers other than cgroupfs where there is no systemd, and the one that makes nothing.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct CgroupManagerTests {
    /// One sentence, and nothing is left.
    private func expectRefusal(
        _ container: TestContainer, _ outcome: Outcome, _ words: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(outcome.code == 1, "\(outcome)", sourceLocation: location)
        #expect(outcome.stderr.hasPrefix("gantry: " + words), "\(outcome)", sourceLocation: location)
        #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome)", sourceLocation: location)
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: container.root)) ?? []
        #expect(entries.isEmpty, "\(entries)", sourceLocation: location)
        #expect(Host.cgroups(of: container.id) == [], sourceLocation: location)
        #expect(try Host.processes(of: container.id) == [], sourceLocation: location)
    }

    /// config-linux.md, "Cgroup ownership": the user of the process may divide the cgroup, but not lift its limits.
    @Test(.enabled(if: Host.isUnified, "cgroup v2 alone"), arguments: [true, false])
    func theCgroupIsItsUsers(isWritable: Bool) async throws {
        try await TestContainer.with { container in
            try container.setScript(
                """
                cd /sys/fs/cgroup
                mkdir inner && echo 0 >inner/cgroup.procs && echo made
                echo max >memory.max || echo kept
                cat /proc/self/cgroup
                """)
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            let mounts = try #require(container.value("mounts") as? [[String: Any]])
            try container.set(
                "mounts",
                mounts.map { mount in
                    guard mount["destination"] as? String == "/sys/fs/cgroup", isWritable else {
                        return mount
                    }
                    var mount = mount
                    mount["options"] = ["nosuid", "noexec", "nodev", "relatime", "rw"]
                    return mount
                })
            let namespaces = try #require(container.value("linux.namespaces") as? [[String: Any]])
            try container.set(
                "linux.namespaces",
                namespaces.filter { $0["type"] as? String != "cgroup" } + [["type": "cgroup"]])
            try container.set("linux.resources.memory", ["limit": 100_000_000])
            let outcome = try await container.run()
            #expect(
                outcome.lines == (isWritable ? ["made", "kept", "0::/inner"] : ["kept", "0::/"]), "\(outcome)"
            )
        }
    }

    @Test(arguments: ["create", "run"]) func noBus(command: String) async throws {
        try await TestContainer.with { container in
            var environment = ProcessInfo.processInfo.environment
            environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=\(container.directory.path)/none"
            let outcome = try await container.gantry(
                "--systemd-cgroup", command, "--bundle", container.bundle, container.id,
                environment: environment)
            try expectRefusal(container, outcome, "systemd: cannot reach D-Bus: connect ")
        }
    }

    @Test(arguments: ["nonsense", "tcp:host=localhost,port=1", "unix:path=%zz", ""])
    func noAddress(_ address: String) async throws {
        try await TestContainer.with { container in
            var environment = ProcessInfo.processInfo.environment
            environment["DBUS_SYSTEM_BUS_ADDRESS"] = address
            if address.isEmpty { environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:abstract=gantry-none" }
            let outcome = try await container.gantry(
                "--cgroup-manager", "systemd", "run", "--bundle", container.bundle, container.id,
                environment: environment)
            try expectRefusal(
                container, outcome,
                address.isEmpty ? "systemd: cannot reach D-Bus: connect " : "DBUS_SYSTEM_BUS_ADDRESS: ")
        }
    }

    /// Within 10 s; the limit here is for a machine that is busy.
    @Test(arguments: SilentBus.Manners.allCases) func bus(that manners: SilentBus.Manners) async throws {
        try await TestContainer.with { container in
            let bus = try SilentBus(manners, at: container.directory.path + "/bus")
            defer { bus.close() }
            let words =
                switch manners {
                case .silent, .silentAfterLogin: "systemd: D-Bus did not answer within 9 s"
                case .hangsUp, .hangsUpAfterLogin: "systemd: "
                case .saysNo: "systemd: D-Bus does not let us in: \"REJECTED ANONYMOUS\""
                case .talksNonsense, .talksForEver: "systemd: "
                case .hostileAfterLogin: "systemd: a message on D-Bus is too long"
                }
            let outcome = try await container.gantry(
                "--systemd-cgroup", "run", "--bundle", container.bundle, container.id,
                environment: bus.environment, seconds: 60)
            try expectRefusal(container, outcome, words)
        }
    }

    /// What cannot be a unit, or one of its properties, is told at its place, before anything is made.
    @Test(arguments: [
        ("linux.cgroupsPath", "/absolute", "linux.cgroupsPath: expected cgroupsPath to be of format"),
        ("linux.cgroupsPath", "no-slice:a:b", "linux.cgroupsPath: \"no-slice\" is no name of a slice"),
        ("annotations", "org.systemd.property.CollectMode=inactive", "annotations["),
        ("annotations", "org.systemd.property.X=1", "annotations["),
        ("annotations", "run.oci.systemd.subgroup=../x", "annotations["),
    ])
    func wrongUnits(_ property: String, _ value: String, _ words: String) async throws {
        try await TestContainer.with { container in
            if property == "annotations" {
                let parts = value.split(separator: "=", maxSplits: 1).map(String.init)
                container.config["annotations"] = [parts[0]: parts[1]]
                try container.save()
            } else {
                try container.set(property, value)
            }
            let outcome = try await container.gantry(
                "--systemd-cgroup", "run", "--bundle", container.bundle, container.id)
            try expectRefusal(container, outcome, words)
        }
    }

    // MARK: disabled

    @Test func disabledStaysInTheCallersCgroup() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/cgroup"]) { container in
            let own = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
            let outcome = try await container.gantry(
                "--cgroup-manager", "disabled", "run", "--bundle", container.bundle, container.id)
            #expect(outcome.code == 0 && outcome.stdout == own, "\(outcome)")
            #expect(outcome.stderr.contains("linux.resources.devices: left out"), "\(outcome)")
        }
    }

    @Test(arguments: [
        ("linux.resources.memory", ["limit": 67_108_864], "linux.resources.memory.limit: "),
        ("linux.resources.cpu", ["shares": 100], "linux.resources.cpu.shares: "),
        ("linux.resources.pids", ["limit": 5], "linux.resources.pids.limit: "),
    ])
    func disabledRefusesLimits(_ property: String, _ value: [String: Int], _ words: String) async throws {
        try await TestContainer.with { container in
            try container.set(property, value)
            let outcome = try await container.gantry(
                "--cgroup-manager", "disabled", "run", "--bundle", container.bundle, container.id)
            try expectRefusal(container, outcome, words + "cannot be limited: ")
        }
    }

    @Test func disabledAnswersWhatNeedsACgroup() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let made = try await container.gantry(
                "--cgroup-manager", "disabled", "run", "--detach", "--bundle", container.bundle, container.id)
            #expect(made.code == 0, "\(made)")
            #expect(Host.cgroups(of: container.id) == [])
            for command in [["pause"], ["ps"], ["events", "--stats"], ["update", "--memory", "64m"]] {
                let outcome = try await Command.run(
                    Machine.gantry, container.globals + command + [container.id])
                #expect(outcome.code == 1, "\(outcome)")
                #expect(outcome.stderr.contains("the container has no cgroup of its own"), "\(outcome)")
            }
            let all = try await container.gantry("kill", "--all", container.id, "TERM")
            #expect(all.code == 1 && all.stderr.contains("has no cgroup of its own"), "\(all)")
            let exec = try await container.gantry("exec", container.id, "/bin/echo", "here")
            #expect(exec.stdout == "here\n", "\(exec)")
            let below = try await container.gantry("exec", "--cgroup", "x", container.id, "/bin/true")
            #expect(below.code == 255 && below.stderr.contains("--cgroup"), "\(below)")
            let killed = try await container.gantry("kill", "--all", container.id, "KILL")
            #expect(killed.code == 0, "\(killed)")
            try await container.waitUntil("stopped")
            let deleted = try await container.gantry("delete", container.id)
            #expect(deleted.code == 0, "\(deleted)")
        }
    }
}
