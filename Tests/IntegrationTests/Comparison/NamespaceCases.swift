import Foundation

extension ComparisonCase {
    /// Each namespace made, not made, and joined by its path.
    static let namespaces: [ComparisonCase] =
        [
            ComparisonCase("default") { _ in },
            ComparisonCase("cgroup namespace") { $0.append("linux.namespaces", ["type": "cgroup"]) },
            ComparisonCase("host network") { $0.removeNamespaces("network") },
            ComparisonCase("host ipc") { bundle in
                bundle.removeNamespaces("ipc")
                bundle.remount("/dev/mqueue", nil)
            },
            ComparisonCase("host pid") { $0.removeNamespaces("pid") },
            ComparisonCase("host uts") { bundle in
                bundle.removeNamespaces("uts")
                bundle.set("hostname", nil)
            },
            ComparisonCase("only a mount namespace") { bundle in
                bundle.set("linux.namespaces", [["type": "mount"]])
                bundle.set("hostname", nil)
                bundle.remount("/sys", nil)
                bundle.remount("/sys/fs/cgroup", nil)
            },
        ] + ["network", "ipc", "uts", "pid", "cgroup", "mount"].map(joined)
        + ["private", "slave", "shared", "rshared"].map(joinedWithOtherMounts)

    /// The rootfs is on a mount of the host's that the joined namespace does not have.
    private static func joinedWithOtherMounts(_ propagation: String) -> ComparisonCase {
        ComparisonCase("rootfsPropagation \(propagation) in a joined mount namespace", alone: true) {
            bundle in
            let path = try await hold("mount", bundle)
            try await bundle.mountOnHost("--bind", bundle.directory, at: bundle.directory)
            bundle.set("linux.rootfsPropagation", propagation)
            try bundle.joinNamespace("mount", path)
        }
    }

    /// A process of its own holds the namespace.
    private static func joined(_ type: String) -> ComparisonCase {
        ComparisonCase("joined \(type) namespace", alone: type == "mount") { bundle in
            let path = try await hold(type, bundle)
            try bundle.joinNamespace(type, path)
        }
    }

    /// Makes a namespace that lasts as long as the case. Returns its path.
    private static func hold(_ type: String, _ bundle: ComparisonBundle) async throws -> String {
        let (flag, link) =
            [
                "network": ("--net", "net"), "ipc": ("--ipc", "ipc"), "uts": ("--uts", "uts"),
                "pid": ("--pid", "pid_for_children"), "cgroup": ("--cgroup", "cgroup"),
                "mount": ("--mount", "mnt"),
            ][type]!
        let holder = try Child.spawn(
            "/usr/bin/unshare", [flag, "--fork", "--kill-child", "/bin/sleep", "100"])
        bundle.atEnd {
            kill(holder.pid, SIGKILL)
            _ = try await holder.wait()
        }
        let path = "/proc/\(holder.pid)/ns/\(link)"
        let host = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/" + link)
        for _ in 0..<500
        where (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? host == host {
            try await Task.sleep(for: .milliseconds(2))
        }
        return path
    }
}
