import Foundation
import Testing

/// A hierarchy of version 1 that the host does not have, in a mount namespace of its own.
enum MountedHierarchy {
    /// - Parameters:
    ///   - controllers: as an option of mount(8).
    ///   - body: is given a process in the mount namespace.
    static func with(_ controllers: String, _ body: (pid_t) async throws -> Void) async throws {
        let scratch = try TemporaryDirectory("hierarchy")
        defer { scratch.remove() }
        // A new tmpfs: a directory in the one at /sys/fs/cgroup would be there for everybody.
        let script = """
            set -e
            mount -t tmpfs cgroups "$0"
            for d in /sys/fs/cgroup/*/; do
                d=${d%/}
                mkdir "$0/${d##*/}"
                mount --bind "$d" "$0/${d##*/}"
            done
            mkdir "$0/\(controllers)"
            mount -t cgroup -o \(controllers) cgroup "$0/\(controllers)"
            mount --move "$0" /sys/fs/cgroup
            echo ready >"$1"
            exec sleep 1000
            """
        let ready = scratch.path + "/ready"
        let tree = scratch.path + "/tree"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
        let holder = try Child.spawn(
            "/usr/bin/unshare", ["--mount", "--propagation", "private", "/bin/sh", "-c", script, tree, ready])
        do {
            try await eventually("\(controllers) to be mounted") {
                FileManager.default.fileExists(atPath: ready)
            }
            try await body(holder.pid)
        } catch {
            try await end(holder, controllers, tree)
            throw error
        }
        try await end(holder, controllers, tree)
    }

    /// A hierarchy whose cgroups have only just gone outlives its mount; another mount that ends takes it along.
    private static func end(_ holder: Child, _ controllers: String, _ tree: String) async throws {
        kill(holder.pid, SIGKILL)
        _ = try await holder.wait(seconds: 60)
        let again = "mount -t cgroup -o \(controllers) cgroup \"$0\" && umount \"$0\""
        try await eventually("\(controllers) to be gone") {
            if !isThere(controllers) { return true }
            try await Task.sleep(for: .milliseconds(200))
            _ = try await Command.run(
                "/usr/bin/unshare", ["--mount", "--propagation", "private", "/bin/sh", "-c", again, tree])
            return !isThere(controllers)
        }
    }

    /// Whether the first of the controllers has a hierarchy of version 1 (proc(5), /proc/cgroups).
    private static func isThere(_ controllers: String) -> Bool {
        let name = controllers.prefix { $0 != "," }
        let table = (try? String(contentsOfFile: "/proc/cgroups", encoding: .utf8)) ?? ""
        let row = table.split(separator: "\n").map { $0.split(separator: "\t") }.first { $0.first == name }
        return row.map { $0[1] != "0" } ?? false
    }
}
