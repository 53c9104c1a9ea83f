import Foundation
import Testing

/// One config.json, run with gantry and with runc beside it: the container's process must see the same.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .enabled(if: Machine.runc != nil, "the peer is missing: run scripts/test"),
    .timeLimit(minutes: 5))
struct ComparisonTests {
    @Test(arguments: ComparisonCase.namespaces) func namespaces(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.roots) func roots(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.fileSystems) func fileSystems(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.binds) func binds(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.devices) func devices(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.identities) func identities(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.attributes) func attributes(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.programs) func programs(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    /// runc 1.1.5 accepts all of the captured configurations.
    @Test(arguments: ComparisonCase.fixtures) func fixtures(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.combinations) func combinations(_ candidate: ComparisonCase) async throws
    {
        try await compare(candidate)
    }

    /// What makes the other tests worth something.
    @Test(arguments: ComparisonCase.mutants) func noticesDifferences(_ candidate: ComparisonCase) async throws
    {
        let problems = try await Comparison.problems(candidate)
        let section = candidate.name.prefix { $0 != ":" }
        #expect(problems.contains("[\(section)]  - runc  + gantry"), "\(candidate.name)\n\(problems)")
    }

    private func compare(_ candidate: ComparisonCase) async throws {
        let problems = try await Comparison.problems(candidate)
        #expect(problems.isEmpty, "\(candidate.name)\n\(problems)")
    }
}
