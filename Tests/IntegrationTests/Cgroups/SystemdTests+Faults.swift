import Foundation
import Testing

// What goes wrong.
extension SystemdTests {
    @Test func aNameThatIsTaken() async throws {
        try await Scoped.with { container in
            let unit = "gantry-\(container.id).scope"
            let other = try Child.spawn(
                "/usr/bin/systemd-run", ["--quiet", "--scope", "--unit=\(unit)", "/usr/bin/sleep", "1000"])
            try await eventually("the other unit") {
                try await Systemd.properties(unit)["ActiveState"] == "active"
            }
            let outcome = try await container.gantry(
                "--systemd-cgroup", "run", "--bundle", container.bundle, container.id, seconds: 300)
            #expect(outcome.code == 1, "\(outcome)")
            #expect(
                outcome.stderr.hasPrefix("gantry: systemd: there is a unit \(unit) already"), "\(outcome)")
            let entries = try? FileManager.default.contentsOfDirectory(atPath: container.root)
            #expect(entries ?? [] == [])
            // It is not touched.
            #expect(try await Systemd.properties(unit)["ActiveState"] == "active")
            _ = try await Systemd.control("stop", unit)
            _ = try await other.wait(seconds: 60)
        }
    }

    /// One that was killed before systemd had refused its unit's name, which another has: in another slice, or in the same
    /// with a cgroup below. `delete` goes by the directory, too.
    @Test(arguments: [nil, "inner"]) func aCutOffStartStopsNobodyElsesUnit(_ subgroup: String?) async throws {
        try await Scoped.with { container in
            try await container.make()
            try await Scoped.with { other in
                let slice = subgroup == nil ? "gantrytest.slice" : "system.slice"
                if let subgroup { other.config["annotations"] = ["run.oci.systemd.subgroup": subgroup] }
                try other.set("linux.cgroupsPath", "\(slice):gantry:\(container.id)")
                let bus = try SilentBus(.silentAfterLogin, at: other.directory.path + "/bus")
                defer { bus.close() }
                let child = try Child.spawn(
                    Machine.gantry,
                    other.globals + ["--systemd-cgroup", "create", "--bundle", other.bundle, other.id],
                    environment: bus.environment)
                try await eventually("its record") {
                    FileManager.default.fileExists(atPath: other.root + "/" + other.id + "/state.json")
                }
                kill(child.pid, SIGKILL)
                _ = try await child.wait()
                let outcome = try await other.gantry("delete", "--force", other.id, seconds: 300)
                #expect(outcome.code == 0, "\(outcome)")
                let entries = try? FileManager.default.contentsOfDirectory(atPath: other.root)
                #expect(entries ?? [] == [])
            }
            let unit = "gantry-\(container.id).scope"
            #expect(try await Systemd.properties(unit)["ActiveState"] == "active")
            #expect(try await container.status() == "running")
            try await container.expectUnitGone(after: "delete", "--force", container.id)
        }
    }

    @Test(arguments: ["program", "property", "device"]) func failedStartsLeaveNothing(_ kind: String)
        async throws
    {
        try await Scoped.with { container in
            switch kind {
            case "program": try container.set("process.args", ["/bin/none"])
            case "property":
                container.config["annotations"] = ["org.systemd.property.NoSuchThing": "5"]
                try container.save()
            default: try container.set("linux.resources.unified", ["memory.nosuch": "1"])
            }
            let outcome = try await container.gantry(
                "--systemd-cgroup", "run", "--bundle", container.bundle, container.id, seconds: 300)
            #expect(outcome.code == 1 && outcome.stderr.split(separator: "\n").count == 1, "\(outcome)")
            try await container.expectNoUnit()
        }
    }

    /// One whose processes were killed is gone from systemd at once; `delete` needs nothing of it.
    @Test func aContainerThatWasKilledByOthers() async throws {
        try await Scoped.with { container in
            try await container.make()
            _ = try await Systemd.control("kill", "--signal=KILL", "gantry-\(container.id).scope")
            try await container.waitUntil("stopped")
            try await container.expectUnitGone(after: "delete", container.id)
        }
    }

    /// A gantry that is killed at any time: `delete` finds everything by the record.
    @Test func killedWhileItStarts() async throws {
        try await Scoped.with { container in
            let clock = ContinuousClock()
            let took = try await clock.measure { try await container.make() }
            try await container.expectUnitGone(after: "delete", "--force", container.id)
            for round in 1...8 {
                let child = try Child.spawn(
                    Machine.gantry,
                    container.globals + [
                        "--systemd-cgroup", "run", "--detach", "--bundle", container.bundle, container.id,
                    ])
                try await Task.sleep(for: took * Double(round) / 9)
                kill(child.pid, SIGKILL)
                _ = try await child.wait()
                try await container.expectUnitGone(after: "delete", "--force", container.id)
            }
        }
    }

    /// systemd notices an empty scope by itself; the more quickly its cgroup goes, the less it has heard of that.
    @Test func withoutABusDeleteStillRemovesEverything() async throws {
        var environment = ProcessInfo.processInfo.environment
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        for _ in 0..<Soak.rounds(5, soak: 60) {
            try await Scoped.with { container in
                try await container.make()
                let outcome = try await container.gantry(
                    "delete", "--force", container.id, environment: environment, seconds: 300)
                #expect(outcome.code == 0, "\(outcome)")
                try await container.expectNoUnit()
            }
        }
    }

    /// So does a start that fails after D-Bus has gone.
    @Test func withoutABusAFailedStartStillRemovesEverything() async throws {
        for _ in 0..<Soak.rounds(5, soak: 60) {
            try await Scoped.with { container in
                try container.set("process.args", ["/bin/none"])
                let bus = try SilentBus(forOneClientAt: container.directory.path + "/bus")
                defer { bus.close() }
                let outcome = try await container.gantry(
                    "--systemd-cgroup", "run", "--bundle", container.bundle, container.id,
                    environment: bus.environment, seconds: 300)
                #expect(outcome.code == 1 && outcome.stderr.contains("/bin/none"), "\(outcome)")
                #expect(!FileManager.default.fileExists(atPath: bus.path), "nobody has called")
                try await container.expectNoUnit()
            }
        }
    }
}
