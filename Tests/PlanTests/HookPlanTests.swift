import CPlan
import OCI
import Testing

@testable import Plan

/// What the validator wants of hooks, and the plans of those that run in the container.
@Suite struct HookPlanTests {
    private static func said(_ hook: Spec.Hook) -> String? {
        objection { $0.hooks.poststop = [.init(path: "/bin/true"), hook] }
    }

    @Test func rules() {
        let path = "hooks.poststop[1].path: must be an absolute path, is "
        #expect(Self.said(.init(path: "bin/x")) == path + "\"bin/x\"")
        #expect(Self.said(.init(path: "")) == path + "\"\"")
        let timeout = "hooks.poststop[1].timeout: must be greater than 0, is "
        #expect(Self.said(.init(path: "/x", timeout: 0)) == timeout + "0")
        #expect(Self.said(.init(path: "/x", timeout: -3)) == timeout + "-3")
        #expect(
            Self.said(.init(path: "/x", env: ["A=1", ""]))
                == "hooks.poststop[1].env[1]: must not be empty")
        #expect(
            Self.said(.init(path: "/x", env: ["=1"]))
                == "hooks.poststop[1].env[0]: \"=1\" has no name before the =")
        #expect(Self.said(.init(path: "/x", args: [], env: ["A"], timeout: .max)) == nil)
    }

    @Test func everyKindIsLookedAt() {
        let bad = [Spec.Hook(path: "x")]
        let kinds: [(String, WritableKeyPath<Spec.Hooks, [Spec.Hook]>)] = [
            ("prestart", \.prestart), ("createRuntime", \.createRuntime),
            ("createContainer", \.createContainer), ("startContainer", \.startContainer),
            ("poststart", \.poststart), ("poststop", \.poststop),
        ]
        for (name, kind) in kinds {
            let said = objection { $0.hooks[keyPath: kind] = bad }
            #expect(said == "hooks.\(name)[0].path: must be an absolute path, is \"x\"")
        }
    }

    @Test func onlyHooksOfCreationStopAStart() throws {
        func stops(_ change: (inout Spec.Hooks) -> Void) throws -> Bool {
            try plan(smallSpec { change(&$0.hooks) }).ops.contains {
                $0.code == .sync && $0.raw.arg0 == SyncPoint.mounted
            }
        }
        let hooks = [Spec.Hook(path: "/x")]
        #expect(try stops { $0.prestart = hooks })
        #expect(try stops { $0.createRuntime = hooks })
        #expect(try stops { $0.createContainer = hooks })
        #expect(try !stops { $0.startContainer = hooks })
        #expect(try !stops { $0.poststart = hooks })
        #expect(try !stops { $0.poststop = hooks })
    }

    private static func planned(
        _ place: JoiningHook.Place, _ hook: Spec.Hook, ownsStreams: Bool = true, _ spec: Spec = smallSpec()
    ) throws -> Plan {
        try Planner.planHook(
            JoiningHook(hook, place, index: 2, ownsStreams: ownsStreams), in: spec,
            joining: Joining(entrances: [], processLimit: .max), facts: TestHost.facts(),
            options: TestHost.options)
    }

    @Test func beforeTheRootIsEntered() throws {
        let hook = Spec.Hook(path: "/h", args: ["a", "b"], env: ["X=1", "X=2"])
        let plan = try Self.planned(.beforeRoot, hook)
        let codes: [Op.Code] = [
            .open, .check, .resetSignals, .setNS, .keyring, .umask, .closeFrom, .chdir, .resolveExec, .fork,
            .deathSignal, .exec,
        ]
        #expect(plan.ops.map { $0.code } == codes)
        let exec = try #require(plan.ops.last)
        #expect(plan.vector(exec.raw.str) == ["a", "b"])
        #expect(plan.vector(exec.raw.str2) == ["X=1", "X=2"])
        #expect(exec.origin.path == "hooks.createContainer[2]")
        #expect(plan.texts(plan.ops[8].raw.str, length: plan.ops[8].raw.len) == ["/h"])
    }

    /// The container's process but for what the hook says, with no question about HOME, and tied to gantry when
    /// nothing follows that would untie it.
    @Test func asTheProcess() throws {
        let spec = smallSpec {
            $0.process?.user = .init(uid: 5, gid: 6)
            $0.process?.noNewPrivileges = true
            $0.linux?.seccomp = .init(defaultAction: .allow)
        }
        let plan = try Self.planned(.asProcess, .init(path: "/h"), spec)
        let codes = plan.ops.map { $0.code }
        #expect(!codes.contains(.sync))
        #expect(codes.suffix(6) == [.noNewPrivileges, .caps, .fork, .deathSignal, .seccomp, .exec])
        #expect(codes.contains(.stdioOwner))
        let exec = try #require(plan.ops.last)
        #expect(plan.vector(exec.raw.str) == ["/h"])
        #expect(plan.vector(exec.raw.str2) == [])
        let others = try Self.planned(.asProcess, .init(path: "/h"), ownsStreams: false, spec)
        #expect(!others.ops.contains { $0.code == .stdioOwner })
    }
}
