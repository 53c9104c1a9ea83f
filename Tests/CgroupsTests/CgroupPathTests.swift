import Diagnostics
import Testing

@testable import Cgroups

/// The expected places were seen with runc 1.1.5 on a hybrid host whose caller was in `/session/x` of
/// memory and in `/` elsewhere: no path and a relative one came below the caller's cgroup, an absolute one
/// below the mount.
@Suite struct CgroupPathTests {
    let memory = Layout.Hierarchy(controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory")
    let pids = Layout.Hierarchy(controllers: ["pids"], mountPoint: "/sys/fs/cgroup/pids")
    let unified = Layout.Hierarchy(controllers: [], isUnified: true, mountPoint: "/sys/fs/cgroup")
    let own = OwnCgroups(Array("8:pids:/\n4:memory:/session/x\n0::/user.slice/session\n".utf8))

    private func directory(
        _ path: String?, _ hierarchy: Layout.Hierarchy, unified: Bool = false
    ) throws(Failure) -> String {
        try CgroupPath(path, id: "id").directory(in: hierarchy, own: own, onUnifiedHost: unified)
    }

    @Test func absentCountsFromTheCaller() throws {
        #expect(try directory(nil, memory) == "/sys/fs/cgroup/memory/session/x/id")
        #expect(try directory(nil, pids) == "/sys/fs/cgroup/pids/id")
    }

    @Test func relativeCountsFromTheCaller() throws {
        #expect(try directory("a/b", memory) == "/sys/fs/cgroup/memory/session/x/a/b")
        #expect(try directory("a/b", pids) == "/sys/fs/cgroup/pids/a/b")
    }

    @Test func absoluteCountsFromTheMount() throws {
        #expect(try directory("/a/b", memory) == "/sys/fs/cgroup/memory/a/b")
        #expect(try directory("//a/./b//", memory) == "/sys/fs/cgroup/memory/a/b")
    }

    /// systemd's spelling is a name like any other for this manager.
    @Test func colons() throws {
        #expect(try directory("system.slice:gantry:id", pids) == "/sys/fs/cgroup/pids/system.slice:gantry:id")
    }

    /// No controllers can be enabled below the caller's own cgroup, since the caller is in it.
    @Test func unifiedCountsFromTheCallersParent() throws {
        #expect(try directory(nil, unified, unified: true) == "/sys/fs/cgroup/user.slice/id")
        #expect(try directory("/a", unified, unified: true) == "/sys/fs/cgroup/a")
        let root = OwnCgroups(Array("0::/\n".utf8))
        #expect(
            try CgroupPath(nil, id: "id").directory(in: unified, own: root, onUnifiedHost: true)
                == "/sys/fs/cgroup/id")
    }

    @Test func callerInsideABoundPart() throws {
        var bound = memory
        bound.mountRoot = "/session"
        #expect(try directory(nil, bound) == "/sys/fs/cgroup/memory/x/id")
        bound.mountRoot = "/elsewhere"
        #expect(try directory(nil, bound) == "/sys/fs/cgroup/memory/id")
    }

    @Test(arguments: ["..", "/..", "a/../b", "../a", "/a/..", "/", ".", "//", "a\nb", "a\0b"])
    func refused(path: String) {
        let failure = #expect(throws: Failure.self) { try CgroupPath(path, id: "id") }
        #expect(failure?.kind == .invalid)
        #expect(failure?.place == "linux.cgroupsPath")
    }

    @Test func componentsFitIntoAName() throws {
        _ = try CgroupPath(String(repeating: "a", count: 255), id: "id")
        #expect(throws: Failure.self) { try CgroupPath(String(repeating: "a", count: 256), id: "id") }
        // Names that begin with dots are names.
        #expect(try directory("/...", memory) == "/sys/fs/cgroup/memory/...")
    }

    @Test func callerOutsideItsNamespace() {
        let own = OwnCgroups(Array("8:pids:/../../host\n".utf8))
        #expect(throws: Failure.self) {
            try CgroupPath(nil, id: "id").directory(in: pids, own: own, onUnifiedHost: false)
        }
    }
}
