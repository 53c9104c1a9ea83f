import Foundation
import Testing

/// `kill -9` of gantry, and of its init, at every step of what it does. What is left must be removable by
/// `gantry delete --force`, the ID usable again, and nothing else may remain.
///
/// All moments are tried with GANTRY_SOAK=1, else each message of the protocol, each change outside, and some
/// others.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .timeLimit(minutes: 15))
struct KillTests {
    /// What gantry is doing when it dies.
    enum Action: String, CaseIterable, CustomTestStringConvertible {
        case create, run, start, delete
        case deleteForce = "delete --force"
        case supervise = "run --supervise"
        case startAgain = "start a supervised one again"
        case deleteSupervised = "delete --force a supervised one"

        var testDescription: String { rawValue }

        var isSupervised: Bool {
            switch self {
            case .create, .run, .start, .delete, .deleteForce: false
            case .supervise, .startAgain, .deleteSupervised: true
            }
        }

        /// gantry's words, after its global flags.
        func words(_ container: TestContainer) -> [String] {
            switch self {
            case .create:
                [
                    "create", "--bundle", container.bundle, "--pid-file", container.bundle + "/pid",
                    container.id,
                ]
            case .run: ["run", "--detach", "--bundle", container.bundle, container.id]
            case .start, .delete: [rawValue, container.id]
            case .deleteForce, .deleteSupervised: ["delete", "--force", container.id]
            case .supervise:
                [
                    "run", "--detach", "--supervise", "--restart", "always", "--bundle", container.bundle,
                    container.id,
                ]
            case .startAgain: ["start", container.id]
            }
        }

        /// Brings the container to where the action begins.
        func prepare(_ container: TestContainer) async throws {
            switch self {
            case .create, .run, .supervise: break
            case .start, .delete: try await container.create()
            case .deleteForce: try await container.succeed(Action.run.words(container))
            case .deleteSupervised: try await container.succeed(Action.supervise.words(container))
            case .startAgain:
                try await container.succeed(Action.supervise.words(container))
                try await container.succeed(["stop", "--time", "0", container.id])
            }
        }
    }

    private static let isSoak = ProcessInfo.processInfo.environment["GANTRY_SOAK"] != nil

    private func withContainer(_ body: (TestContainer) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("while :; do sleep 1; done")
            try await body(container)
        }
    }

    private func kill(
        _ victim: KillPoint.Victim, _ moment: KillPoint.Moment, _ action: Action, _ container: TestContainer
    ) async throws -> KillPoint {
        try await action.prepare(container)
        return try await KillPoint.run(victim, moment, container.globals + action.words(container))
    }

    // MARK: What must hold afterwards

    /// Removes what is there, and looks whether anything remains.
    private func expectRemovable(_ container: TestContainer, after point: KillPoint) async throws {
        let outcome = try await container.gantry("delete", "--force", container.id)
        try #require(outcome.code == 0, "\(outcome)\n\(point)")
        try await expectNothing(of: container, after: point)
        // Its name, its cgroups and its pid file are free again.
        let again = try await Command.run(
            Machine.gantry, container.globals + Action.create.words(container))
        try #require(again.code == 0, "\(again)\n\(point)")
        try await container.succeed(["delete", container.id])
    }

    private func expectNothing(of container: TestContainer, after point: KillPoint) async throws {
        // An orphaned init ends by itself, when it next wants to tell something.
        let deadline = Date().addingTimeInterval(5 * Machine.patience)
        var processes: [Host.Process] = []
        repeat {
            processes = try point.left.filter(\.isAlive) + Host.processes(of: container.id)
            if !processes.isEmpty { try await Task.sleep(for: .milliseconds(5 * Machine.patience)) }
        } while !processes.isEmpty && Date() < deadline
        #expect(processes == [], "\(point)")
        #expect(Host.mounts(of: container.directory.path) == [], "\(point)")
        #expect(Host.cgroups(of: container.id) == [], "\(point)")
        for directory in [container.root, container.states] {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            #expect(entries == [], "\(point)")
        }
    }

    // MARK: gantry dies

    @Test("gantry dies after each message and each change outside", arguments: Action.allCases)
    func eachStep(of action: Action) async throws {
        try await withContainer { container in
            let whole = try await kill(.gantry, .never, action, container)
            try #require(whole.outcome.code == 0, "\(whole)")
            try await expectRemovable(container, after: whole)
            for name in Set(whole.calls).filter({ Int($0) == nil }).sorted() {
                let count = whole.calls.filter { $0 == name }.count
                // Cgroup files are written by the dozen; each is as good as the next.
                for nth in Self.chosen(Array(1...count), atMost: action.isSupervised ? 3 : 6) {
                    let point = try await kill(.gantry, .after(name, nth: nth), action, container)
                    try await expectRemovable(container, after: point)
                }
            }
        }
    }

    @Test("gantry dies on entering a system call", arguments: Action.allCases)
    func anyCall(of action: Action) async throws {
        try await withContainer { container in
            let whole = try await kill(.gantry, .never, action, container)
            try await expectRemovable(container, after: whole)
            for call in Self.chosen(Array(1...whole.calls.count), atMost: 8) {
                let point = try await kill(.gantry, .call(call), action, container)
                // Some runs have fewer calls: a cgroup that is busy is asked again, for example.
                #expect(point.outcome.code == (point.killedAt == nil ? 0 : 137), "\(point)")
                try await expectRemovable(container, after: point)
            }
        }
    }

    @Test("gantry dies at a random time", arguments: Action.allCases)
    func anyTime(of action: Action) async throws {
        try await withContainer { container in
            for _ in 0..<(Self.isSoak ? 40 : 5) {
                let point = try await kill(.gantry, .time(.random(in: 0..<30_000)), action, container)
                try await expectRemovable(container, after: point)
            }
        }
    }

    /// `run` in the foreground dies while the container runs: that one goes on, under its ID.
    @Test func foregroundDiesWhileTheContainerRuns() async throws {
        try await withContainer { container in
            let child = try Child.spawn(
                Machine.gantry, container.globals + ["run", "--bundle", container.bundle, container.id])
            try await eventually("the container to run") {
                try await container.gantry("state", container.id).stdout.contains("\"running\"")
            }
            let process = try #require(Host.process(try await container.pid()))
            Foundation.kill(child.pid, SIGKILL)
            #expect(try await child.wait() == 137)
            #expect(try await container.status() == "running")
            try await container.succeed(["delete", "--force", container.id])
            #expect(!process.isAlive)
        }
    }

    // MARK: The init dies

    @Test(
        "an init dies on entering a system call", arguments: [Action.create, .run],
        [KillPoint.Victim.stage1, .stage2])
    func initDies(_ action: Action, _ victim: KillPoint.Victim) async throws {
        try await withContainer { container in
            let whole = try await kill(victim, .never, action, container)
            try #require(whole.outcome.code == 0, "\(whole)")
            try await expectRemovable(container, after: whole)
            for call in Self.chosen(Array(1...whole.calls.count), atMost: 12) {
                let point = try await kill(victim, .call(call), action, container)
                if point.outcome.code == 0 {
                    // It died as the container's process would: after the last thing that gantry waits for.
                    try await expectRemovable(container, after: point)
                } else {
                    #expect(point.outcome.code == 1, "\(point)")
                    #expect(point.outcome.isOneSentence, "\(point)")
                    #expect(point.outcome.stderr.contains("init"), "\(point)")
                    try await expectNothing(of: container, after: point)
                }
            }
        }
    }

    // MARK: Choosing

    /// All of them in the long form; else the ends and some between.
    private static func chosen(_ moments: [Int], atMost limit: Int) -> [Int] {
        guard !isSoak, moments.count > limit else { return moments }
        let between = moments.dropFirst().dropLast().shuffled().prefix(limit - 2)
        return [moments.first!] + between.sorted() + [moments.last!]
    }
}
