import CLinux
import Diagnostics
import Foundation
import Linux
import OCI
import Testing

@testable import Cgroups

/// Version 2 on the real kernel. A hybrid host's mount has few controllers or none, so that limits are the
/// virtual machine's to test; directories, placement, killing, freezing, types and devices are the same
/// everywhere.
@Suite(.enabled(if: Host.hasVersion2, "needs root and a cgroup v2 mount")) struct UnifiedTests {
    let hierarchy = Host.unified!

    var layout: Layout { Layout(hierarchies: [hierarchy]) }

    /// A part of the tree as if it was all, so that nothing is enabled at the host's root.
    ///
    /// - Parameter controllers: whether it has those that the host's root hands on; otherwise it has none.
    private func withSubtree(
        controllers: Bool = false, _ body: (Layout, String) throws -> Void
    ) throws {
        let top = hierarchy.mountPoint + "/" + freshName()
        let root = controllers ? top : top + "/part"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            for directory in Set([root, top]).sorted(by: >) {
                #expect(rmdir(directory) == 0, "\(directory): \(String(cString: strerror(errno)))")
            }
        }
        try body(Layout(hierarchies: [.init(controllers: [], isUnified: true, mountPoint: root)]), root)
    }

    @Test func placesKillsAndRemoves() throws {
        try withSubtree { layout, root in
            let plan = try CgroupPlan(path: "/a/b", layout: layout)
            defer { cleanUp(plan, parents: ["/a"]) }
            try plan.create()
            #expect(plan.cgroup.directories == [.init(controllers: "", path: root + "/a/b")])
            #expect(try plan.open().raw >= 0)
            let child = try Child.sleeping()
            try plan.place(child.pid)
            #expect(read("/proc/\(child.pid)/cgroup")?.contains("0::/") == true)
            #expect(try plan.cgroup.processes() == [child.pid])
            let failure = #expect(throws: Failure.self) {
                try CgroupPlan(path: "/a/b", layout: layout).create()
            }
            #expect(failure?.message == "container's cgroup is not empty: 1 process(es) found")
            #expect(child.process.isRunning)
            try plan.cgroup.signalAll(SIGTRAP)
            child.process.waitUntilExit()
            #expect(child.process.terminationStatus == SIGTRAP)
            try plan.cgroup.remove()
            try plan.cgroup.remove()
            #expect(!exists(root + "/a/b"))
        }
    }

    @Test func nestedAndFrozenProcessesAreKilled() throws {
        try withSubtree { layout, root in
            let plan = try CgroupPlan(path: "/a", layout: layout)
            defer { cleanUp(plan) }
            try plan.create()
            try FileManager.default.createDirectory(
                atPath: root + "/a/x/y", withIntermediateDirectories: true)
            let child = try Child.sleeping()
            #expect(CgroupFile.write(String(child.pid), to: root + "/a/x/y/cgroup.procs") == 0)
            #expect(try plan.cgroup.processes() == [child.pid])
            #expect(plan.cgroup.freeze(milliseconds: 1000))
            #expect(try plan.cgroup.isFrozen())
            try plan.cgroup.remove()
            child.process.waitUntilExit()
            #expect(child.process.terminationStatus == SIGKILL)
            #expect(!exists(root + "/a"))
        }
    }

    @Test func frozenCgroupIsRefused() throws {
        try withSubtree { layout, _ in
            let plan = try CgroupPlan(path: "/a", layout: layout)
            defer { cleanUp(plan) }
            try plan.create()
            #expect(plan.cgroup.freeze(milliseconds: 1000))
            let failure = #expect(throws: Failure.self) {
                try CgroupPlan(path: "/a", layout: layout).create()
            }
            #expect(failure?.message == "container's cgroup unexpectedly frozen")
            try plan.cgroup.thaw()
            #expect(try !plan.cgroup.isFrozen())
            #expect(throws: Never.self) { try CgroupPlan(path: "/a", layout: layout).create() }
        }
    }

    @Test func threadedParent() throws {
        try withSubtree { layout, root in
            try FileManager.default.createDirectory(atPath: root + "/p/t", withIntermediateDirectories: true)
            defer {
                _ = rmdir(root + "/p/t")
                _ = rmdir(root + "/p")
            }
            #expect(CgroupFile.write("threaded", to: root + "/p/t/cgroup.type") == 0)
            let plan = try CgroupPlan(path: "/p/t/leaf", layout: layout)
            let failure = #expect(throws: Failure.self) { try plan.create() }
            #expect(
                failure?.message.hasPrefix("the cgroup is of type \"domain invalid\"") == true,
                "\(String(describing: failure))")
            #expect(!exists(root + "/p/t/leaf"))
        }
    }

    @Test func controllerThatIsNotThere() throws {
        try withSubtree { layout, root in
            let plan = try CgroupPlan(path: "/p/leaf", layout: layout) { $0.pids = .init(limit: 10) }
            let failure = #expect(throws: Failure.self) { try plan.create() }
            #expect(failure?.place == "linux.resources.pids.limit")
            #expect(failure?.message.hasPrefix("needs the cgroup controller pids: ") == true)
            #expect(!exists(root + "/p"))
        }
    }

    /// From the top of what is ours: the host's root is everybody's, and other tests enable controllers there.
    @Test(.enabled(if: Host.handsControllersOn, "the host's version 2 hands on no controllers"))
    func controllersAreEnabledDownTheTree() throws {
        try withSubtree(controllers: true) { layout, root in
            let available = { Set((read(root + "/cgroup.controllers") ?? "").split(separator: " ")) }
            let before = available()
            let plan = try CgroupPlan(path: "/parent/leaf", layout: layout)
            defer { cleanUp(plan, parents: ["/parent"]) }
            try plan.create()
            let leaf = plan.cgroup.directories[0].path
            let enabled = Set((read(leaf + "/cgroup.controllers") ?? "").split(separator: " "))
            #expect(!enabled.isEmpty && enabled.isSuperset(of: before) && enabled.isSubset(of: available()))

            // A parent with processes cannot hand on; without a limit that needs it, that is no error.
            let busy = try CgroupPlan(path: "/parent/leaf/below", layout: layout)
            let child = try Child.sleeping()
            try plan.place(child.pid)
            try busy.create()
            #expect(read(busy.cgroup.directories[0].path + "/cgroup.controllers") == "")
            try busy.cgroup.remove()
        }
    }

    @Test func whoeverHasChildrenWithControllersTakesNoProcess() {
        let directory = Cgroup.Directory(controllers: "", path: "/sys/fs/cgroup/a")
        #expect(
            CgroupPlan.placementFailure(EBUSY, 7, directory).description
                == "cannot put process 7 into the cgroup: controllers are enabled for its children, so it must have "
                + "no processes: write 7 to /sys/fs/cgroup/a/cgroup.procs: device or resource busy")
    }
}

/// The eBPF program, loaded and asked by real opens.
@Suite(.enabled(if: Host.hasVersion2, "needs root and a cgroup v2 mount")) struct DeviceProgramTests {
    private func run(_ rules: [DeviceRule], _ script: String) throws -> String {
        let root = Host.unified!.mountPoint + "/" + freshName()
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        defer { #expect(rmdir(root) == 0) }
        let layout = Layout(hierarchies: [.init(controllers: [], isUnified: true, mountPoint: root)])
        let plan = try CgroupPlan(path: "/a", layout: layout) { $0.devices = rules }
        defer { cleanUp(plan) }
        try plan.create()
        let child = try Child("echo $$ > \(root)/a/cgroup.procs\nexec 2>&-\n" + script)
        return child.finish().split(separator: "\n").joined(separator: " ")
    }

    private static let probes = """
        (exec 3< /dev/zero) && echo zero-r
        (exec 3> /dev/zero) && echo zero-w
        (exec 3<> /dev/zero) && echo zero-rw
        (exec 3< /dev/kmsg) && echo kmsg-r
        (exec 3> /dev/kmsg) && echo kmsg-w
        """

    @Test func whatEveryContainerMayUse() throws {
        #expect(try run([], Self.probes) == "zero-r zero-w zero-rw")
        #expect(try run([DevicePolicyTests.denyAll], Self.probes) == "zero-r zero-w zero-rw")
    }

    @Test func everything() throws {
        #expect(
            try run([DeviceRule(allow: true)], Self.probes) == "zero-r zero-w zero-rw kmsg-r kmsg-w")
    }

    @Test func kindsOfAccess() throws {
        let reading = DeviceRule(allow: true, type: .character, major: 1, minor: 11, access: "r")
        #expect(try run([reading], Self.probes) == "zero-r zero-w zero-rw kmsg-r")
        let writing = DeviceRule(allow: true, type: .character, major: 1, minor: 11, access: "w")
        let both = try run([reading, writing], Self.probes + "\n(exec 3<> /dev/kmsg) && echo kmsg-rw")
        #expect(both == "zero-r zero-w zero-rw kmsg-r kmsg-w kmsg-rw")
    }

    /// A later rule wins, also inside a broader one: what version 1 cannot express.
    @Test func order() throws {
        let all = DeviceRule(allow: true, type: .character, access: "rwm")
        let noKmsg = DeviceRule(allow: false, type: .character, major: 1, minor: 11, access: "w")
        #expect(try run([all, noKmsg], Self.probes) == "zero-r zero-w zero-rw kmsg-r")
        #expect(try run([noKmsg, all], Self.probes) == "zero-r zero-w zero-rw kmsg-r kmsg-w")
    }

    @Test func denialsFromEverything() throws {
        let everything = DeviceRule(allow: true)
        let kmsg = DeviceRule(allow: false, type: .character, major: 1, minor: 11, access: "rwm")
        #expect(try run([everything, kmsg], Self.probes) == "zero-r zero-w zero-rw")
        // Of block devices only.
        let blocks = DeviceRule(allow: false, type: .block, access: "rwm")
        #expect(try run([everything, blocks], Self.probes) == "zero-r zero-w zero-rw kmsg-r kmsg-w")
    }

    /// Nodes may be made, not opened.
    @Test func makingNodes() throws {
        // /tmp is often a file system without devices.
        let directory = "/var/tmp/" + freshName()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let script = """
            rm -f \(directory)/m
            mknod \(directory)/m c 1 11 && echo made
            (exec 3< \(directory)/m) || echo closed
            """
        #expect(try run([], script) == "made closed")
        #expect(try run([DeviceRule(allow: true), DeviceRule(allow: false, access: "m")], script) == "made")
    }
}
