import CPlan
import Diagnostics
import JSON
import OCI
import Testing

@testable import Plan

/// `--init`: the exec is that of gantry's reaper, with the program's words behind its own.
@Suite struct InitPlanTests {
    private let spec = smallSpec { $0.process?.args = ["sh", "-c", "true"] }

    private func plan(hasInit: Bool, _ spec: Spec? = nil) throws -> Plan {
        var options = TestHost.options
        options.hasInit = hasInit
        return try PlanTests.plan(spec ?? self.spec, options: options)
    }

    /// All but the last step is as ever: what is resolved, and as whom.
    @Test func onlyTheExecIsAnother() throws {
        let (with, without) = (try plan(hasInit: true), try plan(hasInit: false))
        #expect(with.ops.count == without.ops.count)
        for index in with.ops.indices.dropLast() {
            #expect(with.words(at: index) == without.words(at: index))
        }
        let (exec, plain) = (try #require(with.ops.last), try #require(without.ops.last))
        #expect(exec.code == .exec && exec.raw.src == Slot.reaper)
        #expect(plain.code == .exec && plain.raw.src == Slot.none)
        #expect(with.vector(exec.raw.str) == ["gantry-reaper", "gantry-reaper", "sh", "-c", "true"])
        #expect(with.vector(exec.raw.str2) == without.vector(plain.raw.str2))
    }

    /// The words of the program are shown, not those of the reaper.
    @Test func isShown() throws {
        let plan = try plan(hasInit: true)
        #expect(plan.description.contains("        args sh -c true\n"), "\(plan.description)")
        var json = JSONWriter(.compact)
        plan.write(to: &json)
        #expect(json.text.contains(#""src":"reaper""#), "\(json.text.suffix(400))")
        #expect(json.text.contains(#""args":["sh","-c","true"]"#), "\(json.text.suffix(400))")
    }

    /// Of the encoded buffer's words the first two are what the init makes of them.
    @Test func isEncoded() throws {
        let decoded = DecodedPlan(try plan(hasInit: true).encode())
        let exec = try #require(decoded.ops.last)
        #expect(exec.src == Int16(CPLAN_SLOT_REAPER))
        #expect(decoded.vector(exec.str) == ["gantry-reaper", "gantry-reaper", "sh", "-c", "true"])
    }

    @Test func anExecHasNone() throws {
        var options = TestHost.options
        options.hasInit = false
        let plan = try Planner.planExec(
            Spec.Process(cwd: "/", args: ["/bin/sh"]), in: spec,
            joining: Joining(entrances: [], processLimit: .max), facts: TestHost.facts(), options: options)
        #expect(plan.ops.last?.raw.src == Slot.none)
    }

    @Test func failures() throws {
        let plan = try plan(hasInit: true)
        let exec = plan.ops.count - 1
        let refused =
            "--init cannot start the program (the system-call filter must allow execveat and rt_sigprocmask):"
            + " execveat: operation not permitted"
        #expect(plan.describe(op: exec, errno: 1).description == refused)
        #expect(
            StartFailure.describe(
                opcode: Op.Code.exec.rawValue, errno: 1, detail: [], spec: spec
            ).description == refused)
        #expect(
            plan.describe(op: exec, errno: 7).description
                == "--init cannot start the program: execveat: argument list too long")
        // The program is looked up as ever.
        let resolve = try #require(plan.ops.firstIndex { $0.code == .resolveExec })
        #expect(
            plan.describe(op: resolve, errno: 2).description
                == "exec: \"sh\": executable file not found in $PATH")
    }
}
