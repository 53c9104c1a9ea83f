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
        var gantry = await play(on: engine, .gantry)
        var control = await play(on: engine, .control)
        if let difference = gantry.difference(from: control), gantry.isSilent(beside: control),
            await SilentRuns.shared.forgive(name, difference)
        {
            gantry = await play(on: engine, .gantry)
            control = await play(on: engine, .control)
        }
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

    private struct Play {
        var record: [String] = []
        var problem: String?
        /// Which of the records are of attached containers of Podman's that printed nothing.
        var silent: Set<Int> = []

        /// What is not as it should be; nil when nothing is.
        func difference(from other: Play) -> String? {
            if let problem = problem ?? other.problem { return problem }
            let pair = zip(record, other.record).first { $0 != $1 }
            return pair.map { "\($0)\nnot as with the control\n\($1)" }
        }

        /// Whether a container printed nothing that printed something with the other, or the other way round.
        func isSilent(beside other: Play) -> Bool {
            let both = min(record.count, other.record.count)
            return silent.symmetricDifference(other.silent).contains { $0 < both }
        }
    }

    private func play(on engine: Engine, _ runtime: Runtime) async -> Play {
        do {
            let ride = try await Rides.shared.ride(engine, runtime)
            let session = Session(ride, name: slug)
            var problem: String?
            do { try await body(session) } catch { problem = "\(error)\(ride.logs)" }
            await session.clear()
            return Play(record: session.record, problem: problem, silent: session.silent)
        } catch {
            return Play(problem: "no \(engine): \(error)")
        }
    }
}

/// conmon 2.1.6 loses all that a container prints when it gets no processor time from the container's start to its end
/// (spec/engines.md, "What conmon loses"). A case that fails with such a container in it is played again, which is said
/// with what was wrong; but only twice, since what a runtime loses would be lost more often.
private actor SilentRuns {
    static let shared = SilentRuns()

    private var left = 2

    func forgive(_ name: String, _ difference: String) -> Bool {
        guard left > 0 else { return false }
        left -= 1
        print("played again, since conmon may have lost what a container printed: \(name): \(difference)")
        return true
    }
}
