import Foundation
import Testing

/// `features` tells what is true: what it lists can be planned, and what it does not list is refused as unsupported.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct FeaturesTests {
    typealias JSON = [String: Any]

    private static func features(_ runtime: String = Machine.gantry) async throws -> JSON {
        let outcome = try await Command.run(runtime, ["features"])
        #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? JSON)
    }

    private static func list(_ features: JSON, _ path: String) throws -> [String] {
        try #require(features.value(path.split(separator: ".").map(String.init)) as? [String], "\(path)")
    }

    /// Plans the configuration; `isListed` is what `features` says of it.
    private func expect(
        _ isListed: Bool, _ what: String, _ container: TestContainer, _ change: (TestContainer) throws -> Void
    ) async throws {
        let before = container.config
        try change(container)
        try container.save()
        let outcome = try await container.gantry("plan", "--bundle", container.bundle)
        if isListed {
            // What gantry can do, this host need not be able to.
            let isMissing = outcome.stderr.contains("needs the cgroup controller")
            #expect(outcome.code == 0 || isMissing, "\(what): \(outcome)")
        } else {
            #expect(outcome.code == 1, "\(what): \(outcome)")
            #expect(
                outcome.stderr.contains("not supported yet")
                    || outcome.stderr.contains("is for mounts that exist already"), "\(what): \(outcome)")
        }
        container.config = before
    }

    @Test func versionsAreAccepted() async throws {
        let features = try await Self.features()
        #expect(features["ociVersionMin"] as? String == "1.0.0")
        #expect(features["ociVersionMax"] as? String == "1.3.0")
        try await TestContainer.with { container in
            for key in ["ociVersionMin", "ociVersionMax"] {
                try await expect(true, key, container) { try $0.set("ociVersion", features[key]) }
            }
        }
    }

    @Test func hooks() async throws {
        let listed = try Self.list(try await Self.features(), "hooks")
        try await TestContainer.with { container in
            for kind in [
                "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
            ] {
                try await expect(listed.contains(kind), kind, container) {
                    try $0.set("hooks." + kind, [["path": "/bin/true"]])
                }
            }
        }
    }

    @Test func namespaces() async throws {
        let listed = try Self.list(try await Self.features(), "linux.namespaces")
        try await TestContainer.with { container in
            for kind in ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"] {
                try await expect(listed.contains(kind), kind, container) { container in
                    let namespaces = try #require(container.value("linux.namespaces") as? [JSON])
                    try container.set(
                        "linux.namespaces",
                        namespaces.filter { $0["type"] as? String != kind } + [["type": kind]])
                    guard kind == "user" else { return }
                    for mapping in ["linux.uidMappings", "linux.gidMappings"] {
                        try container.set(mapping, [["containerID": 0, "hostID": 100_000, "size": 65536]])
                    }
                }
            }
        }
    }

    /// Each option that gantry or a peer knows. (What no row of the table has is the file system's.)
    @Test func mountOptions() async throws {
        let listed = try Self.list(try await Self.features(), "mountOptions")
        #expect(listed.contains("rro"))
        #expect(Set(listed).count == listed.count)
        if let runc = Machine.runc {
            let others = try Self.list(try await Self.features(runc), "mountOptions")
            #expect(Set(others).subtracting(listed).isSubset(of: ["remount"]))
        }
        try await TestContainer.with { container in
            for option in Set(listed).union(["tmpcopyup", "idmap", "ridmap", "remount"]).sorted() {
                let isBind = ["bind", "rbind"].contains(option) || option.hasSuffix("idmap")
                try await expect(listed.contains(option), option, container) { container in
                    var mount: JSON = ["destination": "/tmp", "source": "/tmp"]
                    mount["options"] = isBind ? [option, "bind"] : [option]
                    if !isBind { mount["type"] = "tmpfs" }
                    try container.set("mounts", (container.value("mounts") as! [JSON]) + [mount])
                }
            }
        }
    }

    @Test func systemCallFilters() async throws {
        let features = try await Self.features()
        let actions = try Self.list(features, "linux.seccomp.actions")
        try await TestContainer.with { container in
            for action in [
                "KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY",
            ].map({ "SCMP_ACT_" + $0 }) {
                try await expect(actions.contains(action), action, container) {
                    try $0.set("linux.seccomp.defaultAction", "SCMP_ACT_ALLOW")
                    try $0.set("linux.seccomp.syscalls", [["names": ["swapon"], "action": action] as JSON])
                }
            }
            for operation in try Self.list(features, "linux.seccomp.operators") {
                try await expect(true, operation, container) {
                    try $0.set("linux.seccomp.defaultAction", "SCMP_ACT_ALLOW")
                    let argument: JSON = ["index": 0, "value": 1, "valueTwo": 1, "op": operation]
                    let rule: JSON = ["names": ["swapon"], "action": "SCMP_ACT_ERRNO", "args": [argument]]
                    try $0.set("linux.seccomp.syscalls", [rule])
                }
            }
            try await expect(true, "architectures", container) {
                try $0.set("linux.seccomp.defaultAction", "SCMP_ACT_ALLOW")
                try $0.set("linux.seccomp.architectures", try Self.list(features, "linux.seccomp.archs"))
                try $0.set("linux.seccomp.flags", try Self.list(features, "linux.seccomp.knownFlags"))
            }
        }
    }

    /// A flag that is listed as supported is one that the kernel takes.
    @Test func flagsOfSystemCallFilters() async throws {
        let features = try await Self.features()
        let supported = try Self.list(features, "linux.seccomp.supportedFlags")
        #expect(Set(supported).isSubset(of: try Self.list(features, "linux.seccomp.knownFlags")))
        #expect(!supported.isEmpty)
        try await TestContainer.with { container in
            for flag in supported {
                try container.set("linux.seccomp.defaultAction", "SCMP_ACT_ALLOW")
                try container.set("linux.seccomp.flags", [flag])
                let outcome = try await container.run()
                #expect(outcome.code == 0, "\(flag): \(outcome)")
            }
        }
    }

    @Test func otherProperties() async throws {
        let features = try await Self.features()
        let mapping = ["containerID": 0, "hostID": 100_000, "size": 1]
        let cases: [(feature: String, property: String, value: Any)] = [
            ("linux.selinux.enabled", "linux.mountLabel", "label"),
            ("linux.intelRdt.enabled", "linux.intelRdt.closID", "class"),
            ("linux.netDevices.enabled", "linux.netDevices", ["eth0": [:] as JSON]),
            ("linux.cgroup.rdma", "linux.resources.rdma", ["mlx5_1": ["hcaHandles": 3]]),
            (
                "linux.mountExtensions.idmap.enabled", "mounts",
                [
                    [
                        "destination": "/mnt", "source": "/tmp", "options": ["bind"],
                        "uidMappings": [mapping],
                        "gidMappings": [mapping],
                    ] as JSON
                ]
            ),
        ]
        try await TestContainer.with { container in
            for (feature, property, value) in cases {
                let isListed = try #require(
                    features.value(feature.split(separator: ".").map(String.init)) as? Bool, "\(feature)")
                try await expect(isListed, feature, container) { try $0.set(property, value) }
            }
            let modes = try Self.list(features, "linux.memoryPolicy.modes")
            try await expect(modes.contains("MPOL_BIND"), "memory policies", container) {
                try $0.set("linux.memoryPolicy", ["mode": "MPOL_BIND", "nodes": "0"])
            }
        }
    }

    /// "enabled" is about the program, "unrelated to whether the host" has it (features-linux.md).
    @Test func appArmor() async throws {
        let features = try await Self.features()
        #expect(features.value(["linux", "apparmor", "enabled"]) as? Bool == true)
        try await TestContainer.with { container in
            try container.set("process.apparmorProfile", "unconfined")
            let outcome = try await container.run()
            let enabled = try? String(
                contentsOfFile: "/sys/module/apparmor/parameters/enabled", encoding: .utf8)
            if enabled?.hasPrefix("Y") == true {
                #expect(outcome.code == 0, "\(outcome)")
            } else {
                #expect(
                    outcome.stderr
                        == "gantry: process.apparmorProfile: AppArmor is not enabled on this host\n",
                    "\(outcome)")
            }
        }
    }

    /// Names that the kernel knows are names that gantry knows.
    @Test func capabilities() async throws {
        let listed = try Self.list(try await Self.features(), "linux.capabilities")
        let last = try #require(
            Int(
                try String(contentsOfFile: "/proc/sys/kernel/cap_last_cap", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(listed.count >= last + 1)
        #expect(listed.allSatisfy { $0.hasPrefix("CAP_") })
    }

    /// `SystemdTests` show that it is so.
    @Test func cgroupManagers() async throws {
        let features = try await Self.features()
        #expect(features.value(["linux", "cgroup", "systemd"]) as? Bool == true)
        // Containers of other users than root are refused.
        #expect(features.value(["linux", "cgroup", "systemdUser"]) as? Bool == false)
        let unsafe = try #require(features["potentiallyUnsafeConfigAnnotations"] as? [String])
        #expect(unsafe.contains("org.systemd.property."))
    }
}
