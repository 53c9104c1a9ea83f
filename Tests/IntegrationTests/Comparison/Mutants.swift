import Foundation

extension ComparisonCase {
    /// Configurations that differ between the two runtimes: the comparison must notice it in the section that the name
    /// begins with.
    static let mutants: [ComparisonCase] =
        networkMutants + [
            mutant("status: umask") { $0.set("process.user", ["uid": 0, "gid": 0, "umask": 0o027]) },
            mutant("status: groups") { $0.set("process.user", ["uid": 0, "gid": 0, "additionalGids": [7]]) },
            mutant("status: capabilities") { $0.append("process.capabilities.bounding", "CAP_CHOWN") },
            mutant("status: noNewPrivileges") { $0.set("process.noNewPrivileges", false) },
            mutant("status: filter") { $0.set("linux.seccomp", ["defaultAction": "SCMP_ACT_LOG"]) },
            mutant("limits: open files") { bundle in
                bundle.set("process.rlimits", [["type": "RLIMIT_NOFILE", "soft": 1023, "hard": 1024]])
            },
            mutant("attributes: oomScoreAdj") { $0.set("process.oomScoreAdj", 17) },
            mutant("names: hostname") { $0.set("hostname", "other") },
            mutant("names: keyring") { $0.flags = ["--no-new-keyring"] },
            mutant("namespaces: network") { $0.removeNamespaces("network") },
            mutant("cgroups: path") { $0.set("linux.cgroupsPath", $0.cgroupsPath("x")) },
            mutant("sysctls: msgmax") { $0.set("linux.sysctl", ["kernel.msgmax": "65001"]) },
            mutant("program: environment") { $0.append("process.env", "ONE=more") },
            mutant("program: arguments") { $0.set("process.args", ["/bin/probe", ""]) },
            mutant("program: working directory") { $0.set("process.cwd", "/tmp") },
            mutant("descriptors: one more") { bundle in
                let file = open("/dev/zero", O_RDONLY | O_CLOEXEC)
                bundle.atEnd { close(file) }
                bundle.descriptors = [3: file]
                bundle.flags = ["--preserve-fds", "1"]
            },
            mutant("mounts: option") {
                $0.remount("/dev/shm", ["nosuid", "noexec", "mode=1777", "size=65536k"])
            },
            mutant("mounts: size") { bundle in
                bundle.remount("/dev/shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65532k"])
            },
            mutant("mounts: propagation") {
                $0.remount("/sys", ["nosuid", "noexec", "nodev", "ro", "shared"])
            },
            mutant("mounts: masked path") { $0.append("linux.maskedPaths", "/proc/version") },
            mutant("mounts: read-only path") { $0.append("linux.readonlyPaths", "/proc/version") },
            mutant("mounts: read-only root") { $0.set("root.readonly", true) },
            mutant("files: mode of a device") { bundle in
                bundle.append(
                    "linux.devices",
                    ["path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o660])
            },
            mutant("files: mode of a mount") { bundle in
                bundle.remount("/dev/shm", ["nosuid", "noexec", "nodev", "mode=1770", "size=65536k"])
            },
            mutant("files left: mount point") { $0.mount("/made", "tmpfs", "tmpfs", []) },
        ]

    /// A host with nothing but `lo` looks like a namespace of one's own.
    private static let networkMutants: [ComparisonCase] =
        ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")) ?? []) == ["lo"]
        ? [] : [mutant("network: network") { $0.removeNamespaces("network") }]

    private static func mutant(
        _ name: String, _ change: @escaping @Sendable (ComparisonBundle) throws -> Void
    ) -> ComparisonCase {
        ComparisonCase(name) { if $0.runtime == .gantry { try change($0) } }
    }
}
