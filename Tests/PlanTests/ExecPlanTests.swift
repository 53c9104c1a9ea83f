import Diagnostics
import OCI
import Testing

@testable import Plan

/// What an exec's process takes from its container's.
@Suite struct ExecPlanTests {
    /// A container that says all there is to say.
    private let container = smallSpec {
        $0.process?.capabilities = .init()
        $0.process?.capabilities?.effective = ["CAP_KILL"]
        $0.process?.rlimits = [.init(type: "RLIMIT_CORE", soft: 1, hard: 2)]
        $0.process?.apparmorProfile = "box"
        $0.process?.selinuxLabel = "box_t"
        $0.process?.oomScoreAdj = 7
        $0.process?.user.umask = 0o77
        $0.process?.user.uid = 3
        $0.process?.cwd = "/srv"
        $0.process?.noNewPrivileges = true
        $0.process?.env = ["A=box", "PATH=/box"]
    }

    private func plan(_ process: Spec.Process, in spec: Spec) throws -> Plan {
        var facts = TestHost.facts()
        facts.appArmorFile = "self/attr/apparmor/exec"
        facts.hasSELinux = true
        return try Planner.planExec(
            process, in: spec, joining: Joining(entrances: [], processLimit: .max), facts: facts,
            options: TestHost.options)
    }

    private func words(_ plan: Plan) -> [String] {
        plan.ops.indices.map { ([plan.words(at: $0)] + plan.details(at: $0)).joined(separator: "\n") }
    }

    @Test func whatIsLeftOutIsTheContainers() throws {
        let process = Spec.Process(cwd: "/", args: ["/bin/sh"])
        let plan = try plan(process, in: container)
        #expect(Planner.execRequests(process, in: container).contains(.appArmor))
        #expect(Planner.execRequests(process, in: container).contains(.seLinux))
        let all = plan.description
        #expect(all.contains("effective   CAP_KILL"), "\(all)")
        #expect(all.contains("RLIMIT_CORE"), "\(all)")
        #expect(all.contains("umask to 077"), "\(all)")
        for origin in ["process.apparmorProfile", "process.selinuxLabel", "process.oomScoreAdj"] {
            #expect(plan.ops.contains { $0.origin.path == origin }, "\(origin): \(all)")
        }
    }

    /// These are the process's own, even where they are empty.
    @Test func whatIsNeverTheContainers() throws {
        let plan = try plan(Spec.Process(cwd: "/", args: ["/bin/sh"]), in: container)
        let all = plan.description
        #expect(!all.contains("/srv") && !all.contains("no_new_privs"), "\(all)")
        #expect(!all.contains("A=box") && !all.contains("/box"), "\(all)")
        #expect(steps(of: plan, "process.user").contains { $0.contains("0") && !$0.contains("3") }, "\(all)")
    }

    @Test func whatIsGivenCounts() throws {
        var process = Spec.Process(cwd: "/", args: ["/bin/sh"])
        process.capabilities = .init()
        process.rlimits = [.init(type: "RLIMIT_CPU", soft: 1, hard: 2)]
        process.apparmorProfile = "exec"
        process.selinuxLabel = "exec_t"
        process.oomScoreAdj = 9
        process.user.umask = 0
        let all = try plan(process, in: container).description
        #expect(!all.contains("CAP_KILL") && !all.contains("RLIMIT_CORE") && !all.contains("box_t"), "\(all)")
        #expect(all.contains("RLIMIT_CPU") && all.contains("exec_t") && all.contains("umask to 0"), "\(all)")
    }

    @Test func aContainerWithoutAProcess() throws {
        var spec = container
        spec.process = nil
        let all = try plan(Spec.Process(cwd: "/", args: ["/bin/sh"]), in: spec).description
        #expect(all.contains("umask to 022"), "\(all)")
    }
}

@Suite struct CapabilityNameTests {
    @Test(arguments: ["CAP_SYS_ADMIN", "cap_sys_admin", "SYS_ADMIN", "sys_admin", "Cap_Sys_Admin"])
    func spellings(text: String) {
        #expect(CapabilityName.canonical(text) == "CAP_SYS_ADMIN")
    }

    @Test func everyOneIsKnownByItsShortName() {
        for short in NameTable.capabilities.names {
            let name = "CAP_\(short)"
            #expect(CapabilityName.canonical(name) == name)
            #expect(CapabilityName.canonical(String(name.dropFirst(4)).lowercased()) == name)
        }
    }

    @Test(arguments: [
        "", "CAP_", "cap", "CAP_CAP_KILL", "kill ", " kill", "CAP-KILL", "ALL", "all", "21", "KİLL",
        "CAP_KILL\0",
    ])
    func nobodyKnows(text: String) {
        #expect(CapabilityName.canonical(text) == nil)
    }
}
