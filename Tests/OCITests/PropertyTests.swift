import Diagnostics
import OCI
import Testing

/// Every property of runtime-spec 1.3.0 for Linux arrives where it belongs. The document follows the examples
/// of config.md and config-linux.md.
@Suite struct PropertyTests {
    private func load(_ text: String) throws -> Spec {
        try Spec.load(json: Array(text.utf8))
    }

    @Test func process() throws {
        let process = try #require(
            try load(
                """
                {"process": {"terminal": true, "consoleSize": {"height": 25, "width": 80}, "cwd": "/w",
                 "env": ["A=1"], "args": ["sh"],
                 "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6]},
                 "rlimits": [{"type": "RLIMIT_CORE", "soft": 1024, "hard": 18446744073709551615}],
                 "capabilities": {"bounding": ["b"], "effective": ["e"], "inheritable": ["i"],
                                  "permitted": ["p"], "ambient": ["a"]},
                 "noNewPrivileges": true, "oomScoreAdj": -100,
                 "apparmorProfile": "acme", "selinuxLabel": "label",
                 "scheduler": {"policy": "SCHED_DEADLINE", "nice": -5, "priority": 1,
                               "flags": ["SCHED_FLAG_RECLAIM"], "runtime": 4, "deadline": 5, "period": 6},
                 "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
                 "execCPUAffinity": {"initial": "7", "final": "0-3,7"}}}
                """
            ).process)
        var expected = Spec.Process(cwd: "/w", args: ["sh"])
        expected.terminal = true
        expected.consoleSize = .init(height: 25, width: 80)
        expected.env = ["A=1"]
        expected.user = .init(uid: 1, gid: 2, umask: 0o77, additionalGids: [5, 6])
        expected.rlimits = [.init(type: "RLIMIT_CORE", soft: 1024, hard: .max)]
        var capabilities = Spec.Process.Capabilities()
        capabilities.bounding = ["b"]
        capabilities.effective = ["e"]
        capabilities.inheritable = ["i"]
        capabilities.permitted = ["p"]
        capabilities.ambient = ["a"]
        expected.capabilities = capabilities
        expected.noNewPrivileges = true
        expected.oomScoreAdj = -100
        expected.apparmorProfile = "acme"
        expected.selinuxLabel = "label"
        var scheduler = Spec.Process.Scheduler(policy: .deadline)
        scheduler.nice = -5
        scheduler.priority = 1
        scheduler.flags = [.reclaim]
        scheduler.runtime = 4
        scheduler.deadline = 5
        scheduler.period = 6
        expected.scheduler = scheduler
        expected.ioPriority = .init(class: .idle, priority: 4)
        expected.execCPUAffinity = .init(initial: "7", final: "0-3,7")
        #expect(process == expected)
    }

    @Test func top() throws {
        let spec = try load(
            """
            {"ociVersion": "1.3.0", "root": {"path": "r", "readonly": true},
             "hostname": "h", "domainname": "d",
             "mounts": [{"destination": "/m", "type": "none", "source": "/s", "options": ["bind"],
               "uidMappings": [{"containerID": 1, "hostID": 2, "size": 3}],
               "gidMappings": [{"containerID": 4, "hostID": 5, "size": 6}]}],
             "hooks": {"prestart": [{"path": "/1", "args": ["a"], "env": ["E=1"], "timeout": 30}],
               "createRuntime": [{"path": "/2"}], "createContainer": [{"path": "/3"}],
               "startContainer": [{"path": "/4"}],
               "poststart": [{"path": "/5"}], "poststop": [{"path": "/6"}]},
             "annotations": {"z": "1", "a": "2"}}
            """)
        var expected = Spec()
        expected.ociVersion = "1.3.0"
        expected.root = .init(path: "r", readonly: true)
        expected.hostname = "h"
        expected.domainname = "d"
        expected.mounts = [
            .init(
                destination: "/m", type: "none", source: "/s", options: ["bind"],
                uidMappings: [.init(containerID: 1, hostID: 2, size: 3)],
                gidMappings: [.init(containerID: 4, hostID: 5, size: 6)])
        ]
        expected.hooks.prestart = [.init(path: "/1", args: ["a"], env: ["E=1"], timeout: 30)]
        expected.hooks.createRuntime = [.init(path: "/2")]
        expected.hooks.createContainer = [.init(path: "/3")]
        expected.hooks.startContainer = [.init(path: "/4")]
        expected.hooks.poststart = [.init(path: "/5")]
        expected.hooks.poststop = [.init(path: "/6")]
        expected.annotations = [.init("z", "1"), .init("a", "2")]
        #expect(spec == expected)
    }

    @Test func linux() throws {
        let linux = try #require(
            try load(
                """
                {"linux": {"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
                 "gidMappings": [{"containerID": 1, "hostID": 2, "size": 3}],
                 "timeOffsets": {"monotonic": {"secs": -172800, "nanosecs": 5}, "boottime": {"secs": 604800}},
                 "namespaces": [{"type": "time"}],
                 "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438,
                              "uid": 1, "gid": 2}, {"path": "/dev/p", "type": "p"}],
                 "netDevices": {"eth0": {"name": "c0"}, "ens4": {}},
                 "cgroupsPath": "/c", "rootfsPropagation": "slave", "mountLabel": "m",
                 "intelRdt": {"closID": "g", "schemata": ["L3:0=f"], "l3CacheSchema": "L3",
                              "memBwSchema": "MB",
                              "enableMonitoring": true, "enableCMT": true, "enableMBM": true},
                 "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
                 "sysctl": {"net.core.somaxconn": "256"}, "maskedPaths": ["/k"], "readonlyPaths": ["/y"],
                 "personality": {"domain": "LINUX32", "flags": ["f"]}}}
                """
            ).linux)
        var expected = Spec.Linux()
        expected.uidMappings = [.init(containerID: 0, hostID: 1000, size: 32000)]
        expected.gidMappings = [.init(containerID: 1, hostID: 2, size: 3)]
        expected.timeOffsets = [
            .init(clock: .monotonic, secs: -172800, nanosecs: 5),
            .init(clock: .boottime, secs: 604800, nanosecs: 0),
        ]
        expected.namespaces = [.init(.time)]
        expected.devices = [
            .init(.character, path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o666, uid: 1, gid: 2),
            .init(.fifo, path: "/dev/p"),
        ]
        expected.netDevices = [.init(hostName: "eth0", name: "c0"), .init(hostName: "ens4")]
        expected.cgroupsPath = "/c"
        expected.rootfsPropagation = "slave"
        expected.mountLabel = "m"
        var rdt = Spec.Linux.IntelRdt()
        rdt.closID = "g"
        rdt.schemata = ["L3:0=f"]
        rdt.l3CacheSchema = "L3"
        rdt.memBwSchema = "MB"
        rdt.enableMonitoring = true
        rdt.enableCMT = true
        rdt.enableMBM = true
        expected.intelRdt = rdt
        var policy = Spec.Linux.MemoryPolicy(mode: .bind)
        policy.nodes = "0-1"
        policy.flags = [.staticNodes]
        expected.memoryPolicy = policy
        expected.sysctl = [.init("net.core.somaxconn", "256")]
        expected.maskedPaths = ["/k"]
        expected.readonlyPaths = ["/y"]
        var personality = Spec.Linux.Personality(domain: .linux32)
        personality.flags = ["f"]
        expected.personality = personality
        #expect(linux == expected)
    }

    @Test func seccomp() throws {
        let linux = try load(
            """
            {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
             "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
             "listenerPath": "/l", "listenerMetadata": "data",
             "syscalls": [{"names": ["clone", "ptrace"], "action": "SCMP_ACT_TRACE", "errnoRet": 7,
               "args": [{"index": 5, "value": 18446744073709551615,
               "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]}}}
            """
        ).linux
        var expected = Spec.Linux.Seccomp(defaultAction: .errno)
        expected.defaultErrnoRet = 38
        expected.architectures = [.x86_64, .x32]
        expected.flags = [.log]
        expected.listenerPath = "/l"
        expected.listenerMetadata = "data"
        expected.syscalls = [
            .init(
                names: ["clone", "ptrace"], action: .trace, errnoRet: 7,
                args: [.init(index: 5, value: .max, valueTwo: 2, op: .maskedEqual)])
        ]
        #expect(linux?.seccomp == expected)
    }

    private static let resources = """
        {"devices": [{"allow": true, "type": "b", "major": 8, "minor": 0, "access": "r"}],
         "memory": {"limit": 1, "reservation": 2, "swap": -1, "kernel": 4, "kernelTCP": 5, "swappiness": 6,
                    "disableOOMKiller": true, "useHierarchy": false, "checkBeforeUpdate": true},
         "cpu": {"shares": 1, "quota": -1, "burst": 3, "period": 4, "realtimeRuntime": 5, "realtimePeriod": 6,
                 "cpus": "0-1", "mems": "0", "idle": 1},
         "pids": {"limit": -1},
         "blockIO": {"weight": 10, "leafWeight": 11,
            "weightDevice": [{"major": 8, "minor": 1, "weight": 500, "leafWeight": 300}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 2, "rate": 1}],
            "throttleWriteBpsDevice": [{"major": 8, "minor": 3, "rate": 2}],
            "throttleReadIOPSDevice": [{"major": 8, "minor": 4, "rate": 3}],
            "throttleWriteIOPSDevice": [{"major": 8, "minor": 5, "rate": 4}]},
         "hugepageLimits": [{"pageSize": "2MB", "limit": 9}],
         "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
         "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "rxe3": {}},
         "unified": {"io.max": "259:0 rbps=1", "hugetlb.1GB.max": "1"}}
        """

    private func expectedResources() -> Spec.Linux.Resources {
        var resources = Spec.Linux.Resources()
        resources.devices = [.init(allow: true, type: .block, major: 8, minor: 0, access: "r")]
        var memory = Spec.Linux.Resources.Memory()
        (memory.limit, memory.reservation, memory.swap) = (1, 2, -1)
        (memory.kernel, memory.kernelTCP, memory.swappiness) = (4, 5, 6)
        (memory.disableOOMKiller, memory.useHierarchy, memory.checkBeforeUpdate) = (true, false, true)
        resources.memory = memory
        var cpu = Spec.Linux.Resources.CPU()
        (cpu.shares, cpu.quota, cpu.burst, cpu.period) = (1, -1, 3, 4)
        (cpu.realtimeRuntime, cpu.realtimePeriod, cpu.cpus, cpu.mems, cpu.idle) = (5, 6, "0-1", "0", 1)
        resources.cpu = cpu
        resources.pids = .init(limit: -1)
        var blockIO = Spec.Linux.Resources.BlockIO()
        (blockIO.weight, blockIO.leafWeight) = (10, 11)
        blockIO.weightDevice = [.init(major: 8, minor: 1, weight: 500, leafWeight: 300)]
        blockIO.throttleReadBpsDevice = [.init(major: 8, minor: 2, rate: 1)]
        blockIO.throttleWriteBpsDevice = [.init(major: 8, minor: 3, rate: 2)]
        blockIO.throttleReadIOPSDevice = [.init(major: 8, minor: 4, rate: 3)]
        blockIO.throttleWriteIOPSDevice = [.init(major: 8, minor: 5, rate: 4)]
        resources.blockIO = blockIO
        resources.hugepageLimits = [.init(pageSize: "2MB", limit: 9)]
        var network = Spec.Linux.Resources.Network()
        network.classID = 1_048_577
        network.priorities = [.init(name: "eth0", priority: 500)]
        resources.network = network
        resources.rdma = [.init(device: "mlx5_1", hcaHandles: 3, hcaObjects: 10000), .init(device: "rxe3")]
        resources.unified = [.init("io.max", "259:0 rbps=1"), .init("hugetlb.1GB.max", "1")]
        return resources
    }

    @Test func resources() throws {
        #expect(
            try load("{\"linux\": {\"resources\": \(Self.resources)}}").linux?.resources
                == expectedResources())
        #expect(try Spec.Linux.Resources.load(json: Array(Self.resources.utf8)) == expectedResources())
        let process = try Spec.Process.load(json: Array("{\"cwd\": \"/\", \"args\": [\"a\"]}".utf8))
        #expect(process == Spec.Process(cwd: "/", args: ["a"]))
    }

    @Test func documentsOnTheirOwnHaveTheirOwnPaths() {
        #expect { _ = try Spec.Process.load(json: Array("{}".utf8)) } throws: {
            ($0 as? Failure)?.description == "cwd: is required"
        }
        #expect { _ = try Spec.Linux.Resources.load(json: Array("{\"pids\": 1}".utf8)) } throws: {
            ($0 as? Failure)?.description == "pids: must be an object"
        }
        #expect { _ = try Spec.Linux.Resources.load(json: Array("7".utf8)) } throws: {
            ($0 as? Failure)?.description == "resources.json: must be an object"
        }
    }
}
