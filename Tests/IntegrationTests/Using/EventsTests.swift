import Foundation
import Testing

/// `events`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct EventsTests {
    typealias JSON = [String: Any]

    private func documents(_ text: String) throws -> [JSON] {
        try text.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? JSON, "\($0)")
        }
    }

    /// Names of all properties, with their path.
    private func names(_ document: JSON, _ prefix: String = "") -> Set<String> {
        var names: Set<String> = []
        for (key, value) in document {
            names.insert(prefix + key)
            if let object = value as? JSON { names.formUnion(self.names(object, prefix + key + ".")) }
        }
        return names
    }

    private func stats(_ program: String, _ root: String, _ id: String) async throws -> JSON {
        let outcome = try await Command.run(program, ["--root", root, "events", "--stats", id])
        #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
        let all = try documents(outcome.stdout)
        #expect(all.count == 1)
        return try #require(all.first)
    }

    /// The same names, in a container of the same shape, and numbers of the same size where they can be known.
    @Test(.enabled(if: Machine.runc != nil, "runc is not installed"))
    func theShapeOfThePeer() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "head -c 8m /dev/zero >/tmp/x; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; touch /ready; "
                    + "sleep 1000")
            try container.set("linux.resources.pids", ["limit": 77])
            try container.set("linux.resources.memory", ["limit": 256 << 20])
            try await container.startToReady()
            let own = try await stats(Machine.gantry, container.root, container.id)
            try FileManager.default.removeItem(atPath: container.rootfs + "/ready")

            let peer = container.id + "-peer"
            let root = container.directory.path + "/peer"
            let run = try await Command.run(
                Machine.runc!, ["--root", root, "run", "--detach", "--bundle", container.bundle, peer])
            #expect(run.code == 0, "\(run)")
            let other: Result<JSON, any Error>
            do {
                try await container.waitForFile("ready")
                other = .success(try await stats(Machine.runc!, root, peer))
            } catch { other = .failure(error) }
            _ = try await Command.run(Machine.runc!, ["--root", root, "delete", "--force", peer])
            let theirs = try other.get()

            #expect(own["type"] as? String == "stats")
            #expect(own["id"] as? String == container.id)
            // Left out when they are zero, so they may be in one and not in the other.
            let fickle: Set = [
                "data.memory.cache", "data.blkio.ioServiceBytesRecursive", "data.blkio.ioServicedRecursive",
            ]
            let (ours, others) = (names(own).subtracting(fickle), names(theirs).subtracting(fickle))
            #expect(others.subtracting(ours) == [])
            // On version 2 runc 1.1 tells neither of waiting, nor of sizes of huge pages that are not used, nor of cpusets.
            let more = ours.subtracting(others).filter { name in
                !Host.isUnified
                    || !(name.contains(".psi") || name.hasPrefix("data.hugetlb.")
                        || name == "data.cpuset.cpus" || name == "data.cpuset.mems")
            }
            #expect(more == [])
            for path in [
                "data.pids.current", "data.pids.limit", "data.memory.usage.limit", "data.cpuset.cpus",
                "data.cpuset.sched_load_balance", "data.memory.raw.hierarchical_memory_limit",
            ] {
                let keys = path.split(separator: ".").map(String.init)
                if !others.contains(path), ours.contains(path) { continue }
                let values = [own.value(keys), theirs.value(keys)].map { "\($0 ?? "nothing")" }
                #expect(values[0] == values[1], "\(path)")
            }
            let total = try #require(own.value(["data", "cpu", "usage", "total"]) as? Int)
            #expect((1_000_000...60_000_000_000).contains(total))
        }
    }

    @Test func againAndAgainUntilTheEnd() async throws {
        try await TestContainer.sleeping { container in
            let output = container.directory.path + "/events"
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "events", "--interval", "20ms", container.id],
                stdout: output)
            try await eventually("three documents") {
                (try? String(contentsOfFile: output, encoding: .utf8))?.split(separator: "\n").count ?? 0 >= 3
            }
            try await container.succeed(["kill", container.id, "KILL"])
            #expect(try await child.wait() == 0)
            let all = try documents(try String(contentsOfFile: output, encoding: .utf8))
            #expect(
                all.allSatisfy { $0["type"] as? String == "stats" && $0["id"] as? String == container.id })
            #expect(all.allSatisfy { $0.value(["data", "pids", "current"]) != nil || $0["data"] != nil })
            try await container.fail(
                ["events", container.id], says: "container with id \(container.id) is not running")
            try await container.fail(
                ["events", "--stats", container.id], says: "container with id \(container.id) is not running")
        }
    }

    /// As long as a number can say: added to the time that it is, more than one can.
    @Test func inCenturies() async throws {
        try await TestContainer.sleeping { container in
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "events", "--interval", "2562047h", container.id])
            // The kernel's function has poll in its name.
            try await eventually("it to wait") {
                try String(contentsOfFile: "/proc/\(child.pid)/wchan", encoding: .utf8).contains("poll")
            }
            try await container.succeed(["kill", container.id, "KILL"])
            #expect(try await child.wait() == 0)
        }
    }

    @Test(.enabled(if: Host.countsMemory, "no cgroup counts memory here"))
    func lackOfMemory() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "touch /ready; while [ ! -e /go ]; do sleep 0.02; done; "
                    + "tail -c 200m /dev/zero | tail -c 1; touch /done; sleep 1000")
            try container.set("linux.resources.memory", ["limit": 24 << 20, "swap": 24 << 20])
            try await container.startToReady()
            let output = container.directory.path + "/events"
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "events", "--interval", "1h", container.id],
                stdout: output)
            // It watches once it has the eventfd, or the file, open.
            try await eventually("events to watch") {
                let links =
                    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/fd"))?
                    .compactMap {
                        try? FileManager.default.destinationOfSymbolicLink(
                            atPath: "/proc/\(child.pid)/fd/\($0)")
                    } ?? []
                return links.contains { $0.contains("eventfd") || $0.hasSuffix("memory.events") }
            }
            try await Task.sleep(for: .milliseconds(100))
            FileManager.default.createFile(atPath: container.rootfs + "/go", contents: nil)
            try await eventually("a document of type oom") {
                try String(contentsOfFile: output, encoding: .utf8)
                    .contains("{\"type\":\"oom\",\"id\":\"\(container.id)\"}\n")
            }
            try await container.succeed(["kill", container.id, "KILL"])
            #expect(try await child.wait() == 0)
        }
    }

    @Test(arguments: [
        ("0", "duration interval must be greater than 0"),
        ("-5s", "duration interval must be greater than 0"),
        ("5", "invalid value \"5\" for flag -interval: parse error"),
        ("soon", "invalid value \"soon\" for flag -interval: parse error"),
    ])
    func wrongIntervals(interval: String, says: String) async throws {
        try await TestContainer.with { container in
            try await container.fail(["events", "--interval=\(interval)", container.id], says: says)
        }
    }
}

extension Host {
    /// Whether the kernel counts the memory of cgroups here.
    static let countsMemory: Bool =
        FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.oom_control")
        || ((try? String(contentsOfFile: "/sys/fs/cgroup/cgroup.controllers", encoding: .utf8))?
            .contains("memory") ?? false)
}
