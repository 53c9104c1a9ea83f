import Foundation
import Testing

/// What is wrong about the process, the root and the limits.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct InvalidProcessTests {
    private static let cases: [Refusal] = [
        Refusal("process.args", [String](), says: "process.args: must not be empty"),
        Refusal("process.args", [""], says: "process.args[0]: must not be empty"),
        Refusal("process.cwd", "tmp", says: "process.cwd: must be an absolute path"),
        Refusal("process.cwd", "", says: "process.cwd: must not be empty"),
        Refusal(
            "process.cwd", "/etc/passwd",
            says: "process.cwd: cannot enter the working directory /etc/passwd: chdir: not a directory"),
        Refusal("process.env", ["=x"], says: "process.env[0]: \"=x\" has no name before the ="),
        Refusal(
            "process.user.umask", 0o1777, says: "process.user.umask: must be at most 0777 (511), is 1023"),
        Refusal(
            "process.rlimits", [["type": "RLIMIT_NOTHING", "soft": 1, "hard": 1] as [String: any Sendable]],
            says: "process.rlimits[0].type: unknown resource limit \"RLIMIT_NOTHING\""),
        Refusal(
            "process.rlimits", [["type": "RLIMIT_NPROC", "soft": 2, "hard": 1] as [String: any Sendable]],
            says: "process.rlimits[0].soft: 2 is more than the hard limit 1"),
        Refusal(
            "process.rlimits",
            [
                ["type": "RLIMIT_NPROC", "soft": 1, "hard": 1] as [String: any Sendable],
                ["type": "RLIMIT_NPROC", "soft": 1, "hard": 1],
            ], says: "process.rlimits[1].type: RLIMIT_NPROC is given twice"),
        // More than fs.nr_open ever is.
        Refusal(
            "process.rlimits",
            [["type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1 << 40] as [String: any Sendable]],
            says: """
                process.rlimits[0]: cannot set RLIMIT_NOFILE to 1024 (hard: 1099511627776) (raising a hard limit \
                needs CAP_SYS_RESOURCE, and fs.nr_open is the most there can be): prlimit64: operation not permitted
                """),
        Refusal(
            "process.oomScoreAdj", 1001, says: "process.oomScoreAdj: must be from -1000 to 1000, is 1001"),
        Refusal(
            "process.capabilities.effective", ["CAP_SYS_ADMIN"],
            says: "process.capabilities.effective[0]: CAP_SYS_ADMIN is not in the permitted set"),
        Refusal("root.path", "", says: "root.path: must not be empty"),
        Refusal(
            "root.path", "missing",
            says: "root.path: cannot open {bundle}/missing: openat: no such file or directory"),
        Refusal(
            "root.path", "/nowhere/at/all",
            says: "root.path: cannot open /nowhere/at/all: openat: no such file or directory"),
        Refusal(
            "root.path", "config.json",
            says: "root.path: cannot open {bundle}/config.json: openat: not a directory"),
        Refusal(
            "a rootfs that is a symlink to nowhere",
            says: "root.path: cannot open {bundle}/link: openat: no such file or directory"
        ) {
            try FileManager.default.createSymbolicLink(
                atPath: $0.bundle + "/link", withDestinationPath: "missing")
            try $0.set("root.path", "link")
        },
        Refusal("hostname without a uts namespace", says: "hostname: cannot be set without a uts namespace") {
            container in
            let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
            try container.set("linux.namespaces", namespaces.filter { $0["type"] as? String != "uts" })
        },
        Refusal(
            "hostname", String(repeating: "h", count: 65),
            says: "hostname: must have at most 64 bytes, has 65"),
    ]

    @Test(arguments: cases)
    func refused(_ refusal: Refusal) async throws { try await refusal.check() }

    private static let unsupported: [Refusal] =
        [
            Refusal(
                "process.scheduler", ["policy": "SCHED_BATCH"],
                says: "process.scheduler: scheduling policies are not supported yet"),
            Refusal(
                "process.ioPriority",
                ["class": "IOPRIO_CLASS_IDLE", "priority": 1] as [String: any Sendable],
                says: "process.ioPriority: I/O priorities are not supported yet"),
            Refusal(
                "process.execCPUAffinity", ["initial": "0"],
                says: "process.execCPUAffinity: CPU affinity is not supported yet"),
            Refusal(
                "linux.uidMappings", [["containerID": 0, "hostID": 1, "size": 1]],
                says: "linux.uidMappings: user namespaces are not supported yet"),
            Refusal(
                "linux.gidMappings", [["containerID": 0, "hostID": 1, "size": 1]],
                says: "linux.gidMappings: user namespaces are not supported yet"),
            Refusal(
                "linux.timeOffsets", ["boottime": ["secs": 1]],
                says: "linux.timeOffsets: time namespaces are not supported yet"),
            Refusal(
                "linux.netDevices", ["eth0": ["name": "x"]],
                says: "linux.netDevices: moving network devices is not supported yet"),
            Refusal("linux.intelRdt", ["closID": "x"], says: "linux.intelRdt: resctrl is not supported yet"),
            Refusal(
                "linux.memoryPolicy", ["mode": "MPOL_INTERLEAVE", "nodes": "0"],
                says: "linux.memoryPolicy: memory policies are not supported yet"),
            Refusal("linux.mountLabel", "x", says: "linux.mountLabel: SELinux is not supported yet"),
            Refusal(
                "linux.seccomp", ["defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"],
                says: "linux.seccomp.listenerPath: seccomp notification is not supported yet"),
            Refusal("user namespace", says: "linux.namespaces[5]: user namespaces are not supported yet") {
                container in
                let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
                try container.set("linux.namespaces", namespaces + [["type": "user"]])
            },
            Refusal("time namespace", says: "linux.namespaces[5]: time namespaces are not supported yet") {
                container in
                let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
                try container.set("linux.namespaces", namespaces + [["type": "time"]])
            },
            Refusal("mapped mount", says: "mounts[1].uidMappings: mapped ids are not supported yet") {
                $0.mounts[1]["uidMappings"] = [["containerID": 0, "hostID": 1, "size": 1]]
                try $0.save()
            },
        ]

    @Test("properties that are not executed yet", arguments: unsupported)
    func notYet(_ refusal: Refusal) async throws { try await refusal.check() }
}
