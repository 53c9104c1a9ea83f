import Foundation
import Testing

/// What is wrong about namespaces, mounts, devices, cgroups and the filter.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct InvalidLinuxTests {
    private static func namespace(_ container: TestContainer, _ type: String, path: String) throws {
        var namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
        namespaces.removeAll { $0["type"] as? String == type }
        namespaces.append(["type": type, "path": path])
        try container.set("linux.namespaces", namespaces)
    }

    private static let namespaces: [Refusal] = [
        Refusal("a namespace twice", says: "linux.namespaces[5].type: namespace pid is given twice") {
            container in
            let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
            try container.set("linux.namespaces", namespaces + [["type": "pid"]])
        },
        Refusal(
            "linux.namespaces", [["type": "mount"], ["type": "nonsense"]],
            says: """
                linux.namespaces[1].type: unknown value "nonsense"; known are pid, network, mount, ipc, \
                uts, user, cgroup, time
                """
        ),
        Refusal(
            "linux.namespaces", [["path": "/proc/self/ns/net"]], says: "linux.namespaces[0].type: is required"
        ),
        Refusal(
            "path that is not there",
            says: """
                linux.namespaces[4]: cannot open the namespace /nowhere/ipc: openat2: no such file or \
                directory
                """
        ) { try namespace($0, "ipc", path: "/nowhere/ipc") },
        Refusal(
            "path of another type",
            says: """
                linux.namespaces[4]: cannot join the ipc namespace /proc/self/ns/net (it is no namespace \
                of this type): setns: invalid argument
                """
        ) { try namespace($0, "ipc", path: "/proc/self/ns/net") },
        Refusal(
            "path of a regular file",
            says: """
                linux.namespaces[4]: cannot join the ipc namespace /etc/passwd (it is no namespace of this \
                type): setns: invalid argument
                """
        ) { try namespace($0, "ipc", path: "/etc/passwd") },
        Refusal(
            "path of a directory",
            says: """
                linux.namespaces[4]: cannot join the network namespace /proc/self/ns (it is no namespace \
                of this type): setns: invalid argument
                """
        ) { try namespace($0, "network", path: "/proc/self/ns") },
        Refusal("relative path", says: "linux.namespaces[4].path: must be an absolute path") {
            try namespace($0, "ipc", path: "proc/self/ns/ipc")
        },
        Refusal(
            "path of a process that is gone",
            says: """
                linux.namespaces[4]: cannot open the namespace /proc/4194304/ns/pid: openat2: no such file \
                or directory
                """
        ) {
            try namespace($0, "pid", path: "/proc/4194304/ns/pid")
        },
    ]

    @Test("namespaces", arguments: namespaces)
    func namespace(_ refusal: Refusal) async throws { try await refusal.check() }

    private static func mount(
        _ name: String, _ destination: String, _ type: String?, _ source: String, _ options: [String],
        says: String
    ) -> Refusal {
        Refusal(name, says: says) { container in
            let path = source.replacingOccurrences(of: "{outside}", with: try container.makeOutside())
            var mount: TestContainer.JSON = ["destination": destination, "source": path, "options": options]
            if let type { mount["type"] = type }
            container.mounts.append(mount)
            try container.save()
        }
    }

    private static let mounts: [Refusal] = [
        mount(
            "unknown type", "/tmp", "nonsense", "x", [],
            says: """
                mounts[7]: cannot mount nonsense on /tmp (this kernel has no such file system): fsopen: no \
                such device
                """
        ),
        mount(
            "no type", "/tmp", nil, "x", [],
            says: "mounts[7].type: must be given, unless \"bind\" or \"rbind\" is among the options"),
        mount(
            "bind as a type only", "/tmp", "bind", "{outside}", [],
            says: """
                mounts[7].type: "bind" is no file system; a bind mount has "bind" or "rbind" among its \
                options
                """
        ),
        mount(
            "option that the kernel refuses", "/tmp", "tmpfs", "tmpfs", ["nonsense=1"],
            says: """
                mounts[7]: cannot mount tmpfs on /tmp: fsconfig "nonsense=1" (tmpfs: Unknown parameter \
                'nonsense'): invalid argument
                """
        ),
        mount(
            "flag that the kernel refuses", "/tmp", "tmpfs", "tmpfs", ["nosuid", "nonsense"],
            says: """
                mounts[7]: cannot mount tmpfs on /tmp: fsconfig "nonsense" (tmpfs: Unknown parameter \
                'nonsense'): invalid argument
                """
        ),
        mount(
            "value that the kernel refuses", "/tmp", "tmpfs", "tmpfs", ["size=much"],
            says: """
                mounts[7]: cannot mount tmpfs on /tmp: fsconfig "size=much" (tmpfs: Bad value for 'size'): \
                invalid argument
                """
        ),
        mount(
            "option of proc", "/tmp", "proc", "proc", ["hidepid=9"],
            says: "mounts[7]: cannot mount proc on /tmp: fsconfig \"hidepid=9\"…: invalid argument"
        ),
        mount(
            "missing source", "/tmp", "bind", "{outside}/missing", ["bind"],
            says: """
                mounts[7]: cannot open the source {outside}/missing: open_tree: no such file or \
                directory
                """),
        mount(
            "missing relative source", "/tmp", "bind", "missing", ["rbind", "ro"],
            says: "mounts[7]: cannot open the source {bundle}/missing: open_tree: no such file or directory"),
        mount(
            "a file over a directory", "/tmp", "bind", "/etc/passwd", ["bind"],
            says: """
                mounts[7]: cannot mount /etc/passwd on /tmp (one of them is a directory, the other is \
                not): move_mount: not a directory
                """
        ),
        mount(
            "a directory over a file", "/etc/passwd", "bind", "{outside}", ["bind"],
            says: """
                mounts[7]: cannot mount {outside} on /etc/passwd (one of them is a directory, the other is \
                not): move_mount: not a directory
                """
        ),
        mount(
            "below a file", "/etc/passwd/x", "tmpfs", "tmpfs", [],
            says: "mounts[7]: cannot make the mount point /etc/passwd/x: openat2: not a directory"),
        mount("no destination", "", "tmpfs", "tmpfs", [], says: "mounts[7].destination: must not be empty"),
        mount(
            "the root", "/", "tmpfs", "tmpfs", [],
            says: "mounts[7].destination: must not be the container's root, which root.path gives"),
        mount(
            "a missing block device", "/tmp", "ext4", "/dev/nowhere", [],
            says: "mounts[7]: cannot mount ext4 on /tmp…: no such file or directory"
        ),
        mount(
            "not a block device", "/tmp", "ext4", "/etc/passwd", [],
            says: "mounts[7]: cannot mount ext4 on /tmp…: block device required"
        ),
        mount(
            "overlay without layers", "/tmp", "overlay", "overlay", [],
            says: """
                mounts[7]: cannot mount overlay on /tmp (the kernel's log may tell why): \
                fsconfig: invalid argument
                """),
        mount(
            "overlay with a missing layer", "/tmp", "overlay", "overlay", ["lowerdir=/nowhere"],
            says: """
                mounts[7]: cannot mount overlay on /tmp: fsconfig "lowerdir=/nowhere": no such file or \
                directory
                """
        ),
        mount(
            "long overlay with a missing layer", "/tmp", "overlay", "overlay",
            ["lowerdir=/nowhere/" + String(repeating: "l", count: 400)],
            says: """
                mounts[7]: cannot mount overlay on /tmp (a path among its options is missing): mount: no \
                such file or directory
                """
        ),
    ]

    @Test("mounts", arguments: mounts)
    func mount(_ refusal: Refusal) async throws { try await refusal.check() }

    /// Of what systemd takes away with the last process, nothing may be left that tells.
    private static let tooFew =
        Machine.usesSystemd
        ? "…"
        : "too few for the container to start: the kernel killed its init, which had used … bytes of memory"

    private static let others: [Refusal] = [
        Refusal(
            "linux.rootfsPropagation", "sometimes",
            says: """
                linux.rootfsPropagation: unknown propagation "sometimes"; known are shared, slave, private \
                and unbindable
                """
        ),
        Refusal("linux.maskedPaths", ["relative"], says: "linux.maskedPaths[0]: must be an absolute path"),
        Refusal(
            "linux.readonlyPaths", ["relative"], says: "linux.readonlyPaths[0]: must be an absolute path"),
        Refusal(
            "linux.personality", ["domain": "VMS"],
            says: "linux.personality.domain: unknown value \"VMS\"; known are LINUX, LINUX32"),
        Refusal(
            "linux.devices", [["path": "x", "type": "c", "major": 1, "minor": 3] as [String: any Sendable]],
            says: "linux.devices[0].path: must be an absolute path"),
        Refusal(
            "linux.devices",
            [["path": "/dev/x", "type": "q", "major": 1, "minor": 3] as [String: any Sendable]],
            says: "linux.devices[0].type: unknown value \"q\"; known are c, u, b, p"),
        Refusal(
            "linux.devices",
            [["path": "/dev/x", "type": "c", "major": 5000, "minor": 3] as [String: any Sendable]],
            says: "linux.devices[0].major: must be from 0 to 4095, is 5000"),
        Refusal(
            "linux.devices",
            [["path": "/etc/passwd", "type": "c", "major": 1, "minor": 3] as [String: any Sendable]],
            says: """
                linux.devices[0]: cannot make the device /etc/passwd: something else is there already: \
                mknodat: file exists
                """
        ),
        Refusal(
            "linux.seccomp", ["defaultAction": "SCMP_ACT_PERHAPS"],
            says: """
                linux.seccomp.defaultAction: unknown value "SCMP_ACT_PERHAPS"; known are SCMP_ACT_KILL, \
                SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, \
                SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY
                """
        ),
        Refusal(
            "linux.seccomp", ["syscalls": [[String: String]]()],
            says: "linux.seccomp.defaultAction: is required"),
        Refusal(
            "linux.resources.devices", [["allow": true, "access": "x"] as [String: any Sendable]],
            says: "linux.resources.devices[0].access: \"x\" may only consist of r, w and m"),
        Refusal("linux.cgroupsPath", "/a/../b", says: "linux.cgroupsPath: must not contain \"..\""),
        Refusal(
            "linux.resources.memory", ["limit": 1],
            says: "linux.resources.memory.limit: 1 bytes are " + tooFew),
        Refusal(
            "linux.resources.memory", ["limit": 4096],
            says: "linux.resources.memory.limit: 4096 bytes are " + tooFew),
        Refusal(
            "linux.resources.memory", ["limit": 100 << 20, "swap": 1 << 20],
            says: """
                linux.resources.memory.swap: must not be less than memory.limit: it counts memory and swap \
                together
                """
        ),
        Refusal(
            "linux.resources.memory", ["swappiness": 1000],
            says: Host.isUnified
                ? "linux.resources.memory.swappiness: cgroup v2 has no swappiness"
                : "linux.resources.memory.swappiness: must be 0…100"),
        Refusal(
            "linux.resources.cpu", ["quota": 1, "period": 100_000],
            says: "linux.resources.cpu.quota: the kernel does not accept "
                + (Host.isUnified ? "1 100000" : "1") + " for …: invalid argument"
        ),
        Refusal(
            "linux.resources.cpu", ["period": 1],
            says: "linux.resources.cpu.period: the kernel does not accept "
                + (Host.isUnified ? "max 1" : "1") + " for …: invalid argument"
        ),
        Refusal(
            "linux.resources.cpu", ["cpus": "nonsense"],
            says: Machine.usesSystemd
                ? "linux.resources.cpu.cpus: must be a list such as 0-3,7, not \"nonsense\""
                : "linux.resources.cpu.cpus: the kernel does not accept nonsense for …: invalid argument"
        ),
        Refusal(
            "linux.resources.cpu", ["cpus": "4000"],
            says:
                "linux.resources.cpu.cpus: the kernel does not accept 4000 for …: numerical result out of range"
        ),
        Refusal(
            "linux.resources.cpu", ["mems": "500"],
            says: "linux.resources.cpu.mems: the kernel does not accept 500 for …: invalid argument"
        ),
    ]

    @Test("everything else of linux", arguments: others)
    func other(_ refusal: Refusal) async throws { try await refusal.check() }
}
