import Diagnostics
import Foundation
import OCI
import Testing

@testable import Plan

/// The printed plan of every captured configuration. After a change that is meant, the files are made again
/// with
///
///     GANTRY_UPDATE_GOLDEN=1 swift test --filter PlanGoldenTests
///
/// and the difference is read before it is committed.
@Suite struct PlanGoldenTests {
    static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let configs = here.deletingLastPathComponent().appendingPathComponent("Fixtures/configs")
    static let golden = here.appendingPathComponent("Golden")
    static let updates = ProcessInfo.processInfo.environment["GANTRY_UPDATE_GOLDEN"] == "1"

    static let fixtures: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: configs.path)) ?? [])
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()

    @Test func thereAreFixtures() {
        #expect(PlanGoldenTests.fixtures.count >= 4)
    }

    @Test(arguments: fixtures) func printedPlan(_ fixture: String) throws {
        try compare(try printed(fixture, TestHost.legacy), with: fixture)
    }

    @Test(arguments: ["runc-spec", "docker-default", "podman-default"])
    func printedPlanOnUnifiedHost(_ fixture: String) throws {
        guard PlanGoldenTests.fixtures.contains(fixture) else { return }
        try compare(try printed(fixture, .unified), with: fixture + ".unified")
    }

    /// With gantry's own first process.
    @Test(arguments: ["runc-spec"]) func printedPlanWithInit(_ fixture: String) throws {
        var options = TestHost.options
        options.hasInit = true
        try compare(try printed(fixture, TestHost.legacy, options), with: fixture + ".init")
    }

    /// An exec in a container of the configuration, from the process that an engine gave.
    @Test(arguments: [("docker-default", "docker-exec"), ("podman-default", "podman-exec")])
    func printedExec(_ fixture: String, _ process: String) throws {
        let file = PlanGoldenTests.configs.appendingPathComponent(fixture + ".json")
        let spec = try Spec.load(json: [UInt8](Data(contentsOf: file)), name: fixture)
        let document = PlanGoldenTests.configs.deletingLastPathComponent().appendingPathComponent(
            "processes/\(process).json")
        let exec = try Spec.Process.load(json: [UInt8](Data(contentsOf: document)), name: process)
        let paths = ["/sys/fs/cgroup/memory/box/tasks", "/sys/fs/cgroup/pids/box/tasks"]
        let joining = Joining(
            entrances: paths.flatMap { Array($0.utf8) + [0] }, processLimit: .max)
        var options = TestHost.options
        for intoCgroup in [false, true] {
            options.intoCgroup = intoCgroup
            let plan = try Planner.planExec(
                exec, in: spec, joining: joining, facts: TestHost.facts(), options: options)
            try compare(plan.description, with: process + (intoCgroup ? ".hybrid" : ""))
        }
    }

    private func printed(
        _ fixture: String, _ layout: CgroupLayout, _ options: PlanOptions = TestHost.options
    ) throws -> String {
        let file = PlanGoldenTests.configs.appendingPathComponent(fixture + ".json")
        let spec = try Spec.load(json: [UInt8](Data(contentsOf: file)), name: fixture)
        var facts = TestHost.facts(layout)
        for case .isProcfs(let index, let source) in Planner.requests(for: spec)
        where source.hasPrefix("/proc") {
            facts.procfsSources.append(index)
        }
        do {
            return try Planner.plan(spec, facts: facts, options: options).description
        } catch let failure as Failure {
            return "refused: \(failure)\n"
        }
    }

    private func compare(_ text: String, with name: String) throws {
        let file = PlanGoldenTests.golden.appendingPathComponent(name + ".txt")
        if PlanGoldenTests.updates {
            try FileManager.default.createDirectory(
                at: PlanGoldenTests.golden, withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        guard text != expected else { return }
        let difference = zip(
            text.split(separator: "\n", omittingEmptySubsequences: false),
            expected.split(separator: "\n", omittingEmptySubsequences: false)
        ).first { $0 != $1 }
        Issue.record(
            """
            \(name): the plan differs from Golden/\(name).txt, first here:
            expected: \(difference?.1 ?? "(one of them goes on)")
            is:       \(difference?.0 ?? "(one of them goes on)")
            """)
    }
}
