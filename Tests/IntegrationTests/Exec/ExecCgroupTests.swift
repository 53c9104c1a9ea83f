import Foundation
import Testing

/// Where an exec goes when the container's own cgroup takes no processes: a container that is a system of its own has
/// moved its first process further down and given controllers to what is below (cgroups(7), "no internal processes").
@Suite(.alsoSupervised, .timeLimit(.minutes(2))) struct ExecCgroupTests {
    private static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.procs")
    private static let mount = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified"

    /// Version 2 with a controller that can be given on.
    private static var hasController: Bool {
        let controllers = try? String(contentsOfFile: mount + "/cgroup.controllers", encoding: .utf8)
        return controllers?.split(whereSeparator: \.isWhitespace).contains("hugetlb") ?? false
    }

    private static let hasVersion2 = FileManager.default.fileExists(atPath: mount + "/cgroup.procs")

    private func write(_ text: String, _ file: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(text.utf8))
    }

    @Test(.enabled(if: hasController, "no cgroup v2 hierarchy with the hugetlb controller at \(mount)"))
    func followsTheFirstProcess() async throws {
        let root = Self.mount + "/cgroup.subtree_control"
        let before = try String(contentsOfFile: root, encoding: .utf8)
        try write("+hugetlb", root)
        defer { if !before.contains("hugetlb") { try? write("-hugetlb", root) } }
        try await TestContainer.sleeping {
            try $0.set("linux.cgroupsPath", "/gantry-" + $0.id)
        } _: { container in
            let pid = try await container.pid()
            let own = Self.mount + "/gantry-" + container.id
            try FileManager.default.createDirectory(atPath: own + "/init", withIntermediateDirectories: false)
            try write(String(pid), own + "/init/cgroup.procs")
            try write("+hugetlb", own + "/cgroup.subtree_control")

            let inside = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            #expect(inside.lines.contains("0::/gantry-\(container.id)/init"), "\(inside)")
            #expect(
                Self.isUnified || inside.lines.contains { $0.hasSuffix(":/gantry-" + container.id) },
                "version 1 is as ever: \(inside)")

            let asked = try await container.gantry("exec", "--cgroup", "/", container.id, "/bin/true")
            #expect(asked.code == 255, "\(asked)")
            #expect(asked.stderr.contains("cannot enter the container's cgroup"), "\(asked)")
            #expect(asked.stderr.contains("controllers for its children"), "\(asked)")

            try write("-hugetlb", own + "/cgroup.subtree_control")
            _ = try await container.gantry("delete", "--force", container.id)
        }
    }

    /// A manager on the host may have moved the container away and removed the directory.
    @Test(.needsContainers, .enabled(if: hasVersion2, "no cgroup v2 hierarchy at \(mount)"))
    func followsWhenItsOwnIsGone() async throws {
        try await TestContainer.sleeping {
            try $0.set("linux.cgroupsPath", "/gantry-" + $0.id)
        } _: { container in
            let name = "/gantry-\(container.id)-elsewhere"
            try FileManager.default.createDirectory(
                atPath: Self.mount + name, withIntermediateDirectories: false)
            defer { rmdir(Self.mount + name) }
            try write(String(try await container.pid()), Self.mount + name + "/cgroup.procs")
            try #require(rmdir(Self.mount + "/gantry-" + container.id) == 0)

            let inside = try await container.gantry("exec", container.id, "/bin/cat", "/proc/self/cgroup")
            #expect(inside.lines.contains("0::/gantry-\(container.id)-elsewhere"), "\(inside)")
            let asked = try await container.gantry("exec", "--cgroup", "/", container.id, "/bin/true")
            #expect(asked.code == 255 && asked.stderr.contains("no such file or directory"), "\(asked)")
            try await container.succeed(["delete", "--force", container.id])
            try await eventually("its end") { rmdir(Self.mount + name) == 0 }
        }
    }
}
