import CCapability
import CPlan
import Diagnostics
import OCI
import Testing

@testable import Plan

/// The process, its environment, identity and privileges.
@Suite struct PlannerProcessTests {
    private func candidates(_ name: String, _ env: [String]) throws -> [String] {
        let spec = smallSpec {
            $0.process?.args = [name]
            $0.process?.env = env
        }
        let plan = try plan(spec)
        let op = try #require(plan.ops.first { $0.code == .resolveExec })
        return plan.texts(op.raw.str, length: op.raw.len)
    }

    @Test func executables() throws {
        #expect(try candidates("sh", ["PATH=/bin:/usr/bin/"]) == ["/bin/sh", "/usr/bin/sh"])
        #expect(try candidates("/x/sh", ["PATH=/bin"]) == ["/x/sh"])
        #expect(try candidates("./sh", []) == ["./sh"])
        // As runc: of several PATHs the last counts, and without one nothing is found.
        #expect(try candidates("sh", ["PATH=/a", "PATH=/b"]) == ["/b/sh"])
        #expect(try candidates("sh", []) == [])
        #expect(try candidates("sh", ["PATH="]) == [])
        #expect(try candidates("sh", ["XPATH=/a", "PATHX=/b"]) == [])
        #expect(try candidates("", ["PATH=/a"]) == [])
        // As execvp(3): an empty entry is the working directory.
        #expect(try candidates("sh", ["PATH=:bin:"]) == ["./sh", "bin/sh", "./sh"])
    }

    /// As runc: the last value at the place of the first (os.Setenv), HOME only when it is not empty.
    @Test func environment() throws {
        func environment(_ entries: [String], extra: [String] = []) throws -> [String] {
            var options = TestHost.options
            options.environment = extra
            let plan = try plan(smallSpec { $0.process?.env = entries }, options: options)
            return plan.vector(plan.ops.last!.raw.str2)
        }
        #expect(try environment(["A=1", "B=1", "A=2", "C=a=b", "A=3"]) == ["A=3", "B=1", "C=a=b"])
        #expect(try environment(["AB=1", "A=1", "ABC=1"]) == ["AB=1", "A=1", "ABC=1"])
        #expect(try environment(["PLAIN", "A=", "PLAIN"]) == ["PLAIN", "A="])
        #expect(try environment(["HOME=", "A=1"]) == ["A=1"])
        #expect(try environment(["HOME=/h"]) == ["HOME=/h"])
        #expect(try environment(["A=1"], extra: ["LISTEN_FDS=1", "A=2"]) == ["A=2", "LISTEN_FDS=1"])
        // Different names that look alike are different.
        #expect(try environment(["\u{e9}=1", "e\u{301}=2"]) == ["\u{e9}=1", "e\u{301}=2"])
        let many = (0..<5000).map { "SERVICE_\($0)_HOST=10.0.0.1" }
        #expect(try environment(many + many) == many)
    }

    /// Written to the host's procfs, before no_new_privs and while the container has nothing to say.
    @Test func labels() throws {
        let spec = smallSpec {
            $0.process?.apparmorProfile = "docker-default"
            $0.process?.selinuxLabel = "system_u:system_r:container_t:s0:c4,c5"
            $0.process?.noNewPrivileges = true
        }
        #expect(
            Planner.requests(for: spec).contains(.appArmor) && Planner.requests(for: spec).contains(.seLinux))
        var facts = TestHost.facts()
        #expect(
            refusal(spec, facts: facts) == "process.apparmorProfile: AppArmor is not enabled on this host")
        facts.appArmorFile = "self/attr/apparmor/exec"
        #expect(refusal(spec, facts: facts) == "process.selinuxLabel: SELinux is not enabled on this host")
        facts.hasSELinux = true
        let plan = try plan(spec, facts: facts)
        #expect(
            steps(of: plan, "process.apparmorProfile") == [
                "write \"exec docker-default\" to /proc/self/attr/apparmor/exec"
            ])
        #expect(
            steps(of: plan, "process.selinuxLabel") == [
                "write \"system_u:system_r:container_t:s0:c4,c5\" to /proc/self/attr/exec"
            ])
        let label = try #require(plan.ops.lastIndex { $0.code == .write })
        let privileges = try #require(plan.ops.firstIndex { $0.code == .noNewPrivileges })
        #expect(label < privileges)
        #expect(plan.ops.filter { $0.code == .write }.allSatisfy { $0.raw.src == Slot.proc })
    }

    @Test func homeDirectory() throws {
        func ready(_ env: [String]) throws -> (op: Op, opens: Bool) {
            let plan = try plan(smallSpec { $0.process?.env = env })
            let op = try #require(plan.ops.first { $0.code == .sync && $0.raw.arg0 == SyncPoint.ready })
            return (op, plan.ops.contains { $0.raw.dst == Slot.passwd })
        }
        let unknown = try ready(["PATH=/bin"])
        #expect(unknown.opens && unknown.op.has(CPLAN_F_ENV_VALUE) && unknown.op.has(CPLAN_F_ANY_FD))
        let known = try ready(["HOME=/h"])
        #expect(!known.opens && !known.op.has(CPLAN_F_ENV_VALUE) && known.op.raw.src == Slot.none)
        #expect(try ready(["HOME="]).opens)
    }

    @Test func creating() throws {
        var options = TestHost.options
        options.waitsForStart = true
        let codes = try plan(smallSpec(), options: options).ops.map(\.code)
        let wait = try #require(codes.firstIndex(of: .waitStart))
        // The executable is found at create, and who waits has no more rights than the container will have.
        #expect(codes.firstIndex(of: .resolveExec)! < wait && codes.firstIndex(of: .exec)! > wait)
        #expect(codes.lastIndex(of: .identity)! < wait && codes.lastIndex(of: .caps)! < wait)
        #expect(!(try plan(smallSpec()).ops.contains { $0.code == .waitStart }))
    }

    @Test func preservedDescriptors() throws {
        var options = TestHost.options
        options.preserveFDs = 4
        let plan = try plan(smallSpec(), options: options)
        #expect(plan.ops.first { $0.code == .closeFrom }?.raw.arg0 == 7)
        #expect(DecodedPlan(try plan.encode()).header.first_private == 7)
        // Before anything is looked up as /proc/self/fd/N (CVE-2024-21626).
        let codes = plan.ops.map(\.code)
        #expect(codes.firstIndex(of: .closeFrom)! < codes.firstIndex(of: .chdir)!)
    }

    @Test func order() throws {
        let codes = try plan(smallSpec()).ops.map(\.code)
        let order: [Op.Code] = [
            .open, .check, .unshare, .fork, .sync, .loopback, .keyring, .propagation, .openTree, .mknod,
            .pivot,
            .stdioNull, .umask, .capBounding, .stdioOwner, .closeFrom, .identity, .resolveExec, .caps, .exec,
        ]
        let places = order.map { codes.firstIndex(of: $0)! }
        #expect(places == places.sorted())
    }

    @Test func privileges() throws {
        func codes(_ change: (inout Spec) -> Void) throws -> [Op.Code] {
            let codes = try plan(smallSpec(change)).ops.map(\.code)
            return Array(codes[codes.firstIndex(of: .resolveExec)!...].filter { $0 != .close && $0 != .sync })
        }
        #expect(try codes { _ in } == [.resolveExec, .caps, .exec])
        #expect(
            try codes { $0.process?.noNewPrivileges = true } == [
                .resolveExec, .noNewPrivileges, .caps, .exec,
            ])
        #expect(
            try codes {
                $0.process?.noNewPrivileges = true
                $0.linux?.seccomp = .init(defaultAction: .allow)
            } == [.resolveExec, .noNewPrivileges, .caps, .seccomp, .exec])
        #expect(
            try codes { $0.linux?.seccomp = .init(defaultAction: .allow) }
                == [.resolveExec, .caps, .seccomp, .caps, .exec])
        let filtered = try plan(smallSpec { $0.linux?.seccomp = .init(defaultAction: .allow) })
        let raised = try #require(filtered.ops.first { $0.code == .caps })
        #expect(
            filtered.word(Int(raised.raw.str) + 8) == 1 << 21,
            "CAP_SYS_ADMIN, effective only until the filter is in")
        let last = try #require(filtered.ops.last { $0.code == .caps })
        #expect((0..<5).allSatisfy { filtered.word(Int(last.raw.str) + $0 * 8) == 0 })
    }

    @Test func capabilities() throws {
        let all = NameTable.capabilities.names.map { "CAP_\($0)" }
        var sets = Spec.Process.Capabilities()
        sets.bounding = all
        sets.effective = ["CAP_KILL"]
        sets.permitted = ["CAP_KILL", "CAP_CHOWN"]
        sets.inheritable = ["CAP_KILL"]
        sets.ambient = ["CAP_KILL", "CAP_CHOWN", "CAP_SYS_ADMIN"]
        let (masks, missing) = Capabilities.sets(sets, available: (1 << 38) - 1)
        #expect(missing == 0b111 << 38)
        #expect(masks.bounding == (1 << 38) - 1)
        #expect(masks.effective == 1 << 5 && masks.permitted == 1 << 5 | 1 && masks.inheritable == 1 << 5)
        #expect(
            masks.ambient == 1 << 5,
            "ambient capabilities are permitted and inheritable ones (capabilities(7))")
        #expect(Capabilities.sets(nil, available: .max).sets.bounding == 0)
    }

    /// config.md, "capabilities": what cannot be granted is a warning and no error.
    @Test func capabilitiesThatGantryLacks() throws {
        let spec = smallSpec {
            $0.process?.capabilities = .init()
            $0.process?.capabilities?.bounding = ["CAP_SYS_RESOURCE", "CAP_KILL", "CAP_SYS_ADMIN"]
            $0.process?.capabilities?.effective = ["CAP_SYS_RESOURCE", "CAP_KILL"]
            $0.linux?.seccomp = .init(defaultAction: .allow)
        }
        var facts = TestHost.facts()
        #expect(try plan(spec, facts: facts).warnings.isEmpty)
        facts.permittedCapabilities = ~(1 << 24 | 1 << 21)
        let plan = try plan(spec, facts: facts)
        #expect(
            plan.warnings == [
                "process.capabilities: the container is without CAP_SYS_ADMIN,CAP_SYS_RESOURCE,"
                    + " since gantry itself is"
            ])
        for op in plan.ops where op.code == .caps {
            #expect(plan.word(Int(op.raw.str)) == 1 << 5 && plan.word(Int(op.raw.str) + 8) == 1 << 5)
        }
    }

    @Test func capabilityNamesAreLibcaps() {
        for (number, name) in NameTable.capabilities.names.enumerated() {
            var value = cap_value_t()
            #expect(cap_from_name("CAP_\(name)", &value) == 0)
            #expect(Int(value) == number)
        }
    }

    @Test func rlimits() throws {
        func limits(_ rlimits: [Spec.Process.Rlimit]) throws -> [(before: Bool, [UInt64])] {
            let plan = try plan(smallSpec { $0.process?.rlimits = rlimits })
            let identity = try #require(plan.ops.firstIndex { $0.code == .identity })
            return plan.ops.indices.filter { plan.ops[$0].code == .rlimit }.map { index in
                let raw = plan.ops[index].raw
                return (index < identity, [raw.arg0, raw.arg1, raw.arg2])
            }
        }
        let usual = try limits([
            .init(type: "RLIMIT_NOFILE", soft: 1024, hard: 4096),
            .init(type: "RLIMIT_CORE", soft: 0, hard: .max),
        ])
        #expect(usual.map(\.before) == [true, true])
        #expect(usual.map(\.1) == [[7, 1024, 4096], [4, 0, .max]])
        // Few open files would be in the init's own way.
        let few = try limits([.init(type: "RLIMIT_NOFILE", soft: 5, hard: 4096)])
        #expect(few.map(\.before) == [true, false])
        #expect(few.map(\.1) == [[7, 4096, 4096], [7, 5, 4096]])
        #expect(try limits([.init(type: "RLIMIT_NOFILE", soft: 5, hard: 6)]).map(\.before) == [false])
        #expect(
            refusal(smallSpec { $0.process?.rlimits = [.init(type: "RLIMIT_X", soft: 1, hard: 1)] })
                == "process.rlimits[0].type: \"RLIMIT_X\" is no resource limit")
    }

    @Test func sysctls() throws {
        func file(_ key: String) throws -> [String] {
            steps(of: try plan(smallSpec { $0.linux?.sysctl = [.init(key, "1")] }), "linux.sysctl[0]")
        }
        #expect(try file("net.ipv4.ip_forward") == ["write \"1\" to /proc/sys/net/ipv4/ip_forward"])
        #expect(try file("net/ipv4/ip_forward") == ["write \"1\" to /proc/sys/net/ipv4/ip_forward"])
        // sysctl(8): the first separator decides.
        #expect(
            try file("net.ipv4.conf.eth0/1.forwarding") == [
                "write \"1\" to /proc/sys/net/ipv4/conf/eth0.1/forwarding"
            ])
        #expect(
            try file("net/ipv4/conf/eth0.1/forwarding") == [
                "write \"1\" to /proc/sys/net/ipv4/conf/eth0.1/forwarding"
            ])
        for key in ["net/../kernel/core_pattern", "net//x", "net/./x"] {
            #expect(
                refusal(smallSpec { $0.linux?.sysctl = [.init(key, "1")] })
                    == "linux.sysctl.\(key): is not the name of a kernel parameter")
        }
        var facts = TestHost.facts()
        facts.joinsOwnNetwork = true
        #expect(
            refusal(smallSpec { $0.linux?.sysctl = [.init("net.core.somaxconn", "1")] }, facts: facts)
                == "linux.sysctl.net.core.somaxconn: the network namespace is the host's: it would change the host"
        )
    }

    @Test func namespaces() throws {
        let spec = smallSpec {
            $0.linux?.namespaces = [
                .init(.pid, path: "/n/pid"), .init(.mount, path: "/n/mnt"), .init(.network, path: "/n/net"),
                .init(.uts),
                .init(.cgroup),
            ]
        }
        let plan = try plan(spec)
        let joins = plan.ops.indices.filter { plan.ops[$0].code == .setNS }
        #expect(
            joins.map { plan.words(at: $0) } == [
                "join the network namespace /n/net", "join the mount namespace /n/mnt",
                "join the pid namespace /n/pid",
            ])
        let lastOpen = plan.ops[..<joins.last!].lastIndex { $0.code == .open }!
        #expect(lastOpen < joins[0], "behind a joined mount namespace paths mean something else")
        let unshares = plan.ops.indices.filter { plan.ops[$0].code == .unshare }.map { plan.words(at: $0) }
        #expect(unshares == ["make a new namespace: uts", "make a new namespace: cgroup"])
        #expect(!plan.ops.contains { $0.code == .loopback }, "a joined network is somebody else's")
        #expect(plan.ops.first { $0.code == .fork }?.raw.arg0 == 0)
    }

    @Test func unsupported() {
        #expect(
            refusal(smallSpec { $0.linux?.namespaces.append(.init(.user)) })
                == "linux.namespaces: user namespaces are not supported yet")
        #expect(
            refusal(smallSpec { $0.linux?.namespaces.append(.init(.time)) })
                == "linux.namespaces: time namespaces are not supported yet")
        #expect(refusal(smallSpec { $0.process?.args = [] }) == "process.args: must not be empty")
        #expect(
            refusal(
                smallSpec {
                    $0.hostname = "h"
                    $0.linux?.namespaces.removeAll { $0.type == .uts }
                }) == "hostname: needs a uts namespace")
    }

    @Test func devices() throws {
        let spec = smallSpec {
            $0.linux?.devices = [
                .init(.character, path: "/dev/zero", major: 1, minor: 5, fileMode: 0o600, uid: 7, gid: 8),
                .init(.unbuffered, path: "/dev/net/tun", major: 10, minor: 200),
                .init(.block, path: "/x/big", major: 4095, minor: 1_048_575),
                .init(.fifo, path: "/dev/p", fileMode: 0o640),
                .init(.character, path: "/dev/ptmx", major: 5, minor: 2),
            ]
        }
        let plan = try plan(spec)
        let lines = plan.ops.indices.filter { plan.ops[$0].code == .mknod }.map {
            plan.words(at: $0) + "  " + plan.notes(at: $0)[0]
        }
        #expect(lines.count == 9)
        #expect(!lines.contains { $0.contains("/dev/ptmx") })
        #expect(lines.contains("make the device /dev/null  character 1:3 mode 0666 owner 0:0"))
        #expect(
            lines.filter { $0.contains("/dev/zero") } == [
                "make the device /dev/zero  character 1:5 mode 0600 owner 7:8"
            ])
        #expect(lines.contains("make the device /dev/net/tun  character 10:200 mode 0666 owner 0:0"))
        #expect(lines.contains("make the device /x/big  block 4095:1048575 mode 0666 owner 0:0"))
        #expect(lines.contains("make the device /dev/p  fifo mode 0640 owner 0:0"))
        #expect(
            refusal(smallSpec { $0.linux?.devices = [.init(.block, path: "/d", major: -1, minor: 0)] })
                == "linux.devices[0]: major must be 0…4095 and minor 0…1048575")
        // What makedev(3) makes of it.
        #expect(deviceNumber(511, 1_000_000) == 0xf42_1ff40)
    }

    /// A bound /dev is somebody else's.
    @Test func boundDev() throws {
        let spec = smallSpec {
            $0.mounts = [.init(destination: "/dev", type: "bind", source: "/dev", options: ["rbind"])]
            $0.linux?.maskedPaths = ["/proc/kcore"]
        }
        let plan = try plan(spec)
        #expect(!plan.ops.contains { [.mknod, .symlink, .stdioNull].contains($0.code) })
        #expect(plan.ops.contains { $0.code == .check && $0.raw.src == Slot.null })
        #expect(!Planner.requests(for: spec).contains(.kcore))
    }
}
