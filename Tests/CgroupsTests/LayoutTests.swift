import Diagnostics
import Foundation
import Testing

@testable import Cgroups

@Suite struct LayoutTests {
    @Test func hybrid() {
        let layout = Layout(
            mountinfo: Array(
                """
                22 27 0:21 / /proc rw,relatime - proc proc rw
                31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
                40 31 0:37 / /sys/fs/cgroup/systemd rw shared:7 master:2 - cgroup cgroup rw,xattr,name=systemd
                41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate

                """.utf8))
        #expect(
            layout.hierarchies == [
                .init(controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct"),
                .init(controllers: [], name: "systemd", mountPoint: "/sys/fs/cgroup/systemd"),
                .init(controllers: [], isUnified: true, mountPoint: "/sys/fs/cgroup/unified"),
            ])
        #expect(!layout.isUnified)
        #expect(layout.hierarchies.map(\.label) == ["cpu,cpuacct", "name=systemd", ""])
    }

    /// A superblock's options hold more than controllers, and some of those words end like one.
    @Test func otherWordsAreNoControllers() {
        let layout = Layout(
            mountinfo: Array(
                """
                1 2 0:1 / /sys/fs/cgroup/cpuset rw - cgroup none rw,noprefix,clone_children,cpuset,release_agent=/cpu
                3 2 0:2 / /sys/fs/cgroup/x rw - cgroup cgroup rw,mycpu
                4 2 0:3 / /a\\040-\\040cgroup rw - tmpfs tmpfs rw,cpu
                5 2 0:4 / /b rw - cgroupfs cgroupfs rw,cpu
                6 2 0:5 /

                """.utf8))
        #expect(layout.hierarchies.map(\.controllers) == [["cpuset"]])
    }

    /// A second mount of a hierarchy, as a chroot has one, is not a second hierarchy; the usual place wins.
    @Test func severalMountsOfOneHierarchy() {
        let layout = Layout(
            mountinfo: Array(
                """
                1 2 0:1 / /chroot/cgroup/memory rw - cgroup cgroup rw,memory
                2 2 0:1 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                3 2 0:1 / /sys/fs/cgroup/memory2 rw - cgroup cgroup rw,memory

                """.utf8))
        #expect(
            layout.hierarchies == [
                .init(controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory", mountRoot: "/docker/abc")
            ])
    }

    @Test func escapedMountPoint() {
        let layout = Layout(
            mountinfo: Array("1 2 0:1 / /my\\040cg\\134x rw - cgroup cgroup rw,pids\n".utf8))
        #expect(layout.hierarchies.map(\.mountPoint) == ["/my cg\\x"])
    }

    /// The kernel's other account of its hierarchies: /proc/self/cgroup has a line for each that is in use.
    @Test func thisHost() throws {
        let layout = try Layout.detect()
        let own = try OwnCgroups.read()
        for hierarchy in layout.hierarchies {
            #expect(own.path(in: hierarchy) != nil, "\(hierarchy)")
            #expect(FileManager.default.fileExists(atPath: hierarchy.mountPoint + "/cgroup.procs"))
        }
        // There may be more than are mounted, but none of those twice.
        #expect(layout.hierarchies.count <= own.entries.count)
    }
}

@Suite struct OwnCgroupsTests {
    let own = OwnCgroups(
        Array("12:cpu,cpuacct:/a:b\n4:memory:/m\n2:misc,name=mine:/n\n1:name=systemd:/s\n0::/u v\n".utf8))

    @Test func lines() {
        #expect(own.path(in: .init(controllers: ["cpuacct", "cpu"], mountPoint: "/x")) == "/a:b")
        #expect(own.path(in: .init(controllers: ["memory"], mountPoint: "/x")) == "/m")
        #expect(own.path(in: .init(controllers: ["misc"], name: "mine", mountPoint: "/x")) == "/n")
        #expect(own.path(in: .init(controllers: [], name: "systemd", mountPoint: "/x")) == "/s")
        #expect(own.path(in: .init(controllers: [], isUnified: true, mountPoint: "/x")) == "/u v")
        #expect(own.path(in: .init(controllers: ["pids"], mountPoint: "/x")) == nil)
        #expect(own.path(in: .init(controllers: [], name: "system", mountPoint: "/x")) == nil)
    }
}
