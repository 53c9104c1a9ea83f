import Foundation
import Testing

/// One exec in one container, with gantry and with runc beside it: the process must see the same.
@Suite(
    .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? "")),
    .enabled(if: Machine.runc != nil, "the peer is missing: run scripts/test"),
    .timeLimit(minutes: 5))
struct ExecComparisonTests {
    @Test(arguments: ComparisonCase.execFlags) func flags(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.execCallers) func callers(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.execProcesses) func processes(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.execCgroups) func cgroups(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.execContainers) func containers(_ candidate: ComparisonCase) async throws
    {
        try await compare(candidate)
    }

    @Test(arguments: ComparisonCase.execDocuments) func documents(_ candidate: ComparisonCase) async throws {
        try await compare(candidate)
    }

    private func compare(_ candidate: ComparisonCase) async throws {
        let problems = try await Comparison.problems(candidate)
        #expect(problems.isEmpty, "\(candidate.name)\n\(problems)")
    }
}
