import Foundation
import Testing

/// `update`. Truth is what stands in the cgroup's files, and what the peer writes there.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct UpdateTests {
    typealias JSON = [String: Any]

    private func withRunning(
        _ resources: JSON = [:], _ body: (TestContainer) async throws -> Void
    ) async throws {
        try await TestContainer.with { container in
            try container.setScript("touch /ready; sleep 1000")
            for (key, value) in resources { try container.set("linux.resources." + key, value) }
            try await container.startToReady()
            try await body(container)
        }
    }

    /// The content of the cgroup's file; nil when there is none.
    private func file(_ name: String, of id: String) -> String? {
        for directory in Host.cgroups(of: id) {
            guard let data = FileManager.default.contents(atPath: directory + "/" + name) else { continue }
            return String(decoding: data, as: UTF8.self)
        }
        return nil
    }

    /// Each of them with gantry and with the peer, then the same files.
    @Test(
        .enabled(if: Machine.runc != nil, "runc is not installed"),
        arguments: [
            ["--memory", "64m"], ["--memory", "1.5g", "--memory-swap", "3G"], ["--memory", "100000000b"],
            ["--memory", "256MiB", "--memory-swap", "-1"], ["--memory-reservation", "32mb"],
            ["--pids-limit", "33"], ["--pids-limit", "-1"], ["--cpu-share", "512"], ["--cpu-quota", "40000"],
            ["--cpu-period", "50000"], ["--cpu-quota", "-1"],
            ["--cpu-quota", "20000", "--cpu-period", "40000"],
            ["--cpuset-cpus", "0", "--cpuset-mems", "0"],
            ["--memory", "96m", "--pids-limit", "12", "--cpu-share", "2048"], ["--blkio-weight", "300"],
        ])
    func asThePeerDoesIt(flags: [String]) async throws {
        try await withRunning { container in
            let peer = container.id + "-peer"
            let peerRoot = container.directory.path + "/peer"
            let run = try await Command.run(
                Machine.runc!, ["--root", peerRoot, "run", "--detach", "--bundle", container.bundle, peer])
            #expect(run.code == 0, "\(run)")
            do {
                try await container.succeed(["update"] + flags + [container.id])
                let outcome = try await Command.run(
                    Machine.runc!, ["--root", peerRoot, "update"] + flags + [peer])
                #expect(outcome.code == 0, "\(outcome)")
                let all = Host.cgroups(of: container.id)
                for directory in all where !directory.contains("-peer") {
                    let parent = URL(filePath: directory).deletingLastPathComponent().path
                    let other = try #require(all.first { $0.contains("-peer") && $0.hasPrefix(parent + "/") })
                    for name in try FileManager.default.contentsOfDirectory(atPath: directory)
                    where Self.isLimit(name) {
                        let mine = FileManager.default.contents(atPath: directory + "/" + name)
                        let theirs = FileManager.default.contents(atPath: other + "/" + name)
                        #expect(mine == theirs, "\(directory)/\(name)")
                    }
                }
            } catch {
                _ = try? await Command.run(Machine.runc!, ["--root", peerRoot, "delete", "--force", peer])
                throw error
            }
            _ = try await Command.run(Machine.runc!, ["--root", peerRoot, "delete", "--force", peer])
        }
    }

    private static func isLimit(_ name: String) -> Bool {
        [
            "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes",
            "memory.max",
            "memory.swap.max", "memory.low", "pids.max", "cpu.shares", "cpu.cfs_quota_us",
            "cpu.cfs_period_us",
            "cpu.max", "cpuset.cpus", "cpuset.mems", "blkio.bfq.weight", "io.bfq.weight", "io.weight",
        ].contains(name)
    }

    /// What one update sets, the next one keeps, also where the kernel wants both values at once.
    @Test func updatesAddUp() async throws {
        let megabyte: Int64 = 1 << 20
        try await withRunning(["memory": ["limit": 64 * megabyte, "swap": 128 * megabyte]]) { container in
            let id = container.id
            // Below what the memory's limit will be: only right when both are known.
            try await container.fail(
                ["update", "--memory", "200m", id],
                says: "memory.swap: must not be less than memory.limit")
            try await container.succeed(["update", "--memory-swap", "300m", id])
            try await container.succeed(["update", "--memory", "200m", id])
            // Both down, then both up: each needs another order.
            try await container.succeed(["update", "--memory", "40m", "--memory-swap", "50m", id])
            try await container.succeed(["update", "--memory", "400m", "--memory-swap", "500m", id])
            if let limit = file("memory.limit_in_bytes", of: id) {
                #expect(limit == "\(400 * megabyte)\n")
                #expect(file("memory.memsw.limit_in_bytes", of: id) == "\(500 * megabyte)\n")
            }
            try await container.succeed(["update", "--memory", "-1", id])
            #expect(try #require(file("memory.memsw.limit_in_bytes", of: id) ?? "max\n").count > 3)
            try await container.succeed(["update", "--memory", "600m", id])
        }
    }

    /// When one value is refused, none is in force, and none is kept for the next update.
    @Test func allOrNothing() async throws {
        try await withRunning(["pids": ["limit": 55]]) { container in
            let id = container.id
            let before = ["pids.max", "memory.limit_in_bytes", "cpu.shares"].map { file($0, of: id) }
            try await container.fail(
                [
                    "update", "--memory", "100m", "--cpu-share", "333", "--pids-limit", "7",
                    "--cpuset-cpus", "0-4095", id,
                ], says: "cpu.cpus: ")
            #expect(["pids.max", "memory.limit_in_bytes", "cpu.shares"].map { file($0, of: id) } == before)
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + id + "/limits.json"))
            // A swap below the memory's limit would be refused now if 100m had been kept.
            try await container.succeed(["update", "--memory", "50m", "--memory-swap", "60m", id])
            #expect(file("pids.max", of: id) == "55\n")
        }
    }

    /// The same for values of all kinds, of which the last is one that only the kernel can refuse: files with a line for
    /// each device get theirs back, too.
    @Test func allOrNothingOfAllKinds() async throws {
        let device: (Int) -> [JSON] = { [["major": 7, "minor": 0, "rate": $0]] }
        let before: JSON = ["blockIO": ["weight": 200, "throttleReadBpsDevice": device(1_000_000)] as JSON]
        try await withRunning(before) { container in
            let id = container.id
            let files = [
                "pids.max", "memory.limit_in_bytes", "memory.max", "cpu.shares", "cpu.weight", "cpu.max",
                "cpuset.cpus", "blkio.bfq.weight", "io.weight", "io.max", "blkio.throttle.read_bps_device",
                "blkio.throttle.write_iops_device", "blkio.bfq.weight_device",
            ]
            let present = files.map { file($0, of: id) }
            try #require(present.contains { $0?.contains("7:0 ") ?? false }, "\(present)")
            let update: JSON = [
                "pids": ["limit": 7], "memory": ["limit": 100 << 20], "cpu": ["shares": 333, "cpus": "0"],
                "blockIO": [
                    "weight": 300, "throttleReadBpsDevice": device(5), "throttleWriteIOPSDevice": device(6),
                    // A number that no device has.
                    "throttleReadIOPSDevice": [["major": 4095, "minor": 3, "rate": 1]],
                ] as JSON,
            ]
            let document = String(
                decoding: try JSONSerialization.data(withJSONObject: update), as: UTF8.self)
            let outcome = try await container.gantry("update", "-r", "-", id, stdin: document)
            #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
            #expect(
                outcome.stderr.hasPrefix(
                    "gantry: blockIO.throttleReadIOPSDevice[0]: there is no such device: write 4095:3 "),
                "\(outcome)")
            #expect(files.map { file($0, of: id) } == present)
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + id + "/limits.json"))
        }
    }

    @Test func fromADocument() async throws {
        try await withRunning { container in
            let id = container.id
            let document = """
                {"memory": {"limit": 100663296, "swap": 0}, "pids": {"limit": 21}, "blockIO": {"weight": 0},
                 "devices": [{"allow": false, "access": "rwm"}]}
                """
            let outcome = try await container.gantry("update", "--resources", "-", id, stdin: document)
            #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
            #expect(file("pids.max", of: id) == "21\n")
            let path = container.directory.path + "/limits"
            try #"{"pids": {"limit": 22}}"#.write(toFile: path, atomically: false, encoding: .utf8)
            try await container.succeed(["update", "-r", path, id])
            #expect(file("pids.max", of: id) == "22\n")
            try await container.succeed(["update", "-r=\(path)", id])
            for (text, says) in [
                ("{", "standard input: "), (#"{"pids": {"limit": "x"}}"#, "pids.limit: must be an integer"),
                (#"{"memory": {"limit": -7}}"#, "memory.limit: must be a number of bytes"),
                (#"{"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}"#, "hugepageLimits[0]: "),
                (#"{"blockIO": {"leafWeight": 500}}"#, "blockIO.leafWeight: leaf weights were"),
                (#"{"rdma": {"a": {}}}"#, "rdma[\"a\"]: must have"),
                (#"{"devices": [{"allow": true, "access": "x"}]}"#, "devices[0].access: "),
                (#"{"unified": {"memory/high": "1"}}"#, "unified[\"memory/high\"]: must be the name"),
                (#"{"unified": {"memory.hihg": "1"}}"#, "unified"),
            ] {
                let refused = try await container.gantry("update", "-r", "-", id, stdin: text)
                #expect(refused.code == 1 && refused.isOneSentence, "\(refused)")
                #expect(refused.stderr.hasPrefix("gantry: " + says), "\(refused)")
            }
            // As with runc, the document alone counts.
            let both = try await container.gantry("update", "-r", path, "--memory", "1g", id)
            #expect(both.code == 0 && both.stderr.contains("--memory: does not count"), "\(both)")
            try await container.fail(["update", "-r", path + "/no", id], says: path + "/no")
        }
    }

    /// What scripts pass when they have nothing to say, as with runc.
    @Test func nothingToUpdate() async throws {
        try await withRunning { container in
            try await container.succeed(["update", container.id])
            try await container.succeed(["update", "--memory", "", "--cpuset-cpus", "", container.id])
        }
    }

    @Test func wrongValues() async throws {
        try await withRunning { container in
            for (flags, says) in [
                (["--memory", "12x"], "--memory: invalid size: \"12x\""),
                (["--memory", "-2"], "--memory: invalid size"),
                (["--memory", "99999999999g"], "--memory: invalid size"),
                (["--cpu-share", "many"], "--cpu-share: \"many\" is not a number"),
                (["--cpu-period", "-1"], "--cpu-period: "),
                (["--cpu-idle", "2"], "cpu.idle: must be 0 or 1"),
                (["--pids-limit", "1.5"], "--pids-limit: "),
                (["--blkio-weight", "1001"], "blockIO.weight: "),
                (["--blkio-weight", "65536"], "--blkio-weight: "),
                (["--l3-cache-schema", "L3:0=f"], "--l3-cache-schema: "),
                (["--mem-bw-schema", "MB:0=20"], "--mem-bw-schema: "),
            ] {
                try await container.fail(["update"] + flags + [container.id], says: "gantry: " + says)
            }
        }
    }

    @Test func theStatusDecides() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            let update = ["update", "--pids-limit", "9", container.id]
            try await container.fail(update, says: "container does not exist")
            try await container.create()
            try await container.succeed(update)
            #expect(file("pids.max", of: container.id) == "9\n")
            try await container.succeed(["start", container.id])
            try await container.succeed(["pause", container.id])
            try await container.succeed(["update", "--pids-limit", "10", container.id])
            try await container.succeed(["resume", container.id])
            try await container.succeed(["kill", container.id, "KILL"])
            try await container.waitUntil("stopped")
            try await container.fail(update, says: "container not running")
            try await container.succeed(["delete", container.id])
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
        }
    }

    /// The limit is one: what the container has now is not what it may have then.
    @Test func aLimitThatIsUpdatedLimits() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "touch /ready; while [ ! -e /go ]; do sleep 0.02; done; "
                    + "sh -c 'sleep 1000 & sleep 1000 & sleep 1000 &' 2>/said; touch /done; sleep 1000")
            try await container.startToReady()
            try await container.succeed(["update", "--pids-limit", "3", container.id])
            FileManager.default.createFile(atPath: container.rootfs + "/go", contents: nil)
            try await container.waitForFile("done")
            #expect(try container.text("said").contains("fork"))
        }
    }
}
