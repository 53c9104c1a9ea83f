import DBus
import Diagnostics
import OCI
import Testing

@testable import Cgroups

/// Units and their places, against systemd.unit(5), systemd.slice(5) and what `systemd-escape` says.
@Suite struct ScopeTests {
    static let cases: [(path: String?, id: String, unit: String, slice: String, directory: String)] = [
        (nil, "web", "gantry-web.scope", "system.slice", "/system.slice/gantry-web.scope"),
        ("", "web", "gantry-web.scope", "system.slice", "/system.slice/gantry-web.scope"),
        ("::x", "web", "x.scope", "system.slice", "/system.slice/x.scope"),
        (":docker:1234", "web", "docker-1234.scope", "system.slice", "/system.slice/docker-1234.scope"),
        (
            "kubepods-burstable-pod1.slice:crio:ab", "web", "crio-ab.scope", "kubepods-burstable-pod1.slice",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/crio-ab.scope"
        ),
        ("-.slice:a:b", "web", "a-b.scope", "-.slice", "/a-b.scope"),
        (nil, "a+b", "gantry-a\\x2bb.scope", "system.slice", "/system.slice/gantry-a\\x2bb.scope"),
        ("a.slice::_x", "web", "_x.scope", "a.slice", "/a.slice/__x.scope"),
        ("cpu.slice::memory", "web", "memory.scope", "cpu.slice", "/_cpu.slice/_memory.scope"),
        (
            "user.slice:libpod:a b", "web", "libpod-a\\x20b.scope", "user.slice",
            "/user.slice/libpod-a\\x20b.scope"
        ),
    ]

    @Test(arguments: cases)
    func names(_ sample: (path: String?, id: String, unit: String, slice: String, directory: String)) throws {
        let scope = try Scope(sample.path, id: sample.id, isUser: false)
        #expect(scope.unit == sample.unit)
        #expect(scope.slice == sample.slice)
        #expect(scope.path == sample.directory)
    }

    @Test func user() throws {
        #expect(try Scope(nil, id: "web", isUser: true).slice == "user.slice")
    }

    @Test(arguments: [
        "/abs/path", "relative", "a:b", "a:b:c:d", "system.slice:a:", "nosuffix:a:b", ".slice:a:b",
        "a--b.slice:a:b",
        "-a.slice:a:b", "a-.slice:a:b", "../x.slice:a:b", "a/b.slice:a:b", "system.slice:a:x.slice",
        "a b.slice:a:b",
        "system.slice:a:" + String(repeating: "x", count: 250),
        String(repeating: "x", count: 250) + ".slice:a:b",
    ])
    func refused(_ path: String) {
        #expect { try Scope(path, id: "web", isUser: false) } throws: {
            ($0 as? Failure)?.place == "linux.cgroupsPath"
        }
    }

    @Test(arguments: ["a/b", "..", ".", "a\nb", String(repeating: "x", count: 256)])
    func refusedSubgroups(_ name: String) {
        #expect(throws: Failure.self) { try Scope(nil, id: "web", subgroup: name, isUser: false) }
    }

    @Test func directories() throws {
        var spec = try config()
        spec.annotations = [Spec.Entry("run.oci.systemd.subgroup", "container")]
        let session = try ScopeSession(
            try Scope("a-b.slice:p:n", id: "web", subgroup: "container", isUser: false), spec, id: "web",
            isUnified: true)
        let layout = Layout(hierarchies: [
            Layout.Hierarchy(controllers: [], isUnified: true, mountPoint: "/sys/fs/cgroup")
        ])
        let root = OwnCgroups(Array("0::/guest\n".utf8))
        let plan = try CgroupPlan(spec, scope: session, root: root, layout: layout)
        #expect(
            plan.cgroup.directories.map(\.path) == [
                "/sys/fs/cgroup/guest/a.slice/a-b.slice/p-n.scope/container"
            ])
        #expect(plan.scopeUnit == ScopeUnit(name: "p-n.scope", isUser: false))
    }

    private func config() throws -> Spec {
        try Spec.load(json: Array(#"{"ociVersion":"1.0.2","root":{"path":"r"}}"#.utf8))
    }
}

/// Resources as properties of units, against systemd.resource-control(5) and what runc sets.
@Suite struct UnitPropertyTests {
    private func properties(
        _ resources: String, v1: Bool = false, version: Int = 257
    ) throws -> [String: Value] {
        let loaded = try Spec.Linux.Resources.load(json: Array(resources.utf8), name: "resources")
        let settings = try ResourceSettings(loaded, v1 ? .v1 : .v2).settings
        let properties = try UnitProperty.properties(of: settings, version: version)
        return Dictionary(uniqueKeysWithValues: properties.map { ($0.name, $0.value) })
    }

    @Test func nothing() throws {
        #expect(try properties("{}") == [:])
        #expect(try properties(#"{"memory":{"limit":0},"cpu":{"shares":0,"quota":0}}"#) == [:])
    }

    @Test func memory() throws {
        #expect(
            try properties(#"{"memory":{"limit":67108864,"reservation":1048576,"swap":134217728}}"#) == [
                "MemoryMax": .uint64(67_108_864), "MemoryLow": .uint64(1_048_576),
                "MemorySwapMax": .uint64(67_108_864),
            ])
        #expect(
            try properties(#"{"memory":{"limit":-1}}"#) == [
                "MemoryMax": .uint64(.max), "MemorySwapMax": .uint64(.max),
            ])
        #expect(try properties(#"{"memory":{"limit":4096}}"#, v1: true) == ["MemoryLimit": .uint64(4096)])
    }

    /// Hundredths of a CPU, rounded up.
    @Test(arguments: [
        ("20000", "100000", 200_000), ("12345", "50000", 250_000), ("1000", "100000", 10_000),
        ("1001", "100000", 20_000), ("400000", "100000", 4_000_000), ("1", "1000000", 10_000),
    ])
    func quota(_ quota: String, _ period: String, _ perSecond: UInt64) throws {
        let both = #"{"cpu":{"quota":\#(quota),"period":\#(period)}}"#
        for v1 in [false, true] {
            #expect(
                try properties(both, v1: v1) == [
                    "CPUQuotaPeriodUSec": .uint64(UInt64(period)!), "CPUQuotaPerSecUSec": .uint64(perSecond),
                ])
        }
    }

    @Test func quotaAlone() throws {
        #expect(try properties(#"{"cpu":{"quota":50000}}"#) == ["CPUQuotaPerSecUSec": .uint64(500_000)])
        #expect(
            try properties(#"{"cpu":{"period":50000}}"#) == [
                "CPUQuotaPeriodUSec": .uint64(50_000), "CPUQuotaPerSecUSec": .uint64(.max),
            ])
        #expect(try properties(#"{"cpu":{"quota":-1}}"#)["CPUQuotaPerSecUSec"] == .uint64(.max))
        // Nobody has so many; it is no trap.
        #expect(
            try properties(#"{"cpu":{"quota":9223372036854775807}}"#)["CPUQuotaPerSecUSec"] == .uint64(.max))
    }

    @Test func cpu() throws {
        #expect(try properties(#"{"cpu":{"shares":1024}}"#) == ["CPUWeight": .uint64(100)])
        #expect(try properties(#"{"cpu":{"shares":1024}}"#, v1: true) == ["CPUShares": .uint64(1024)])
        #expect(try properties(#"{"cpu":{"shares":1024,"idle":1}}"#) == ["CPUWeight": .uint64(0)])
        #expect(
            try properties(#"{"cpu":{"shares":1024,"idle":1}}"#, version: 251) == [:])
        #expect(try properties(#"{"cpu":{"idle":0}}"#) == [:])
        #expect(
            try properties(#"{"cpu":{"cpus":"0-1,9","mems":"0"}}"#) == [
                "AllowedCPUs": .bytes([3, 2]), "AllowedMemoryNodes": .bytes([1]),
            ])
        #expect(throws: Failure.self) { try properties(#"{"cpu":{"cpus":"x"}}"#) }
    }

    @Test func pids() throws {
        #expect(try properties(#"{"pids":{"limit":7}}"#) == ["TasksMax": .uint64(7)])
        #expect(try properties(#"{"pids":{"limit":-1}}"#) == ["TasksMax": .uint64(.max)])
        #expect(try properties(#"{"pids":{"limit":0}}"#) == ["TasksMax": .uint64(1)])
    }

    @Test func blockIO() throws {
        let all = #"{"blockIO":{"weight":1000,"weightDevice":[{"major":8,"minor":0,"weight":500}]}}"#
        #expect(try properties(all) == ["IOWeight": .uint64(10000)])
        #expect(try properties(#"{"blockIO":{"weight":500}}"#, v1: true) == ["BlockIOWeight": .uint64(500)])
    }

    /// `unified` gets there by the same way: file by file.
    @Test func files() throws {
        func property(_ file: String, _ value: String) throws -> [UnitProperty] {
            try UnitProperty.properties(
                of: [Setting(controller: "", file: file, value: value, place: "")], version: 257)
        }
        #expect(try property("memory.high", "max") == [UnitProperty("MemoryHigh", .uint64(.max))])
        #expect(try property("memory.oom.group", "1") == [UnitProperty("OOMPolicy", .string("kill"))])
        #expect(try property("memory.oom.group", "0") == [UnitProperty("OOMPolicy", .string("continue"))])
        #expect(try property("memory.min", " 5\n") == [UnitProperty("MemoryMin", .uint64(5))])
        #expect(try property("io.weight", "default 200") == [UnitProperty("IOWeight", .uint64(200))])
        #expect(
            try property("cpu.max", "max 5000") == [
                UnitProperty("CPUQuotaPeriodUSec", .uint64(5000)),
                UnitProperty("CPUQuotaPerSecUSec", .uint64(.max)),
            ])
        #expect(try property("io.weight", "8:0 200").isEmpty)
        #expect(try property("hugetlb.2MB.max", "5").isEmpty)
        for (file, value) in [
            ("memory.high", "many"), ("memory.max", ""), ("cpu.max", "x"), ("cpuset.cpus", "-"),
        ] {
            #expect(throws: Failure.self) { try property(file, value) }
        }
    }

    @Test(
        arguments: [
            ("0", [1]), ("0-7", [255]), ("8", [0, 1]), ("0,2-3", [13]), ("0-7:1/2", [85]),
            ("0-15:2/8", [3, 3]),
            ("1023", [UInt8](repeating: 0, count: 127) + [128]),
            ("4095", [UInt8](repeating: 0, count: 511) + [128]),
            (" 1 , 3", [10]), ("", []), (",", []), ("1,", [2]), ("0,,2", [5]),
        ] as [(String, [UInt8])])
    func lists(_ text: String, _ bits: [UInt8]) {
        #expect(CPUList.bits(of: text) == bits)
    }

    @Test(arguments: [
        "a", "1-", "-1", "3-1", "1-2-3", "0-7:0/0", "0-7:3/2", "1:1/2", "65536", "99999999999",
        "0-7:1",
    ])
    func noLists(_ text: String) {
        #expect(CPUList.bits(of: text) == nil)
    }

    /// What stays is not told again, what is gone is taken back, and what only a start can set is left alone.
    @Test func changes() {
        let before = [
            UnitProperty("MemoryMax", .uint64(5)), UnitProperty("TasksMax", .uint64(7)),
            UnitProperty("AllowedCPUs", .bytes([1])), UnitProperty("OOMPolicy", .string("kill")),
        ]
        let after = [
            UnitProperty("TasksMax", .uint64(7)), UnitProperty("CPUWeight", .uint64(50)),
            UnitProperty("MemoryMax", .uint64(6)), UnitProperty("OOMPolicy", .string("continue")),
        ]
        #expect(
            UnitProperty.changes(from: before, to: after) == [
                UnitProperty("CPUWeight", .uint64(50)), UnitProperty("MemoryMax", .uint64(6)),
                UnitProperty("AllowedCPUs", .bytes([])),
            ])
        #expect(UnitProperty.changes(from: after, to: after) == [])
    }

    @Test func unset() {
        #expect(UnitProperty.unset("MemoryMax").value == .uint64(.max))
        #expect(UnitProperty.unset("MemoryLow").value == .uint64(0))
        #expect(UnitProperty.unset("AllowedCPUs").value == .bytes([]))
    }

    // MARK: Devices

    private func devices(_ rules: String) throws -> (policy: Value?, allowed: [String]) {
        let spec = try Spec.load(
            json: Array(
                #"{"ociVersion":"1.0.2","root":{"path":"r"},"linux":{"resources":{"devices":\#(rules)}}}"#
                    .utf8))
        let properties = UnitProperty.devices(try DevicePolicy(spec.linux?.resources?.devices ?? []))
        var allowed: [String] = []
        if case .array("(ss)", let entries) = properties.first(where: { $0.name == "DeviceAllow" })?.value {
            for case .structure(let parts) in entries {
                allowed.append(parts.map { $0.text ?? "?" }.joined(separator: " "))
            }
        }
        return (properties.first { $0.name == "DevicePolicy" }?.value, allowed)
    }

    @Test func allowList() throws {
        let (policy, allowed) = try devices(
            #"[{"allow":false},{"allow":true,"type":"b","major":8,"access":"r"},{"allow":true,"type":"c","major":1,"minor":11}]"#
        )
        #expect(policy == .string("strict"))
        for line in [
            "block-8 r", "/dev/char/1:11 rwm", "/dev/char/1:3 rwm", "char-136 rwm", "char-* m", "block-* m",
        ] {
            #expect(allowed.contains(line), "\(line) in \(allowed)")
        }
    }

    /// What is no list of what is allowed must not be made one: systemd would take devices away.
    @Test(arguments: [
        #"[{"allow":true}]"#, #"[{"allow":true},{"allow":false,"type":"b","major":8}]"#,
        #"[{"allow":false},{"allow":true,"type":"b","minor":3}]"#,
        #"[{"allow":true,"type":"b","major":8},{"allow":false,"type":"b","major":8,"minor":1}]"#,
    ])
    func noList(_ rules: String) throws {
        let (policy, allowed) = try devices(rules)
        #expect(policy == .string("auto"))
        #expect(allowed.isEmpty)
    }

    // MARK: Annotations

    private func annotated(_ key: String, _ value: String) throws -> [UnitProperty] {
        try UnitProperty.annotated([Spec.Entry("some.other", "x"), Spec.Entry(key, value)])
    }

    @Test func annotations() throws {
        #expect(
            try annotated("org.systemd.property.TimeoutStopUSec", "uint64 7000000") == [
                UnitProperty("TimeoutStopUSec", .uint64(7_000_000))
            ])
        #expect(
            try annotated("org.systemd.property.TimeoutStopSec", "7") == [
                UnitProperty("TimeoutStopUSec", .uint64(7_000_000))
            ])
        #expect(
            try annotated("org.systemd.property.TimeoutStopSec", "1.5") == [
                UnitProperty("TimeoutStopUSec", .uint64(1_500_000))
            ])
        #expect(
            try annotated("org.systemd.property.CollectMode", "'inactive'") == [
                UnitProperty("CollectMode", .string("inactive"))
            ])
    }

    @Test(arguments: [
        ("org.systemd.property.", "1"), ("org.systemd.property.Ab", "1"), ("org.systemd.property.A-b-c", "1"),
        ("org.systemd.property.Äbc", "1"), ("org.systemd.property.CollectMode", "inactive"),
        ("org.systemd.property.PIDs", "[uint32 1]"), ("org.systemd.property.Slice", "'a.slice'"),
        ("org.systemd.property.TimeoutStopSec", "'7'"), ("org.systemd.property.TimeoutStopSec", "-7"),
        ("org.systemd.property.TimeoutStopSec", "nan"),
    ])
    func wrongAnnotations(_ key: String, _ value: String) {
        #expect { try annotated(key, value) } throws: { ($0 as? Failure)?.place == "annotations[\"\(key)\"]" }
    }
}
