import Foundation
import Testing

/// Where an exec goes when the container's own cgroup takes no processes: a container that is a system of its own has
/// moved its first process further down and given controllers to what is below (cgroups(7), "no internal processes").
@Suite(.alsoSupervised, .timeLimit(minutes: 2)) struct ExecCgroupTests {
    private static let mount = Host.isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified"

    /// One that can be given on; on a hybrid host version 1 has the others.
    private static let controller = Host.isUnified ? "pids" : "hugetlb"

    private static var hasController: Bool {
        let controllers = try? String(contentsOfFile: mount + "/cgroup.controllers", encoding: .utf8)
        return controllers?.split(whereSeparator: \.isWhitespace).contains { $0 == Self.controller } ?? false
    }

    private static let hasVersion2 = FileManager.default.fileExists(atPath: mount + "/cgroup.procs")

    /// linux.cgroupsPath, and what the kernel calls the cgroup.
    private func cgroup(_ container: TestContainer) -> (path: String, name: String) {
        Machine.usesSystemd
            ? ("system.slice:gantry:\(container.id)", "/system.slice/gantry-\(container.id).scope")
            : ("/gantry-" + container.id, "/gantry-" + container.id)
    }

    private func write(_ text: String, _ file: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(text.utf8))
    }

    @Test(.enabled(if: hasController, "no cgroup v2 hierarchy with the controller \(controller) at \(mount)"))
    func followsTheFirstProcess() async throws {
        let root = Self.mount + "/cgroup.subtree_control"
        let before = try String(contentsOfFile: root, encoding: .utf8)
        try write("+" + Self.controller, root)
        defer { if !before.contains(Self.controller) { try? write("-" + Self.controller, root) } }
        try await TestContainer.sleeping {
            try $0.set("linux.cgroupsPath", cgroup($0).path)
        } _: { container in
            let pid = try await container.pid()
            let own = Self.mount + cgroup(container).name
            try FileManager.default.createDirectory(atPath: own + "/init", withIntermediateDirectories: false)
            try write(String(pid), own + "/init/cgroup.procs")
            try write("+" + Self.controller, own + "/cgroup.subtree_control")

            let inside = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            #expect(inside.lines.contains("0::\(cgroup(container).name)/init"), "\(inside)")
            #expect(
                Host.isUnified || inside.lines.contains { $0.hasSuffix(":/gantry-" + container.id) },
                "version 1 is as ever: \(inside)")

            let asked = try await container.gantry("exec", "--cgroup", "/", container.id, "/bin/true")
            #expect(asked.code == 255, "\(asked)")
            #expect(asked.stderr.contains("cannot enter the container's cgroup"), "\(asked)")
            #expect(asked.stderr.contains("controllers for its children"), "\(asked)")

            try write("-" + Self.controller, own + "/cgroup.subtree_control")
            _ = try await container.gantry("delete", "--force", container.id)
        }
    }

    /// A manager on the host may have moved the container away and removed the directory.
    @Test(.needsContainers, .enabled(if: hasVersion2, "no cgroup v2 hierarchy at \(mount)"))
    func followsWhenItsOwnIsGone() async throws {
        try await TestContainer.sleeping {
            try $0.set("linux.cgroupsPath", cgroup($0).path)
        } _: { container in
            let name = "/gantry-\(container.id)-elsewhere"
            try FileManager.default.createDirectory(
                atPath: Self.mount + name, withIntermediateDirectories: false)
            defer { rmdir(Self.mount + name) }
            try write(String(try await container.pid()), Self.mount + name + "/cgroup.procs")
            // systemd removes it as well.
            try #require(rmdir(Self.mount + cgroup(container).name) == 0 || errno == ENOENT)

            let inside = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            #expect(inside.lines.contains("0::/gantry-\(container.id)-elsewhere"), "\(inside)")
            let asked = try await container.gantry("exec", "--cgroup", "/", container.id, "/bin/true")
            #expect(asked.code == 255 && asked.stderr.contains("no such file or directory"), "\(asked)")
            try await container.succeed(["delete", "--force", container.id])
            try await eventually("its end") { rmdir(Self.mount + name) == 0 }
        }
    }
}
