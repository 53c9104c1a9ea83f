import Foundation
import Testing

/// Many gantries at once: on one container, and on many.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: Soak.isOn ? 60 : 10))
struct ConcurrencyTests {
    /// Runs the same command several times at once and returns how each ended.
    private func together(_ count: Int, _ container: TestContainer, _ words: [String]) async throws
        -> [Outcome]
    {
        let root = container.root
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            for _ in 0..<count {
                group.addTask { try await Command.run(Machine.gantry, ["--root", root] + words) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// One has succeeded, and each other has failed with one of these sentences.
    private func expectOneWinner(_ outcomes: [Outcome], others: [String]) {
        #expect(outcomes.filter { $0.code == 0 }.count == 1, "\(outcomes)")
        for outcome in outcomes where outcome.code != 0 {
            #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
            #expect(others.contains { outcome.stderr.contains($0) }, "\(outcome)")
        }
    }

    private func with(_ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("while :; do sleep 0.05; done")
            try await body(container)
        }
    }

    @Test func oneOfManyCreatesWins() async throws {
        try await with { container in
            for _ in 0..<5 {
                let outcomes = try await together(
                    4, container, ["create", "--bundle", container.bundle, container.id])
                expectOneWinner(outcomes, others: ["container with given ID already exists"])
                #expect(try await container.status() == "created")
                try await container.succeed(["delete", container.id])
            }
        }
    }

    @Test func oneOfManyStartsWins() async throws {
        try await with { container in
            for _ in 0..<5 {
                try await container.create()
                expectOneWinner(
                    try await together(4, container, ["start", container.id]),
                    others: ["cannot start an already running container"])
                #expect(try await container.status() == "running")
                try await container.succeed(["delete", "--force", container.id])
            }
        }
    }

    @Test func oneOfManyDeletesWins() async throws {
        try await with { container in
            for _ in 0..<5 {
                try await container.create()
                expectOneWinner(
                    try await together(4, container, ["delete", container.id]),
                    others: ["container does not exist"])
                #expect(Host.cgroups(of: container.id) == [])
            }
        }
    }

    /// `delete --force` of a container that is being made waits until it is.
    @Test func createAndDeleteMeet() async throws {
        try await with { container in
            let (root, bundle, id) = (container.root, container.bundle, container.id)
            for _ in 0..<20 {
                async let made = Command.run(
                    Machine.gantry, ["--root", root, "create", "--bundle", bundle, id])
                async let gone = Command.run(Machine.gantry, ["--root", root, "delete", "--force", id])
                let outcomes = try await (made, gone)
                #expect(outcomes.0.code == 0 && outcomes.1.code == 0, "\(outcomes)")
                try await container.succeed(["delete", "--force", id])
                #expect(Host.cgroups(of: id) == [])
            }
        }
    }

    /// Whoever asks while a container comes and goes gets an answer, or is told that there is none.
    @Test func stateWhileItComesAndGoes() async throws {
        try await with { container in
            let (root, bundle, id) = (container.root, container.bundle, container.id)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<15 {
                        for words in [["create", "--bundle", bundle, id], ["delete", "--force", id]] {
                            let outcome = try await Command.run(Machine.gantry, ["--root", root] + words)
                            #expect(outcome.code == 0, "\(outcome)")
                        }
                    }
                }
                for command in ["state", "list"] {
                    group.addTask {
                        let words = command == "state" ? ["state", id] : ["list"]
                        for _ in 0..<40 {
                            let outcome = try await Command.run(Machine.gantry, ["--root", root] + words)
                            let expected = ["container does not exist", "container is being created"]
                            #expect(
                                outcome.code == 0 && outcome.stderr.isEmpty
                                    || expected.contains { outcome.stderr.contains($0) }, "\(outcome)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// 200 containers from one bundle: all created at once, all there, all started, all deleted, nothing
    /// left. Sixteen at a time, or with GANTRY_SOAK=1 really all at once.
    @Test func manyContainers() async throws {
        let isSoak = Soak.isOn
        let count = 200
        try await TestContainer.with { container in
            try container.setScript("trap 'exit 0' TERM; while :; do sleep 1 & wait; done")
            let (root, bundle) = (container.root, container.bundle)
            let ids = (0..<count).map { "\(container.id)-\($0)" }
            var programs: [String] = []
            func all(_ words: [String]) async throws {
                try await eachOf(ids, atOnce: isSoak ? count : 16) { id in
                    let outcome = try await Command.run(
                        Machine.gantry, ["--root", root] + words + [id], seconds: 120)
                    #expect(outcome.code == 0, "\(outcome)")
                }
            }
            do {
                try await all(["create", "--bundle", bundle])
                #expect(try await statuses(container) == ["created": count])
                try await all(["start"])
                #expect(try await statuses(container) == ["running": count])
                if Host.isUnified { programs = try await Host.devicePrograms(ofAll: container.id) }
                try await all(["delete", "--force"])
            } catch {
                try? await all(["delete", "--force"])
                throw error
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: root) == [])
            #expect(try await Host.units(of: container.id) == [])
            #expect(Host.cgroups(of: container.id) == [])
            for program in programs {
                try await eventually("program \(program) to be gone") {
                    try await !Host.isProgramLoaded(program)
                }
            }
            #expect(try Host.processes(of: container.id) == [])
        }
    }

    private func statuses(_ container: TestContainer) async throws -> [String: Int] {
        let text = try await container.gantry("list", "--format", "json").stdout
        let list = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        return list.reduce(into: [:]) { $0[$1["status"] as? String ?? "", default: 0] += 1 }
    }

    private func eachOf(
        _ ids: [String], atOnce limit: Int, _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, id) in ids.enumerated() {
                if index >= limit { try await group.next() }
                group.addTask { try await body(id) }
            }
            try await group.waitForAll()
        }
    }
}
