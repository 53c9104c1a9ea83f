import Foundation
import Testing

/// Containers of which a part is gone or no longer true: the bundle, the process, the machine's uptime, the
/// record.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 5))
struct DamageTests {
    private func with(_ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("touch /ready; while :; do sleep 0.05; done")
            try await body(container)
        }
    }

    private func entry(_ container: TestContainer, _ file: String) -> String {
        container.root + "/" + container.id + "/" + file
    }

    private func write(_ text: String, _ container: TestContainer, _ file: String) throws {
        try text.write(toFile: entry(container, file), atomically: false, encoding: .utf8)
    }

    private func expectNothing(_ container: TestContainer) async throws {
        #expect(Host.cgroups(of: container.id) == [])
        #expect(try Host.processes(of: container.id) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: container.root) == [])
    }

    enum Stage: CaseIterable { case created, running, stopped }

    private func bring(_ container: TestContainer, to stage: Stage) async throws {
        switch stage {
        case .created: try await container.create()
        case .running: try await container.startToReady()
        case .stopped:
            try await container.create()
            try await container.succeed(["kill", container.id, "KILL"])
            try await container.waitUntil("stopped")
        }
    }

    // MARK: The bundle

    @Test(arguments: Stage.allCases)
    func bundleIsGone(_ stage: Stage) async throws {
        try await with { container in
            try await bring(container, to: stage)
            try FileManager.default.removeItem(atPath: container.bundle)
            #expect(try await container.state()["bundle"] as? String == container.bundle)
            try await container.succeed(["delete", "--force", container.id])
            try await expectNothing(container)
        }
    }

    /// What a container is deleted from was written down when it was made.
    @Test func bundleIsAnotherNow() async throws {
        try await with { container in
            try await bring(container, to: .running)
            try container.set("linux.cgroupsPath", "/elsewhere")
            try container.set("root.path", "/nowhere")
            try container.shareHostProcesses()
            try await container.succeed(["delete", "--force", container.id])
            try await expectNothing(container)
        }
    }

    @Test func rootfsIsReplacedByALink() async throws {
        try await with { container in
            try await bring(container, to: .running)
            try FileManager.default.moveItem(atPath: container.rootfs, toPath: container.rootfs + ".old")
            try FileManager.default.createSymbolicLink(atPath: container.rootfs, withDestinationPath: "/etc")
            try await container.succeed(["delete", "--force", container.id])
            try await expectNothing(container)
            #expect(FileManager.default.fileExists(atPath: "/etc/passwd"))
        }
    }

    // MARK: The process

    /// The recorded number belongs to somebody else now: told by the start time, and left alone.
    @Test func pidWasReused() async throws {
        try await with { container in
            try await bring(container, to: .stopped)
            let stranger = try Child.spawn("/bin/sleep", ["1000"])
            let start = try #require(Host.process(stranger.pid)).start
            try write("\(stranger.pid) \(start + 1)\n", container, "init")
            #expect(try await container.status() == "stopped")
            #expect(try await container.state()["pid"] as? Int == 0)
            try await container.fail(["kill", container.id, "KILL"], says: "container not running")
            try await container.succeed(["kill", "--all", container.id, "KILL"])
            try await container.fail(["start", container.id], says: "has stopped")
            try await container.succeed(["delete", container.id])
            try await expectNothing(container)
            #expect(Host.process(stranger.pid)?.isAlive == true)
            kill(stranger.pid, SIGKILL)
            _ = try await stranger.wait()
        }
    }

    /// After a reboot with a state directory that survives it: neither process nor cgroups.
    @Test func theMachineWasRebooted() async throws {
        try await with { container in
            try await bring(container, to: .stopped)
            try write("4194304 1\n", container, "init")
            for cgroup in Host.cgroups(of: container.id) { rmdir(cgroup) }
            #expect(try await container.status() == "stopped")
            #expect(try await container.gantry("list").stdout.contains("stopped"))
            try await container.succeed(["delete", container.id])
            try await expectNothing(container)
        }
    }

    @Test func theMachineWasRebootedWhileItWaited() async throws {
        try await with { container in
            try await bring(container, to: .created)
            let process = try #require(Host.process(try await container.pid()))
            kill(process.pid, SIGKILL)
            try await eventually("its end") { !process.isAlive }
            // The socket's file is still there, nobody listens.
            #expect(FileManager.default.fileExists(atPath: entry(container, "start.sock")))
            try await container.fail(["start", container.id], says: "has stopped")
            try await container.succeed(["delete", container.id])
        }
    }

    // MARK: The record

    @Test(arguments: [
        ("", "line 1, column 1"), ("{", "state.json"), ("{\"version\":2}", "id"), ("[]", "state.json"),
        ("{\"version\":9,\"id\":\"x\"}", "written by another version of gantry (format 9, this one reads 2)"),
    ])
    func damagedRecordsAreTold(text: String, says: String) async throws {
        try await with { container in
            try await bring(container, to: .created)
            let whole = try String(contentsOfFile: entry(container, "state.json"), encoding: .utf8)
            try write(text, container, "state.json")
            for command in [["state"], ["start"], ["kill"], ["delete"], ["delete", "--force"]] {
                try await container.fail(command + [container.id], says: says)
                try await container.fail(command + [container.id], says: entry(container, "state.json"))
            }
            // It is left as it was: somebody may know how to mend it.
            try write(whole, container, "state.json")
            try await container.succeed(["delete", container.id])
            try await expectNothing(container)
        }
    }

    /// A container that cannot be read is no reason to tell nothing of the others.
    @Test func listToleratesDamage() async throws {
        try await with { container in
            try await bring(container, to: .created)
            for (id, file) in [("broken", "state.json"), ("stray", "init")] {
                let directory = container.root + "/" + id
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
                try "{".write(toFile: directory + "/" + file, atomically: false, encoding: .utf8)
            }
            let list = try await container.gantry("list", "-q")
            #expect(list.code == 0, "\(list)")
            #expect(list.stdout == container.id + "\n")
            #expect(list.stderr.contains("warning") && list.stderr.contains("broken/state.json"), "\(list)")
        }
    }
}
