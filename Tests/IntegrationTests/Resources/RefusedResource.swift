import TestSupport
import Testing

/// One `linux.resources` that cannot be set.
struct RefusedResource: Sendable, CustomTestStringConvertible {
    /// JSON, as that of `ResourceCase`.
    let resources: String
    /// What gantry's error contains, first the place.
    let says: String
    /// The versions of cgroups that it is about.
    var versions = [1, 2]
    /// Why the peer takes it, or may.
    var peerTakesIt: String?

    var testDescription: String { "v\(versions) " + resources }
}

extension RefusedResource {
    private static let ignored = "runc leaves out what version 2 has no file for; crun refuses it"

    static let all: [RefusedResource] = memory + processors + others

    private static let memory: [RefusedResource] = [
        RefusedResource(
            resources: #"{"memory": {"limit": 67108864, "swap": 33554432}}"#,
            says: "linux.resources.memory.swap: must not be less than memory.limit"),
        RefusedResource(
            resources: #"{"memory": {"swap": 33554432}}"#,
            says: "linux.resources.memory.swap: needs a memory.limit"),
        RefusedResource(
            resources: #"{"memory": {"limit": -1, "swap": 33554432}}"#,
            says: "linux.resources.memory.swap: needs a memory.limit", versions: [1]),
        RefusedResource(
            resources: #"{"memory": {"limit": -2}}"#, says: "linux.resources.memory.limit: must be"),
        RefusedResource(
            resources: #"{"memory": {"reservation": -7}}"#,
            says: "linux.resources.memory.reservation: must be"),
        RefusedResource(
            resources: #"{"memory": {"swappiness": 101}}"#,
            says: "linux.resources.memory.swappiness: must be 0…100",
            versions: [1]),
        RefusedResource(
            resources: #"{"memory": {"swappiness": 10}}"#,
            says: "linux.resources.memory.swappiness: cgroup v2 has no",
            versions: [2], peerTakesIt: ignored),
        RefusedResource(
            resources: #"{"memory": {"disableOOMKiller": true}}"#,
            says: "linux.resources.memory.disableOOMKiller: ",
            versions: [2], peerTakesIt: ignored),
        RefusedResource(
            resources: #"{"memory": {"limit": 4096}}"#,
            says: "linux.resources.memory.limit: 4096 bytes are "
                + (Machine.usesSystemd ? "" : "too few for the container to start: the kernel killed")),
    ]

    private static let processors: [RefusedResource] = [
        RefusedResource(
            resources: #"{"cpu": {"shares": 1}}"#, says: "linux.resources.cpu.shares: the minimum",
            versions: [1]),
        RefusedResource(
            resources: #"{"cpu": {"shares": 262145}}"#, says: "linux.resources.cpu.shares: the maximum",
            versions: [1]),
        RefusedResource(resources: #"{"cpu": {"quota": 1}}"#, says: "linux.resources.cpu.quota: the kernel"),
        RefusedResource(
            resources: #"{"cpu": {"period": 999}}"#, says: "linux.resources.cpu.period: the kernel"),
        RefusedResource(
            resources: #"{"cpu": {"period": 1000001}}"#, says: "linux.resources.cpu.period: the kernel"),
        RefusedResource(
            resources: #"{"cpu": {"cpus": "0-4095"}}"#, says: "linux.resources.cpu.cpus: the kernel"),
        RefusedResource(
            resources: #"{"cpu": {"cpus": "none"}}"#,
            says: "linux.resources.cpu.cpus: " + (Machine.usesSystemd ? "must be a list" : "the kernel")),
        RefusedResource(resources: #"{"cpu": {"mems": "99"}}"#, says: "linux.resources.cpu.mems: the kernel"),
        RefusedResource(
            resources: #"{"cpu": {"realtimeRuntime": 1000}}"#,
            says: "linux.resources.cpu.realtimeRuntime: cgroup v2",
            versions: [2], peerTakesIt: ignored),
        RefusedResource(
            resources: #"{"cpu": {"idle": 2}}"#, says: "linux.resources.cpu.idle: must be 0 or 1",
            peerTakesIt: "runc 1.1 does not know it"),
    ]

    private static let others: [RefusedResource] = [
        RefusedResource(
            resources: #"{"pids": {"limit": 4194305}}"#,
            says: "linux.resources.pids.limit: the kernel does not accept"),
        RefusedResource(
            resources: #"{"blockIO": {"weight": 1001}}"#,
            says: "linux.resources.blockIO.weight: must be 10…1000"),
        RefusedResource(
            resources: #"{"blockIO": {"leafWeight": 100}}"#, says: "linux.resources.blockIO.leafWeight: ",
            versions: [1]),
        RefusedResource(
            resources: #"{"blockIO": {"leafWeight": 100}}"#, says: "linux.resources.blockIO.leafWeight: ",
            versions: [2], peerTakesIt: ignored),
        RefusedResource(
            resources: #"{"blockIO": {"weightDevice": [{"major": 4095, "minor": 3, "weight": 100}]}}"#,
            says: "linux.resources.blockIO.weightDevice[0].weight: ", versions: [1]),
        RefusedResource(
            resources: #"{"blockIO": {"weightDevice": [{"major": 4095, "minor": 3, "weight": 100}]}}"#,
            says: "linux.resources.blockIO.weightDevice[0].weight: ", versions: [2],
            peerTakesIt: "without BFQ runc leaves it out; crun refuses it"),
        RefusedResource(
            resources:
                #"{"blockIO": {"throttleWriteBpsDevice": [{"major": 4095, "minor": 3, "rate": 100}]}}"#,
            says: "linux.resources.blockIO.throttleWriteBpsDevice[0]: there is no such device"),
        RefusedResource(
            resources: #"{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}"#,
            says:
                "linux.resources.hugepageLimits[0]: needs the cgroup controller hugetlb, which is not mounted",
            versions: [1]),
        RefusedResource(
            resources: #"{"hugepageLimits": [{"pageSize": "3MB", "limit": 0}]}"#,
            says: "linux.resources.hugepageLimits[0]: this kernel has no hugetlb.3MB.max", versions: [2]),
        RefusedResource(
            resources: #"{"network": {"classID": 5}}"#,
            says:
                "linux.resources.network.classID: needs the cgroup controller net_cls, which is not mounted",
            versions: [1]),
        RefusedResource(
            resources: #"{"network": {"classID": 5}}"#,
            says: "linux.resources.network.classID: cgroup v2 has no",
            versions: [2], peerTakesIt: ignored),
        RefusedResource(
            resources: #"{"rdma": {"none0": {"hcaHandles": 3}}}"#,
            says: "linux.resources.rdma[\"none0\"]: needs the cgroup controller rdma, which is not mounted",
            versions: [1]),
        RefusedResource(
            resources: #"{"rdma": {"none0": {"hcaHandles": 3}}}"#,
            says: "linux.resources.rdma[\"none0\"]: ", versions: [2]),
        RefusedResource(
            resources: #"{"unified": {"pids.max": "5"}}"#,
            says: "linux.resources.unified: names files of cgroup v2",
            versions: [1]),
        RefusedResource(
            resources: #"{"unified": {"../pids.max": "5"}}"#,
            says: "linux.resources.unified[\"../pids.max\"]: must be the name of a cgroup file"),
        RefusedResource(
            resources: #"{"unified": {"memory": "5"}}"#,
            says: "linux.resources.unified[\"memory\"]: must be the name of a cgroup file", versions: [2]),
        RefusedResource(
            resources: #"{"unified": {"nothing.max": "5"}}"#,
            says: "linux.resources.unified[\"nothing.max\"]: needs the cgroup controller nothing: ",
            versions: [2]),
        RefusedResource(
            resources: #"{"unified": {"memory.none": "5"}}"#,
            says: "linux.resources.unified[\"memory.none\"]: this kernel has no memory.none", versions: [2]),
        RefusedResource(
            resources: #"{"unified": {"memory.high": "much"}}"#,
            says: "linux.resources.unified[\"memory.high\"]: "
                + (Machine.usesSystemd
                    ? "\"much\" is no value for memory.high" : "the kernel does not accept much"),
            versions: [2]),
        RefusedResource(
            resources: #"{"unified": {"cgroup.freeze": "0"}}"#,
            says: "linux.resources.unified[\"cgroup.freeze\"]: is no setting", versions: [2],
            peerTakesIt: "an act, not a limit: a frozen container would never start"),
    ]
}
