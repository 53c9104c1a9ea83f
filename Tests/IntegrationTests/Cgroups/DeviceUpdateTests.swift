import Foundation
import Testing

/// `update` of which devices may be used. Truth is what happens to those who use them.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct DeviceUpdateTests {
    typealias JSON = [String: Any]

    private static var none: JSON { ["allow": false, "access": "rwm"] }
    private static var all: JSON { ["allow": true, "access": "rwm"] }
    private static var fuse: JSON { rule("c", 10, 229, "rw") }

    private static func rule(
        _ type: String, _ major: Int, _ minor: Int?, _ access: String, allow: Bool = true
    )
        -> JSON
    {
        var rule: JSON = ["allow": allow, "type": type, "major": major, "access": access]
        if let minor { rule["minor"] = minor }
        return rule
    }

    private func withRunning(
        _ rules: [JSON], script: String = "touch /ready; sleep 1000",
        _ body: (TestContainer) async throws -> Void
    ) async throws {
        try await TestContainer.with { container in
            try container.prepareDevices(rules, script)
            try await container.startToReady()
            try await body(container)
        }
    }

    private func update(_ container: TestContainer, _ rules: [JSON], _ more: JSON = [:]) async throws
        -> Outcome
    {
        let document = try JSONSerialization.data(
            withJSONObject: more.merging(["devices": rules]) { given, _ in given })
        return try await container.gantry(
            "update", "-r", "-", container.id, stdin: String(decoding: document, as: UTF8.self))
    }

    /// One after the other, in one container: what is allowed is what the last document says.
    @Test func theLastRulesCount() async throws {
        try await withRunning([Self.none]) { container in
            for (rules, refused) in [
                ([Self.none, Self.fuse], ["r:/dev/loop"]),
                ([Self.none, Self.rule("c", 10, 229, "r")], ["w:/dev/fuse", "r:/dev/loop"]),
                ([Self.none, Self.rule("b", 7, nil, "r")], ["r:/dev/fuse", "w:/dev/fuse"]),
                (
                    [Self.none, Self.rule("c", 10, nil, "w"), Self.rule("b", 7, 1, "rwm")],
                    ["r:/dev/fuse", "r:/dev/loop"]
                ),
                ([Self.none, Self.all], []),
                ([Self.all, Self.rule("b", 7, 0, "r", allow: false)], ["r:/dev/loop"]),
                ([Self.all, Self.rule("c", 10, 229, "w", allow: false)], ["w:/dev/fuse"]), ([Self.all], []),
                ([Self.none], ["r:/dev/fuse", "w:/dev/fuse", "r:/dev/loop"]),
            ] {
                let outcome = try await update(container, rules)
                #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(rules): \(outcome)")
                let found = try await container.refused(
                    "r:/dev/fuse", "w:/dev/fuse", "r:/dev/loop", "r:/dev/null", "w:/dev/zero", "m:c:1:3")
                #expect(found == refused, "\(rules)")
            }
            // One of gantry's, whatever came before; also the rules that are kept are the last ones.
            if let directory = Host.deviceProgramDirectory(of: container.id) {
                let own = try await Host.devicePrograms(directory).filter { $0.name == "gantry_devices" }
                #expect(own.count == 1, "\(own)")
            }
            #expect(try await update(container, [Self.none], ["pids": ["limit": 77]]).code == 0)
            try await container.succeed(["update", "--pids-limit", "78", container.id])
            #expect(try await container.refused("r:/dev/fuse", "r:/dev/null") == ["r:/dev/fuse"])
        }
    }

    /// Somebody uses devices all the time: what is allowed before and after is never refused in between.
    @Test func withoutAMoment() async throws {
        let script =
            "touch /ready; devices hammer /stop rw:/dev/fuse rw:/dev/null r:/dev/zero >/told; mv /told /done; sleep 1000"
        try await withRunning([Self.none, Self.fuse], script: script) { container in
            let others: [[JSON]] = [
                [Self.none, Self.fuse, Self.rule("b", 7, nil, "rwm")],
                [Self.none, Self.rule("c", 10, nil, "rwm")],
                [Self.all], [Self.none, Self.fuse], [Self.all, Self.rule("b", 7, nil, "rwm", allow: false)],
                [Self.none, Self.rule("b", 7, 0, "r"), Self.fuse],
            ]
            for _ in 0..<Soak.rounds(2, soak: 100) {
                for rules in others {
                    let outcome = try await update(container, rules)
                    #expect(outcome.code == 0, "\(rules): \(outcome)")
                }
            }
            FileManager.default.createFile(atPath: container.rootfs + "/stop", contents: nil)
            try await container.waitForFile("done")
            #expect(try container.text("done") == "rw:/dev/fuse 0\nrw:/dev/null 0\nr:/dev/zero 0\n")
        }
    }

    @Test func allOrNothing() async throws {
        try await withRunning([Self.none, Self.fuse]) { container in
            let refused = try await update(
                container, [Self.none], ["pids": ["limit": 7], "cpu": ["cpus": "0-4095"]])
            #expect(refused.code == 1 && refused.isOneSentence, "\(refused)")
            #expect(try await container.refused("r:/dev/fuse", "r:/dev/loop") == ["r:/dev/loop"])
            for (rules, says) in [
                ([["allow": true, "type": "x"]], "devices[0].type: "),
                ([Self.none, ["allow": true, "access": "z"]], "devices[1].access: "),
                ([["allow": true, "type": "c", "major": -7]], "devices[0].major: "),
            ] as [([JSON], String)] {
                let outcome = try await update(container, rules)
                #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
                #expect(outcome.stderr.hasPrefix("gantry: " + says), "\(outcome)")
            }
            #expect(try await container.refused("r:/dev/fuse", "r:/dev/loop") == ["r:/dev/loop"])
        }
    }

    /// A hole in a broader permission: a program has it, the controller cannot, and says so.
    @Test func holes() async throws {
        try await withRunning([Self.none, Self.fuse]) { container in
            let outcome = try await update(
                container,
                [Self.none, Self.rule("c", 10, nil, "rwm"), Self.rule("c", 10, 229, "w", allow: false)])
            if Host.deviceProgramDirectory(of: container.id) != nil {
                #expect(outcome.code == 0, "\(outcome)")
                #expect(try await container.refused("r:/dev/fuse", "w:/dev/fuse") == ["w:/dev/fuse"])
            } else {
                #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
                #expect(outcome.stderr.contains("which cgroup v1 cannot express"), "\(outcome)")
                #expect(try await container.refused("r:/dev/fuse", "w:/dev/fuse").isEmpty)
            }
        }
    }

    /// Paused, created and in cgroups of its own: the rules are those of all.
    @Test func whereverItIs() async throws {
        try await withRunning([Self.none, Self.fuse]) { container in
            try await container.succeed(["pause", container.id])
            #expect(try await update(container, [Self.all]).code == 0)
            #expect(try await container.status() == "paused")
            #expect(try await update(container, [Self.none, Self.fuse]).code == 0)
            #expect(try await container.status() == "paused")
            #expect(try await update(container, [Self.none]).code == 0)
            try await container.succeed(["resume", container.id])
            #expect(try await container.refused("r:/dev/fuse", "r:/dev/null") == ["r:/dev/fuse"])
        }
    }

    /// What decides about devices goes with the container.
    @Test func nothingStaysLoaded() async throws {
        var programs: [String] = []
        try await withRunning([Self.none, Self.fuse]) { container in
            guard let directory = Host.deviceProgramDirectory(of: container.id) else { return }
            for rules in [[Self.none], [Self.all, Self.fuse], [Self.none, Self.fuse]] {
                programs += try await Host.devicePrograms(directory).map(\.id)
                #expect(try await update(container, rules).code == 0)
            }
            programs += try await Host.devicePrograms(directory).map(\.id)
            try await container.succeed(["delete", "--force", container.id])
        }
        // The kernel frees them a moment after it has removed the directory.
        for program in programs {
            try await eventually("program \(program) to be gone") {
                try await !Host.isProgramLoaded(program)
            }
        }
    }
}
