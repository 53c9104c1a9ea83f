import Foundation
import Testing

/// Four engines of Debian, each with gantry and with a control, from the same table of cases (Cases/).
@Suite(.enabled(if: Requirements.met, Comment(rawValue: Requirements.obstacle ?? "")))
struct EngineTests {
    @Suite(.rides(.docker))
    struct Docker {
        @Test(.timeLimit(.minutes(5)), arguments: EngineCase.on(.docker))
        func docker(_ row: EngineCase) async throws { try await row.check(on: .docker) }

        @Test(.timeLimit(.minutes(5)))
        func readme() async throws { try await ReadmeCommands.check(.docker, client: "docker") }
    }

    @Suite(.rides(.podman))
    struct Podman {
        @Test(.timeLimit(.minutes(5)), arguments: EngineCase.on(.podman))
        func podman(_ row: EngineCase) async throws { try await row.check(on: .podman) }

        @Test(.timeLimit(.minutes(5)))
        func readme() async throws { try await ReadmeCommands.check(.podman, client: "podman") }
    }

    @Suite(.rides(.containerd))
    struct Containerd {
        @Test(.timeLimit(.minutes(5)), arguments: EngineCase.on(.containerd))
        func containerd(_ row: EngineCase) async throws { try await row.check(on: .containerd) }

        @Test(.timeLimit(.minutes(5)))
        func readme() async throws { try await ReadmeCommands.check(.containerd, client: "ctr") }
    }

    @Suite(.rides(.buildah))
    struct Buildah {
        @Test(.timeLimit(.minutes(5)), arguments: EngineCase.on(.buildah))
        func buildah(_ row: EngineCase) async throws { try await row.check(on: .buildah) }

        @Test(.timeLimit(.minutes(5)))
        func readme() async throws { try await ReadmeCommands.check(.buildah, client: "buildah") }
    }
}

/// The table of cases against the table of what engines call and parse.
struct ContractTests {
    @Test func everyCaseProvesARow() {
        for row in EngineCase.all {
            #expect(!row.proves.isEmpty, "\(row.name)")
            for id in row.proves { #expect(Contract.rows[id] != nil, "\(row.name): no row \(id)") }
        }
    }

    @Test func everyRowIsProved() {
        let proved = Set(EngineCase.all.flatMap(\.proves))
        for id in Contract.rows.keys { #expect(proved.contains(id), "no case proves \(id)") }
    }

    @Test func caseNamesAreUnique() {
        #expect(Set(EngineCase.all.map(\.name)).count == EngineCase.all.count)
    }
}
