import Diagnostics
import Testing

@testable import Cgroups

/// `exec --cgroup`.
@Suite struct SubgroupTests {
    private static let cgroup = Result { () throws(Failure) in
        try Cgroup([
            Cgroup.Directory(controllers: "memory", path: "/sys/fs/cgroup/memory/box"),
            Cgroup.Directory(controllers: "cpu,cpuacct", path: "/sys/fs/cgroup/cpu,cpuacct/box"),
            Cgroup.Directory(controllers: "", path: "/sys/fs/cgroup/unified/box"),
        ])
    }

    private func paths(_ values: String...) throws -> [String] {
        try Self.cgroup.get().subgroups(values).directories.map {
            String($0.path.dropFirst("/sys/fs/cgroup/".count))
        }
    }

    @Test func places() throws {
        let own = ["memory/box", "cpu,cpuacct/box", "unified/box"]
        #expect(try paths() == own)
        #expect(try paths("/") == own)
        #expect(try paths("a") == own.map { $0 + "/a" })
        #expect(try paths("a//./b/") == own.map { $0 + "/a/b" })
        #expect(try paths("memory:a") == ["memory/box/a", "cpu,cpuacct/box", "unified/box"])
        #expect(
            try paths("memory:a", "cpuacct:b/c") == ["memory/box/a", "cpu,cpuacct/box/b/c", "unified/box"])
        #expect(try paths("cpu,memory:a") == ["memory/box/a", "cpu,cpuacct/box/a", "unified/box"])
        #expect(try paths("...") == own.map { $0 + "/..." })
    }

    @Test(arguments: [
        "", "..", "../x", "a/..", "a/../b", "/a", "//", "memory:", "memory:/a", "memory:..", "nosuch:a",
        "memory,nosuch:a", ",:a", ":a", ":", "a\nb", "a/../../b",
    ])
    func refused(value: String) throws {
        #expect(throws: Failure.self) { _ = try paths(value) }
    }
}
