import Foundation
import Testing

/// Something that people do with an engine. It is done twice, with gantry and with the control; both must meet its
/// expectations, and what they print must be the same.
struct EngineCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Rows of spec/engines.md.
    let proves: [String]
    let engines: [Engine]
    let body: @Sendable (Session) async throws -> Void

    init(
        _ name: String, on engines: [Engine] = Engine.docklike, proves: [String],
        _ body: @escaping @Sendable (Session) async throws -> Void
    ) {
        self.name = name
        self.engines = engines
        self.proves = proves
        self.body = body
    }

    var testDescription: String { name }

    static let all: [EngineCase] =
        runCases + errorCases + limitCases + identityCases + storageCases + lifecycleCases + execCases
        + terminalCases + networkCases + buildCases + ctrCases + ctrTaskCases + buildahCases

    /// For work on one case: part of its name.
    private static let wanted = ProcessInfo.processInfo.environment["GANTRY_ENGINE_CASE"] ?? ""

    static func on(_ engine: Engine) -> [EngineCase] {
        all.filter { $0.engines.contains(engine) && (wanted.isEmpty || $0.name.contains(wanted)) }
    }

    /// A container name made from the case's.
    private var slug: String {
        name.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.joined(separator: "-")
    }

    func check(on engine: Engine) async throws {
        let gantry = await play(on: engine, .gantry)
        let control = await play(on: engine, .control)
        let lines = proves.map { "\($0): \(Contract.rows[$0] ?? "not in spec/engines.md")" }
        let contract = Comment(rawValue: "contract " + lines.joined(separator: "\ncontract "))
        if let problem = control.problem {
            Issue.record("with the control, \(name): \(problem)")
        }
        if let problem = gantry.problem {
            Issue.record("with gantry, \(name): \(problem)\n\(contract)")
        } else if control.problem == nil {
            for (ours, theirs) in zip(gantry.record, control.record) {
                #expect(ours == theirs, contract)
            }
            #expect(gantry.record.count == control.record.count, contract)
        }
    }

    private func play(on engine: Engine, _ runtime: Runtime) async -> (record: [String], problem: String?) {
        do {
            let ride = try await Rides.shared.ride(engine, runtime)
            let session = Session(ride, name: slug)
            do {
                try await body(session)
                await session.clear()
                return (session.record, nil)
            } catch {
                await session.clear()
                return (session.record, "\(error)\(ride.logs)")
            }
        } catch {
            return ([], "no \(engine): \(error)")
        }
    }
}
