import Foundation
import Testing

/// Five hundred times with GANTRY_SOAK=1.
@Suite(.needsContainers, .timeLimit(minutes: Soak.isOn ? 60 : 5))
struct CycleTests {
    /// Made and removed again and again: no directory, unit or program of any stays.
    @Test func manyCycles() async throws {
        var programs: [String] = []
        try await TestContainer.with { container in
            for _ in 0..<Soak.rounds(10, soak: 500) {
                try await container.create()
                if Host.isUnified { programs += try await Host.devicePrograms(ofAll: container.id) }
                try await container.succeed(["delete", "--force", container.id])
            }
            #expect(programs.isEmpty == !Host.isUnified)
            #expect(Host.cgroups(of: container.id) == [])
            #expect(try await Host.units(of: container.id) == [])
        }
        for program in programs {
            try await eventually("program \(program) to be gone") {
                try await !Host.isProgramLoaded(program)
            }
        }
    }
}
