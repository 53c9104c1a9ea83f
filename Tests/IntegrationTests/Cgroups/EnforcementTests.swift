import Foundation
import Testing

/// What cgroups do to a container, rather than what stands in their files.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct EnforcementTests {
    /// The first of the container's directories that has the file.
    private func path(_ file: String, of id: String) throws -> String {
        let all = Host.cgroups(of: id).sorted { $0.count < $1.count }.map { $0 + "/" + file }
        return try #require(all.first { FileManager.default.fileExists(atPath: $0) }, "no \(file)")
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// It forks as fast as it can: no more processes than it may have, and nothing of it survives.
    @Test func aForkBombStopsAtItsLimit() async throws {
        try await TestContainer.with { container in
            try container.setScript(": >/ready; (b() { b | b & }; b) 2>/dev/null & exec sleep 1000")
            try container.set("linux.resources.pids", ["limit": 24])
            try await container.startToReady()
            let events = try path("pids.events", of: container.id)
            try await eventually("a fork to be refused") { try self.text(events) != "max 0" }
            let current = try path("pids.current", of: container.id)
            for _ in 0..<20 {
                #expect(try #require(Int(try text(current))) <= 24)
            }
            #expect(try await container.status() == "running")
            try await container.succeed(["delete", "--force", container.id])
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try Host.processes(of: container.id) == [])
        }
    }

    /// Whatever happens to it while it is paused under load, nothing hangs and nothing stays.
    @Test(arguments: [["kill", "KILL"], ["kill", "--all", "KILL"], ["delete", "--force"]])
    func pausedUnderLoad(command: [String]) async throws {
        try await TestContainer.with { container in
            let fork = "(while :; do /bin/true; done) & "
            try container.setScript(fork + fork + fork + ": >/ready; while :; do /bin/true; done")
            try await container.startToReady()
            for _ in 0..<Soak.rounds(3, soak: 50) {
                try await container.succeed(["pause", container.id])
                #expect(try await container.status() == "paused")
                try await container.succeed(["resume", container.id])
                #expect(try await container.status() == "running")
            }
            try await container.succeed(["pause", container.id])
            var words = command
            words.insert(container.id, at: command[0] == "kill" ? command.count - 1 : command.count)
            try await container.succeed(words)
            if command[0] == "kill" {
                try await container.waitUntil("stopped")
                try await container.succeed(["delete", container.id])
            }
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try Host.processes(of: container.id) == [])
        }
    }

    /// The cgroup stops just when somebody enters it, and goes on a moment later: so does the exec.
    @Test func execIntoACgroupThatIsFrozenAMomentLater() async throws {
        try await TestContainer.sleeping { container in
            let cgroup = try #require(FreezerCgroup(container), "no cgroup that freezes").path
            let isVersion1 = FileManager.default.fileExists(atPath: cgroup + "/freezer.state")
            let file = cgroup + (isVersion1 ? "/freezer.state" : "/cgroup.freeze")
            for round in 0..<Soak.rounds(6, soak: 200) {
                let child = try Child.spawn(
                    Machine.gantry, container.globals + ["exec", container.id, "/bin/sh", "-c", "exit 7"])
                try await Task.sleep(for: .milliseconds(round * 2 % 12))
                try (isVersion1 ? "FROZEN" : "1").write(toFile: file, atomically: false, encoding: .utf8)
                try await Task.sleep(for: .milliseconds(50))
                try (isVersion1 ? "THAWED" : "0").write(toFile: file, atomically: false, encoding: .utf8)
                let code = try await child.wait()
                // It may have come to a cgroup that was frozen already.
                #expect(code == 7 || code == 255, "round \(round)")
            }
        }
    }

    /// The cgroup namespace's root is the container's own cgroup, in each hierarchy, and so is what is mounted.
    @Test func theNamespaceBeginsAtTheContainer() async throws {
        try await TestContainer.with { container in
            try container.setScript("cat /proc/self/cgroup; echo; grep ' - cgroup' /proc/self/mountinfo")
            let namespaces = try #require(container.value("linux.namespaces") as? [[String: Any]])
            try container.set(
                "linux.namespaces",
                namespaces.filter { $0["type"] as? String != "cgroup" } + [["type": "cgroup"]])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            let parts = outcome.stdout.components(separatedBy: "\n\n")
            try #require(parts.count == 2, "\(outcome)")
            let own = parts[0].split(separator: "\n")
            // A named hierarchy that is not mounted is nobody's.
            let mounted = own.filter { $0.hasSuffix(":/") }
            #expect(mounted.count >= 1 && own.filter { $0.contains(container.id) }.isEmpty, "\(outcome)")
            for line in parts[1].split(separator: "\n") {
                #expect(line.split(separator: " ")[3] == "/", "\(outcome)")
            }
        }
    }

    /// A container may make cgroups in its own, freeze them and go: all that is left is removed.
    @Test(arguments: [false, true]) func cgroupsOfTheContainerGoWithIt(frozen: Bool) async throws {
        try await TestContainer.with { container in
            var mounts = container.mounts
            for index in mounts.indices where mounts[index]["type"] as? String == "cgroup" {
                mounts[index]["options"] = ["nosuid", "noexec", "nodev"]
            }
            container.mounts = mounts
            let namespaces = try #require(container.value("linux.namespaces") as? [[String: Any]])
            try container.set(
                "linux.namespaces",
                namespaces.filter { $0["type"] as? String != "cgroup" } + [["type": "cgroup"]])
            try container.setScript(
                """
                for top in /sys/fs/cgroup /sys/fs/cgroup/freezer /sys/fs/cgroup/pids; do
                    [ -e $top/cgroup.procs ] || continue
                    mkdir -p $top/a/b/c $top/d
                    sh -c 'echo 0 >'$top'/a/b/c/cgroup.procs; touch /moved; exec sleep 1000' $0 &
                    while [ ! -e /moved ]; do sleep 0.02; done; rm /moved
                    if \(frozen); then
                        if [ -e $top/a/cgroup.freeze ]; then echo 1 >$top/a/cgroup.freeze; fi
                        if [ -e $top/a/freezer.state ]; then echo FROZEN >$top/a/freezer.state; fi
                    fi
                done
                touch /ready; exec sleep 1000
                """)
            try await container.startToReady()
            #expect(
                Host.cgroups(of: container.id).contains {
                    FileManager.default.fileExists(atPath: $0 + "/a/b/c")
                })
            // A cgroup that the container has frozen is no reason for a pause, or its end, to fail.
            try await container.succeed(["pause", container.id])
            try await container.succeed(["resume", container.id])
            try await container.succeed(["delete", "--force", container.id])
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try Host.processes(of: container.id) == [])
        }
    }
}
