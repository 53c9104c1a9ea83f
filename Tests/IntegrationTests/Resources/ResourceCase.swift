import Testing

/// One `linux.resources`, and what the kernel's files say once a runtime has set it.
struct ResourceCase: Sendable, CustomTestStringConvertible {
    enum Peer: Sendable { case runc, crun }

    let name: String
    /// JSON. MAJOR:MINOR as MAJOR and MINOR stand for a block device of this host.
    let resources: String
    /// File and content by version; nil: not for hosts of that version. `a|b` stands for the first file that there is,
    /// the content then for both.
    var v1: [String: String]?
    var v2: [String: String]?
    var peer = Peer.runc
    /// Files that are not compared with the peer's, each with the reason; ours are as they are said to be here.
    var differences: [String: String] = [:]
    /// The same of a scope of systemd's: properties, and files that follow from them.
    var scopeDifferences: [String: String] = [:]
    /// Why this host may be unable to do it. When the peer refuses, gantry must, too.
    var obstacle: String?
    /// Why the peer refuses what gantry does.
    var peerRefuses: String?
    /// With what gantry may refuse what the peer leaves out.
    var oursRefuses: String?

    var testDescription: String { name }
}

private let unlimited = "9223372036854771712"
private let everyThrottle = """
    "throttleReadBpsDevice": [{"major": MAJOR, "minor": MINOR, "rate": 1048576}],
    "throttleWriteBpsDevice": [{"major": MAJOR, "minor": MINOR, "rate": 2097152}],
    "throttleReadIOPSDevice": [{"major": MAJOR, "minor": MINOR, "rate": 300}],
    "throttleWriteIOPSDevice": [{"major": MAJOR, "minor": MINOR, "rate": 400}]
    """
/// The files of reservations, of both versions.
private let noReservations = [
    "hugetlb.2MB.rsvd.limit_in_bytes": "runc limits reservations since 1.2",
    "hugetlb.2MB.rsvd.max": "runc limits reservations since 1.2",
]
/// cpu.weight of the runc that Debian has.
private let linearWeight = "runc before 1.4 converts cpu.shares linearly, so that the default becomes 39"
private let linearWeights = [
    "cpu.weight": linearWeight, "cpu.weight.nice": linearWeight, "CPUWeight": linearWeight,
]
private let unsaid = "the peer writes the file, and does not tell systemd"
/// Of all that crun makes.
private let scopesOfCrun = [
    "pids.max": "systemd has a limit of its own, 15 % of all; crun lifts it, runc does not",
    "TasksMax": "systemd has a limit of its own, 15 % of all; crun lifts it, runc does not",
    "rdma.max": "crun enables only controllers that it needs",
    "DeviceAllow": "the last of several lines, which crun has in another order",
]

extension ResourceCase {
    static let memory: [ResourceCase] = [
        ResourceCase(
            name: "memory",
            resources: #"{"memory": {"limit": 67108864, "reservation": 33554432, "swap": 100663296}}"#,
            v1: [
                "memory.limit_in_bytes": "67108864", "memory.soft_limit_in_bytes": "33554432",
                "memory.memsw.limit_in_bytes": "100663296",
            ],
            v2: ["memory.max": "67108864", "memory.low": "33554432", "memory.swap.max": "33554432"]),
        ResourceCase(
            name: "no memory limit", resources: #"{"memory": {"limit": -1, "reservation": -1}}"#,
            v1: [
                "memory.limit_in_bytes": unlimited, "memory.soft_limit_in_bytes": unlimited,
                "memory.memsw.limit_in_bytes": unlimited,
            ],
            v2: ["memory.max": "max", "memory.low": "max", "memory.swap.max": "max"]),
        ResourceCase(
            name: "no swap, and a limit of parts of pages",
            resources: #"{"memory": {"limit": 67108865, "swap": 67108865}}"#,
            v1: ["memory.limit_in_bytes": "67108864", "memory.memsw.limit_in_bytes": "67108864"],
            v2: ["memory.max": "67108864", "memory.swap.max": "0"],
            scopeDifferences: ["MemorySwapMax": unsaid]),
        ResourceCase(
            name: "all swap", resources: #"{"memory": {"limit": 67108864, "swap": -1}}"#,
            v1: ["memory.limit_in_bytes": "67108864", "memory.memsw.limit_in_bytes": unlimited],
            v2: ["memory.max": "67108864", "memory.swap.max": "max"]),
        ResourceCase(
            name: "swap alone without a limit of memory",
            resources: #"{"memory": {"limit": -1, "swap": 67108864}}"#,
            v2: ["memory.max": "max", "memory.swap.max": "67108864"],
            peerRefuses: "runc 1.1 wants a limit; later ones take it, as version 2 counts swap apart"),
        ResourceCase(
            name: "swappiness and no OOM killer",
            resources: #"{"memory": {"limit": 67108864, "swappiness": 10, "disableOOMKiller": true}}"#,
            v1: [
                "memory.swappiness": "10",
                "memory.oom_control": "oom_kill_disable 1\nunder_oom 0\noom_kill 0",
            ]),
        ResourceCase(
            name: "the least swappiness, kernel memory, a check",
            resources: """
                {"memory": {"swappiness": 0, "kernel": 5000000, "kernelTCP": 6000000, "limit": 67108864,
                            "checkBeforeUpdate": true, "useHierarchy": true}}
                """,
            v1: ["memory.swappiness": "0", "memory.limit_in_bytes": "67108864"]),
    ]

    static let processors: [ResourceCase] = [
        ResourceCase(
            name: "cpu",
            resources:
                #"{"cpu": {"shares": 512, "quota": 50000, "period": 200000, "cpus": "0", "mems": "0"}}"#,
            v1: [
                "cpu.shares": "512", "cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000",
                "cpuset.cpus": "0",
                "cpuset.mems": "0",
            ],
            v2: ["cpu.weight": "59", "cpu.max": "50000 200000", "cpuset.cpus": "0", "cpuset.mems": "0"],
            differences: linearWeights),
        ResourceCase(
            name: "the least shares, a period alone",
            resources: #"{"cpu": {"shares": 2, "period": 50000, "cpus": "0-1"}}"#,
            v1: [
                "cpu.shares": "2", "cpu.cfs_period_us": "50000", "cpu.cfs_quota_us": "-1",
                "cpuset.cpus": "0-1",
            ],
            v2: ["cpu.weight": "1", "cpu.max": "max 50000", "cpuset.cpus": "0-1"]),
        ResourceCase(
            name: "most shares, a quota alone", resources: #"{"cpu": {"shares": 262144, "quota": 25000}}"#,
            v1: ["cpu.shares": "262144", "cpu.cfs_quota_us": "25000"],
            v2: ["cpu.weight": "10000", "cpu.max": "25000 100000"]),
        ResourceCase(
            name: "default shares, no quota",
            resources: #"{"cpu": {"shares": 1024, "quota": -1, "period": 60000}}"#,
            v1: ["cpu.shares": "1024", "cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "60000"],
            v2: ["cpu.weight": "100", "cpu.max": "max 60000"],
            differences: linearWeights),
        ResourceCase(
            name: "a burst", resources: #"{"cpu": {"quota": 50000, "burst": 20000}}"#,
            v1: ["cpu.cfs_quota_us": "50000", "cpu.cfs_burst_us": "20000"],
            v2: ["cpu.max": "50000 100000", "cpu.max.burst": "20000"], peer: .crun,
            differences: [
                "cpu.cfs_burst_us": "crun knows it since 1.8.6", "cpu.max.burst": "crun knows it since 1.8.6",
            ], scopeDifferences: scopesOfCrun.merging(["CPUQuotaPerSecUSec": unsaid]) { $1 }),
        ResourceCase(
            name: "idle", resources: #"{"cpu": {"idle": 1}}"#, v1: ["cpu.idle": "1"],
            v2: ["cpu.idle": "1"], peer: .crun,
            scopeDifferences: scopesOfCrun.merging(["CPUWeight": unsaid]) { $1 }),
        ResourceCase(
            name: "realtime", resources: #"{"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 900000}}"#,
            v1: ["cpu.rt_runtime_us": "1000", "cpu.rt_period_us": "900000"],
            obstacle: "a kernel without CONFIG_RT_GROUP_SCHED, or others have all of it"),
    ]

    static let others: [ResourceCase] = [
        ResourceCase(
            name: "pids", resources: #"{"pids": {"limit": 100}}"#, v1: ["pids.max": "100"],
            v2: ["pids.max": "100"]),
        ResourceCase(
            name: "no limit of pids", resources: #"{"pids": {"limit": -1}}"#, v1: ["pids.max": "max"],
            v2: ["pids.max": "max"]),
        ResourceCase(
            name: "0 pids", resources: #"{"pids": {"limit": 0}}"#, v1: ["pids.max": "1"],
            v2: ["pids.max": "1"],
            differences: [
                "pids.max": "0 is a limit since runtime-spec 1.3; runc 1.1 takes it for none",
                "TasksMax": "0 is a limit since runtime-spec 1.3; runc 1.1 takes it for none",
            ]),
        ResourceCase(
            name: "zeros",
            resources: """
                {"memory": {"limit": 0, "swap": 0, "reservation": 0, "kernel": 0, "disableOOMKiller": false},
                 "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "",
                         "mems": ""},
                 "blockIO": {"weight": 0, "leafWeight": 0}, "network": {"classID": 0}}
                """,
            v1: ["memory.limit_in_bytes": unlimited, "cpu.shares": "1024", "blkio.bfq.weight": "100"],
            v2: ["memory.max": "max", "cpu.weight": "100"]),
        ResourceCase(
            name: "limits of I/O", resources: "{\"blockIO\": {\(everyThrottle)}}",
            v1: [
                "blkio.throttle.read_bps_device": "MAJOR:MINOR 1048576",
                "blkio.throttle.write_bps_device": "MAJOR:MINOR 2097152",
                "blkio.throttle.read_iops_device": "MAJOR:MINOR 300",
                "blkio.throttle.write_iops_device": "MAJOR:MINOR 400",
            ],
            v2: ["io.max": "MAJOR:MINOR rbps=1048576 wbps=2097152 riops=300 wiops=400"]),
        ResourceCase(
            name: "a rate of 0",
            resources: """
                {"blockIO": {"throttleReadBpsDevice": [{"major": MAJOR, "minor": MINOR, "rate": 5},
                                                       {"major": MAJOR, "minor": MINOR, "rate": 0}]}}
                """,
            v1: ["blkio.throttle.read_bps_device": ""]),
        ResourceCase(
            name: "a rate of 0 on version 2",
            resources:
                #"{"blockIO": {"throttleReadBpsDevice": [{"major": MAJOR, "minor": MINOR, "rate": 0}]}}"#,
            v2: ["io.max": ""],
            peerRefuses: "it writes 0, which only version 1 takes for no limit"),
        ResourceCase(
            name: "a weight of I/O", resources: #"{"blockIO": {"weight": 300}}"#,
            v1: ["blkio.bfq.weight": "300"], v2: ["io.bfq.weight|io.weight": "default 300|default 2930"],
            scopeDifferences: ["IOWeight": unsaid],
            obstacle: "a kernel without BFQ and io.cost"),
        ResourceCase(
            name: "the least weight of I/O", resources: #"{"blockIO": {"weight": 10}}"#,
            v1: ["blkio.bfq.weight": "10"], v2: ["io.bfq.weight|io.weight": "default 10|default 1"],
            scopeDifferences: ["IOWeight": unsaid],
            obstacle: "a kernel without BFQ and io.cost"),
        ResourceCase(
            name: "the weight of a device",
            resources:
                #"{"blockIO": {"weight": 1000, "weightDevice": [{"major": MAJOR, "minor": MINOR, "weight": 500}]}}"#,
            v1: ["blkio.bfq.weight_device": "default 1000\nMAJOR:MINOR 500"],
            v2: ["io.bfq.weight": "default 1000\nMAJOR:MINOR 500"],
            obstacle: "the device's I/O scheduler is not BFQ",
            // runc leaves it out on version 2 without BFQ; crun refuses it.
            oursRefuses: "the device has no weights: io.cost is not enabled for it"),
        ResourceCase(
            name: "huge pages", resources: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194305}]}"#,
            v2: ["hugetlb.2MB.max": "4194304", "hugetlb.2MB.rsvd.max": "4194304"], differences: noReservations
        ),
        ResourceCase(
            name: "no huge pages at all",
            resources: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}"#,
            v2: ["hugetlb.2MB.max": "0", "hugetlb.2MB.rsvd.max": "0"], differences: noReservations),
        ResourceCase(
            name: "unified",
            resources: #"""
                {"memory": {"limit": 67108864}, "pids": {"limit": 5},
                 "unified": {"memory.max": "33554432", "memory.high": "25165824", "memory.min": "4096", "pids.max": "33",
                             "memory.oom.group": "1", "cgroup.max.depth": "3", "cpuset.cpus": "", "cpu.max.burst": "0",
                             "io.max": "MAJOR:MINOR rbps=1000000 wiops=50", "hugetlb.2MB.max": "2097152"}}
                """#,
            v2: [
                "memory.max": "33554432", "memory.high": "25165824", "memory.min": "4096", "pids.max": "33",
                "memory.oom.group": "1", "cgroup.max.depth": "3",
                "io.max": "MAJOR:MINOR rbps=1000000 wbps=max riops=max wiops=50",
                "hugetlb.2MB.max": "2097152",
            ],
            peerRefuses: Machine.usesSystemd
                ? "runc 1.1 takes no empty list for a property of systemd's" : nil),
        ResourceCase(
            name: "unified, of two lines",
            resources: #"{"unified": {"io.max": "MAJOR:MINOR rbps=1000000\nMAJOR:MINOR wiops=50"}}"#,
            v2: ["io.max": "MAJOR:MINOR rbps=1000000 wbps=max riops=max wiops=50"],
            // runc 1.1 writes both at once, which the kernel refuses.
            peer: .crun, scopeDifferences: scopesOfCrun),
        ResourceCase(
            name: "everything",
            resources: """
                {"memory": {"limit": 67108864, "swap": 134217728}, "cpu": {"quota": 30000, "cpus": "1"},
                 "pids": {"limit": 44}, "blockIO": {\(everyThrottle)}}
                """,
            v1: [
                "memory.limit_in_bytes": "67108864", "cpu.cfs_quota_us": "30000", "cpuset.cpus": "1",
                "pids.max": "44",
                "blkio.throttle.read_bps_device": "MAJOR:MINOR 1048576",
            ],
            v2: [
                "memory.max": "67108864", "memory.swap.max": "67108864", "cpu.max": "30000 100000",
                "cpuset.cpus": "1",
                "pids.max": "44",
            ]),
    ]

    /// On hosts of version 1, with hierarchies that are mounted for the test.
    static let networks = ResourceCase(
        name: "network",
        resources: #"{"network": {"classID": 1048577, "priorities": [{"name": "lo", "priority": 5}]}}"#,
        v1: ["net_cls.classid": "1048577", "net_prio.ifpriomap": "lo 5"])
    static let hugePages = ResourceCase(
        name: "huge pages",
        resources: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194305}]}"#,
        v1: ["hugetlb.2MB.limit_in_bytes": "4194304", "hugetlb.2MB.rsvd.limit_in_bytes": "4194304"],
        differences: noReservations)

    /// - Parameter device: of RDMA, as in /sys/class/infiniband.
    static func rdma(_ device: String) -> ResourceCase {
        ResourceCase(
            name: "rdma", resources: #"{"rdma": {"\#(device)": {"hcaHandles": 3, "hcaObjects": 10000}}}"#,
            v2: ["rdma.max": device + " hca_handle=3 hca_object=10000"])
    }
}
