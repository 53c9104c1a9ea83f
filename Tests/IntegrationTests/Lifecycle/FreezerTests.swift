import Foundation
import Testing

/// Containers that somebody has frozen by their cgroup, as engines' `pause` does.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 5))
struct FreezerTests {
    private func with(_ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "trap 'touch /told; exit 3' TERM; touch /ready; while :; do sleep 0.02; done")
            do {
                try await body(container)
            } catch {
                try? freeze(container, false)
                throw error
            }
        }
    }

    /// freezer.state of version 1, or cgroup.freeze.
    private func freeze(_ container: TestContainer, _ frozen: Bool) throws {
        for cgroup in Host.cgroups(of: container.id) {
            for (file, words) in [("freezer.state", ["THAWED", "FROZEN"]), ("cgroup.freeze", ["0", "1"])] {
                let path = cgroup + "/" + file
                guard FileManager.default.fileExists(atPath: path) else { continue }
                // Of a hybrid host's two freezers only that of version 1 is used.
                if file == "cgroup.freeze" && FileManager.default.fileExists(atPath: "/sys/fs/cgroup/freezer")
                {
                    continue
                }
                let handle = try FileHandle(forWritingTo: URL(filePath: path))
                try handle.write(contentsOf: Data(words[frozen ? 1 : 0].utf8))
                try handle.close()
            }
        }
    }

    @Test func aPausedContainerSaysSo() async throws {
        try await with { container in
            try await container.startToReady()
            try freeze(container, true)
            try await container.waitUntil("paused")
            #expect(try await container.gantry("list").stdout.contains("paused"))
            try await container.fail(["start", container.id], says: "container paused")
            try await container.fail(
                ["delete", container.id],
                says: "cannot delete container \(container.id) that is not stopped: paused")
            try freeze(container, false)
            try await container.waitUntil("running")
        }
    }

    @Test(arguments: [false, true])
    func aPausedContainerCanBeDeletedByForce(hostProcesses: Bool) async throws {
        try await with { container in
            if hostProcesses { try container.shareHostProcesses() }
            try await container.startToReady()
            try freeze(container, true)
            try await container.waitUntil("paused")
            try await container.succeed(["delete", "--force", container.id])
            #expect(try Host.processes(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    /// Signals wait until it goes on; SIGKILL does not.
    @Test func signalsToAPausedContainer() async throws {
        try await with { container in
            try await container.startToReady()
            try freeze(container, true)
            try await container.succeed(["kill", container.id, "TERM"])
            try await Task.sleep(for: .milliseconds(50))
            #expect(try await container.status() == "paused")
            #expect(!FileManager.default.fileExists(atPath: container.rootfs + "/told"))
            try freeze(container, false)
            try await container.waitUntil("stopped")
            #expect(FileManager.default.fileExists(atPath: container.rootfs + "/told"))
        }
        for words in [["kill"], ["kill", "--all"]] {
            try await with { container in
                try await container.startToReady()
                try freeze(container, true)
                try await container.succeed(words + [container.id, "KILL"])
                try await container.waitUntil("stopped")
            }
        }
    }

    /// A created container's init cannot answer when it is frozen: nobody waits for it.
    @Test func frozenBeforeItsStart() async throws {
        try await with { container in
            try await container.create()
            try freeze(container, true)
            for _ in 0..<20 { #expect(try await container.status() == "paused") }
            try await container.fail(["start", container.id], says: "container paused")
            try freeze(container, false)
            try await container.waitUntil("created")
            try await container.succeed(["start", container.id])
            try await container.waitForFile("ready")
        }
        try await with { container in
            try await container.create()
            try freeze(container, true)
            try await container.succeed(["delete", "--force", container.id])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    /// The last process that is left of a stopped container may be frozen.
    @Test func frozenAfterTheProcessHasEnded() async throws {
        try await with { container in
            try container.shareHostProcesses()
            try container.setScript("sh -c 'while :; do sleep 0.05; done; : '$0 & touch /ready")
            try await container.startToReady()
            try await container.waitUntil("stopped")
            try freeze(container, true)
            try await container.succeed(["delete", container.id])
            #expect(try Host.processes(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
        }
    }

    // MARK: A creation that was cut off

    /// So much work for the init, and so little CPU time, that it is easy to hit.
    private func slowDown(_ container: TestContainer) throws {
        try container.put("", at: "/tree/file")
        for number in 0..<5000 {
            #expect(link(container.rootfs + "/tree/file", container.rootfs + "/tree/\(number)") == 0)
        }
        try container.addMount("/tree", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"])
        // To die it needs some, too.
        let quota = Machine.patience > 1 ? 50_000 : 1000
        try container.set("linux.resources.cpu", ["quota": quota, "period": 1_000_000])
    }

    /// The init where the freezer reaches it. On a hybrid host it enters that of version 1 later than it is born into
    /// the other cgroup.
    private func initial(of container: TestContainer) throws -> Host.Process? {
        let isLegacy = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/freezer")
        return try Host.processes(of: container.id).first { process in
            let cgroups = (Host.read("/proc/\(process.pid)/cgroup") ?? "").split(separator: "\n")
            return Host.commandLine(process.pid).hasPrefix("gantry-init")
                && cgroups.contains {
                    $0.contains(isLegacy ? ":freezer:" : "0::") && $0.contains(container.id)
                }
        }
    }

    /// Nobody runs in the container's cgroup any more, or it is gone.
    private func isFrozen(_ container: TestContainer) -> Bool {
        let states = Host.cgroups(of: container.id).compactMap { cgroup in
            (try? String(contentsOfFile: cgroup + "/freezer.state", encoding: .utf8)).map { $0 == "FROZEN\n" }
                ?? (try? String(contentsOfFile: cgroup + "/cgroup.events", encoding: .utf8)).map {
                    $0.contains("frozen 1")
                }
        }
        return states.isEmpty || states.contains(true)
    }

    /// Freezes the init of a container that is slow to start, in the middle of its work, unless that is missed.
    ///
    /// - Returns: gantry, and the init that is still alive then: one that ends while it is frozen does not count.
    private func startFrozen(
        _ container: TestContainer, _ command: String
    ) async throws -> (gantry: Child, initial: Host.Process?) {
        let gantry = try Child.spawn(
            Machine.gantry, ["--root", container.root, command, "--bundle", container.bundle, container.id])
        try await eventually("the init to be in its cgroup") { try initial(of: container) != nil }
        try freeze(container, true)
        try await eventually("the init to be frozen") { isFrozen(container) }
        return (gantry, try initial(of: container))
    }

    /// Kills gantry while the init is frozen.
    ///
    /// - Returns: nil when it was missed.
    private func cutOff(_ container: TestContainer) async throws -> Host.Process? {
        let (gantry, initial) = try await startFrozen(container, "create")
        kill(gantry.pid, SIGKILL)
        _ = try await gantry.wait()
        let record = container.root + "/" + container.id + "/init"
        return FileManager.default.fileExists(atPath: record) ? nil : initial
    }

    /// The init cannot notice that gantry is gone, and nobody has written down its pid.
    @Test func aFrozenInitOfACutOffCreationIsRemoved() async throws {
        try await with { container in
            try slowDown(container)
            var process: Host.Process?
            for _ in 0..<20 where process == nil {
                process = try await cutOff(container)
                if process != nil { #expect(try #require(process).isAlive) }
                try await container.succeed(["delete", "--force", container.id])
            }
            #expect(try #require(process, "never hit").isAlive == false)
            #expect(try Host.processes(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
            try container.set("linux.resources.cpu", nil)
            try await container.startToReady()
        }
    }

    /// Whoever else is in the cgroup is neither killed nor thawed; that the cgroup stays is told.
    @Test(
        .enabled(
            if: !Machine.usesSystemd,
            "a scope is never empty: systemd makes it around the container's process"))
    func whatIsNotOfTheCutOffCreationIsLeftAlone() async throws {
        try await with { container in
            var made: String?
            // The first directories are those of the state. On version 2 alone none comes after the cgroup's only one.
            let moments: [KillPoint.Moment] =
                (1..<10).map { .after("mkdirat", nth: $0) } + (1..<20).map { .after("write", nth: $0) }
            for moment in moments where made == nil {
                try await container.succeed(["delete", "--force", container.id])
                let point = try await KillPoint.run(
                    .gantry, moment,
                    ["--root", container.root, "create", "--bundle", container.bundle, container.id])
                if point.killedAt != nil { made = Host.cgroups(of: container.id).first }
            }
            let cgroup = try #require(made)
            let other = try Child.spawn("/bin/sleep", ["600"])
            try "\(other.pid)".write(toFile: cgroup + "/cgroup.procs", atomically: false, encoding: .utf8)
            try await container.fail(
                ["delete", "--force", container.id],
                says:
                    "\(cgroup): what was left of the container is removed, but not its cgroup: it is in use by"
                    + " other processes (\(other.pid))")
            #expect(kill(other.pid, 0) == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: container.root) == [])
            kill(other.pid, SIGKILL)
            _ = try await other.wait()
            try await eventually("the cgroup to be removable") { rmdir(cgroup) == 0 || errno == ENOENT }
        }
    }

    /// A foreground `run` has blocked its signals, but does not wait for ever.
    @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsAStartThatHangs(signal: Int32) async throws {
        try await with { container in
            try slowDown(container)
            var code: Int32?
            for _ in 0..<20 where code == nil {
                let (gantry, initial) = try await startFrozen(container, "run")
                let record = container.root + "/" + container.id + "/init"
                let hit = initial != nil && !FileManager.default.fileExists(atPath: record)
                kill(gantry.pid, hit ? signal : SIGKILL)
                let ended = try await gantry.wait()
                guard hit else {
                    try await container.succeed(["delete", "--force", container.id])
                    continue
                }
                code = ended
                #expect(try #require(initial).isAlive == false)
            }
            #expect(code == 128 + signal)
            #expect(try Host.processes(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: container.root) == [])
        }
    }
}
