import Diagnostics
import OCI
import Testing

@testable import Cgroups

@Suite struct BlockIOTests {
    typealias This = ResourceSettingsTests
    typealias BlockIO = Resources.BlockIO

    private func settings(
        _ version: ResourceSettings.Version, _ change: (inout BlockIO) -> Void
    ) throws(Failure) -> [Setting] {
        var resources = Resources()
        resources.blockIO = BlockIO()
        change(&resources.blockIO!)
        return try ResourceSettings(resources, version).settings
    }

    private func written(
        _ version: ResourceSettings.Version, _ change: (inout BlockIO) -> Void
    ) throws(Failure) -> [String] {
        try settings(version, change).map { "\($0.file)=\($0.value)" }
    }

    private func failure(_ version: ResourceSettings.Version, _ change: (inout BlockIO) -> Void) -> String {
        do { return "no failure: \(try written(version, change))" } catch { return error.description }
    }

    /// 1 + (weight − 10) · 9999 / 990, rounded down, as runc and crun have it.
    @Test(
        arguments: [
            (1, 1), (9, 1), (10, 1), (11, 11), (100, 910), (109, 1000), (500, 4950), (999, 9989),
            (1000, 10_000),
        ] as [(UInt16, UInt64)])
    func weight(ofBlockIO: UInt16, weight: UInt64) {
        #expect(IOWeight.weight(ofBlockIO: ofBlockIO) == weight)
    }

    @Test func weights() throws {
        #expect(try written(.v1) { $0.weight = 500 } == ["blkio.bfq.weight=500"])
        let setting = try #require(try settings(.v2) { $0.weight = 500 }.first)
        #expect(setting.controller == "io")
        #expect("\(setting.file)=\(setting.value)" == "io.bfq.weight=500")
        #expect(setting.fallback == Setting.Fallback(file: "io.weight", value: "4950"))
        let devices: (inout BlockIO) -> Void = {
            $0.weightDevice = [
                .init(major: 8, minor: 0, weight: 1000), .init(major: 8, minor: 16, weight: 0),
                .init(major: 8, minor: 32),
            ]
        }
        #expect(try written(.v1, devices) == ["blkio.bfq.weight_device=8:0 1000"])
        #expect(try written(.v2, devices) == ["io.bfq.weight=8:0 1000"])
        #expect(try settings(.v2, devices)[0].fallback == .init(file: "io.weight", value: "8:0 10000"))
    }

    @Test func throttles() throws {
        let limits: (inout BlockIO) -> Void = {
            $0.throttleReadBpsDevice = [
                .init(major: 8, minor: 0, rate: 1), .init(major: 9, minor: 1, rate: 0),
            ]
            $0.throttleWriteBpsDevice = [.init(major: 8, minor: 0, rate: .max)]
            $0.throttleReadIOPSDevice = [.init(major: 0, minor: 0, rate: 3)]
            $0.throttleWriteIOPSDevice = [.init(major: 8, minor: 1_048_575, rate: 4)]
        }
        #expect(
            try written(.v1, limits) == [
                "blkio.throttle.read_bps_device=8:0 1", "blkio.throttle.read_bps_device=9:1 0",
                "blkio.throttle.write_bps_device=8:0 18446744073709551615",
                "blkio.throttle.read_iops_device=0:0 3", "blkio.throttle.write_iops_device=8:1048575 4",
            ])
        #expect(
            try written(.v2, limits) == [
                "io.max=8:0 rbps=1", "io.max=9:1 rbps=max", "io.max=8:0 wbps=18446744073709551615",
                "io.max=0:0 riops=3", "io.max=8:1048575 wiops=4",
            ])
    }

    @Test func refused() {
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(
                failure(version) { $0.weight = 1001 } == "linux.resources.blockIO.weight: must be 10…1000")
            #expect(
                failure(version) { $0.leafWeight = 10 }.hasPrefix("linux.resources.blockIO.leafWeight: leaf"))
            #expect(
                failure(version) { $0.weightDevice = [.init(major: 8, minor: 0, leafWeight: 10)] }
                    .hasPrefix("linux.resources.blockIO.weightDevice[0].leafWeight: leaf"))
            #expect(
                failure(version) {
                    $0.weightDevice = [
                        .init(major: 8, minor: 0, weight: 10), .init(major: -1, minor: 0, weight: 10),
                    ]
                } == "linux.resources.blockIO.weightDevice[1]: must have a major and a minor number from 0 on"
            )
            #expect(
                failure(version) { $0.throttleWriteIOPSDevice = [.init(major: 8, minor: -1, rate: 1)] }
                    .hasPrefix("linux.resources.blockIO.throttleWriteIOPSDevice[0]: must have"))
        }
    }

    /// What docker writes when nothing was asked for.
    @Test func zerosAreUnset() throws {
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(
                try written(version) {
                    $0.weight = 0
                    $0.leafWeight = 0
                } == [])
        }
    }
}

@Suite struct OtherResourceTests {
    typealias This = ResourceSettingsTests

    @Test func hugePages() throws {
        let limits: (inout Resources) -> Void = {
            $0.hugepageLimits = [.init(pageSize: "2MB", limit: 0), .init(pageSize: "1GB", limit: .max)]
        }
        #expect(
            try This.written(.v1, limits) == [
                "hugetlb.2MB.limit_in_bytes=0", "hugetlb.2MB.rsvd.limit_in_bytes=0",
                "hugetlb.1GB.limit_in_bytes=18446744073709551615",
                "hugetlb.1GB.rsvd.limit_in_bytes=18446744073709551615",
            ])
        #expect(
            try This.written(.v2, limits) == [
                "hugetlb.2MB.max=0", "hugetlb.2MB.rsvd.max=0", "hugetlb.1GB.max=18446744073709551615",
                "hugetlb.1GB.rsvd.max=18446744073709551615",
            ])
        var resources = Resources()
        limits(&resources)
        let missing = try ResourceSettings(resources, .v2).settings.map(\.mayBeMissing)
        #expect(missing == [false, true, false, true])
    }

    @Test func networks() throws {
        var resources = Resources()
        resources.network = .init()
        resources.network?.classID = 0x10_0001
        resources.network?.priorities = [.init(name: "lo", priority: 5), .init(name: "eth0", priority: .max)]
        let settings = try ResourceSettings(resources, .v1).settings
        #expect(
            settings.map { "\($0.controller) \($0.file)=\($0.value)" } == [
                "net_cls net_cls.classid=1048577", "net_prio net_prio.ifpriomap=lo 5",
                "net_prio net_prio.ifpriomap=eth0 4294967295",
            ])
        #expect(
            This.failure(.v2) { $0 = resources }.hasPrefix(
                "linux.resources.network.classID: cgroup v2 has no"))
        resources.network?.classID = 0
        #expect(
            This.failure(.v2) { $0 = resources }.hasPrefix(
                "linux.resources.network.priorities: cgroup v2 has no"))
        resources.network?.priorities = []
        #expect(try ResourceSettings(resources, .v2).settings == [])
    }

    @Test func rdma() throws {
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(
                try This.written(version) {
                    $0.rdma = [
                        .init(device: "mlx5_1", hcaHandles: 3, hcaObjects: 0),
                        .init(device: "a", hcaObjects: 1),
                        .init(device: "b", hcaHandles: .max),
                    ]
                } == [
                    "rdma.max=mlx5_1 hca_handle=3 hca_object=0", "rdma.max=a hca_object=1",
                    "rdma.max=b hca_handle=4294967295",
                ])
        }
    }

    @Test func unified() throws {
        var resources = Resources()
        resources.pids = .init(limit: 5)
        resources.unified = [
            .init("io.max", "8:0 rbps=1\n8:16 wiops=2\n"), .init("cgroup.max.depth", "3"),
            .init("memory.high", ""), .init("pids.max", "7"), .init("cpu.weight.nice", "-1"),
        ]
        let settings = try ResourceSettings(resources, .v2).settings
        #expect(
            settings.map { "\($0.controller) \($0.file)=\($0.value)" } == [
                "pids pids.max=5", "io io.max=8:0 rbps=1", "io io.max=8:16 wiops=2", " cgroup.max.depth=3",
                "pids pids.max=7", "cpu cpu.weight.nice=-1",
            ])
        #expect(settings[1].place == "linux.resources.unified[\"io.max\"]")
        #expect(
            This.failure(.v1) { $0 = resources }.hasPrefix(
                "linux.resources.unified: names files of cgroup v2"))
    }

    /// A list is the kernel's to read, however long it is.
    @Test func moreThan1024CPUs() throws {
        let list = (0..<4096).map { String($0 * 2) }.joined(separator: ",")
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(
                try This.written(version) {
                    $0.cpu = .init()
                    $0.cpu?.cpus = list
                } == ["cpuset.cpus=" + list])
        }
    }
}

@Suite struct KeyedFileTests {
    @Test(
        arguments: [
            ("8:0 5", "blkio.throttle.read_bps_device", "7:0 1\n8:0 9", ["8:0 9"]),
            ("8:0 5", "blkio.throttle.write_iops_device", "", ["8:0 0"]),
            ("8:0 5", "blkio.throttle.read_bps_device", "18:0 1\n8:00 9", ["8:0 0"]),
            ("8:0 5", "blkio.bfq.weight_device", "default 100\n8:0 7", ["8:0 7"]),
            ("8:0 5", "blkio.bfq.weight_device", "default 100", ["8:0 default"]),
            ("5", "io.weight", "default 100\n8:0 7", ["default 100"]),
            ("default 5", "io.weight", "default 100\n8:0 7", ["default 100"]),
            ("8:0 5", "io.bfq.weight", "default 100", ["8:0 default"]),
            // BFQ before Linux 5.4.
            ("5", "io.bfq.weight", "100", ["100"]),
            ("8:0 rbps=5", "io.max", "8:0 rbps=9 wbps=max riops=max wiops=4", ["8:0 rbps=9"]),
            ("8:0 wiops=5 rbps=2", "io.max", "8:0 rbps=9 wbps=max riops=max wiops=4", ["8:0 wiops=4 rbps=9"]),
            ("8:0 rbps=5 wbps=6", "io.max", "8:16 rbps=9", ["8:0 rbps=max wbps=max"]),
            ("8:0 rbps=5", "io.max", "", ["8:0 rbps=max"]),
            (
                "mlx4_0 hca_object=5", "rdma.max", "mlx4_0 hca_handle=2 hca_object=max",
                ["mlx4_0 hca_object=max"]
            ),
            ("eth0 5", "net_prio.ifpriomap", "lo 0\neth0 3", ["eth0 3"]),
            ("res_a 5", "misc.max", "res_b 3", ["res_a max"]),
            ("8:0 target=5", "io.latency", "", ["8:0 target=max"]),
            ("5", "memory.high", "max", ["max"]),
            ("0-1", "cpuset.cpus", "", [""]),
            ("a 1", "new.keyed", "a 0\nb 1", ["a 0", "b 1"]),
        ] as [(String, String, String, [String])])
    func undo(line: String, file: String, content: String, undo: [String]) {
        #expect(KeyedFile.undo(line, of: file, content: content) == undo)
    }
}
