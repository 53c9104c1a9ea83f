import CLinux
import Diagnostics
import Foundation
import OCI
import Testing

@testable import Cgroups

/// On this host's version 1 hierarchies, as root. Elsewhere skipped: there is no other kernel to ask.
@Suite(.enabled(if: Host.hasVersion1, "needs root and cgroup v1")) struct LegacyTests {
    let layout = Host.layout!

    @Test func limitsPlacesAndRemoves() throws {
        let name = freshName()
        let plan = try CgroupPlan(path: "/" + name, layout: layout) {
            $0.memory = ResourceSettingsTests.memory {
                $0.limit = 64 << 20
                $0.reservation = 32 << 20
                $0.swap = 96 << 20
                $0.swappiness = 10
                $0.disableOOMKiller = true
            }
            $0.cpu = ResourceSettingsTests.cpu {
                $0.shares = 512
                $0.period = 200_000
                $0.quota = 100_000
                $0.burst = 50_000
                $0.cpus = "0"
            }
            $0.pids = .init(limit: 20)
        }
        defer { cleanUp(plan) }
        try plan.create()

        let memory = plan.directory("memory")
        #expect(read(memory + "/memory.limit_in_bytes") == String(64 << 20))
        #expect(read(memory + "/memory.soft_limit_in_bytes") == String(32 << 20))
        #expect(read(memory + "/memory.memsw.limit_in_bytes") == String(96 << 20))
        #expect(read(memory + "/memory.swappiness") == "10")
        #expect(read(memory + "/memory.oom_control")?.hasPrefix("oom_kill_disable 1") == true)
        let cpu = plan.directory("cpu")
        #expect(read(cpu + "/cpu.shares") == "512")
        #expect(read(cpu + "/cpu.cfs_period_us") == "200000")
        #expect(read(cpu + "/cpu.cfs_quota_us") == "100000")
        #expect(read(cpu + "/cpu.cfs_burst_us") == "50000")
        let cpuset = plan.directory("cpuset")
        #expect(read(cpuset + "/cpuset.cpus") == "0")
        #expect(read(cpuset + "/cpuset.mems") == read("/sys/fs/cgroup/cpuset/cpuset.mems"))
        #expect(read(plan.directory("pids") + "/pids.max") == "20")

        #expect(try plan.cgroup.isEmpty())
        let child = try Child.sleeping()
        try plan.place(child.pid)
        let own = OwnCgroups(Array((read("/proc/\(child.pid)/cgroup") ?? "").utf8))
        for hierarchy in layout.hierarchies { #expect(own.path(in: hierarchy) == "/" + name, "\(hierarchy)") }
        #expect(try plan.cgroup.processes() == [child.pid])
        #expect(try !plan.cgroup.isFrozen())

        try plan.cgroup.signalAll(SIGTRAP)
        child.process.waitUntilExit()
        #expect(child.process.terminationStatus == SIGTRAP)
        try plan.cgroup.remove()
        #expect(plan.cgroup.directories.allSatisfy { !exists($0.path) })
        // Gone is as good as removed.
        try plan.cgroup.remove()
        try plan.cgroup.removeUnused()
        #expect(try plan.cgroup.processes().isEmpty)
        #expect(try !plan.cgroup.isFrozen())
        try plan.cgroup.signalAll(SIGTRAP)
        try plan.cgroup.thaw()
    }

    /// runc leaves parents behind, too: others may be about to use them.
    @Test func missingParentsAreMadeAndUsable() throws {
        let name = freshName()
        let plan = try CgroupPlan(path: "/\(name)/a/b", layout: layout)
        defer { cleanUp(plan, parents: ["/\(name)/a", "/\(name)"]) }
        try plan.create()
        #expect(
            read("/sys/fs/cgroup/cpuset/\(name)/cpuset.cpus") == read("/sys/fs/cgroup/cpuset/cpuset.cpus"))
        let child = try Child.sleeping()
        try plan.place(child.pid)
        #expect(try plan.cgroup.processes() == [child.pid])
    }

    @Test func cgroupInUseIsRefusedAndLeftAlone() throws {
        let path = "/" + freshName()
        let plan = try CgroupPlan(path: path, layout: layout)
        defer { cleanUp(plan) }
        try plan.create()
        let child = try Child.sleeping()
        try plan.place(child.pid)

        let other = try CgroupPlan(path: path, layout: layout)
        let failure = #expect(throws: Failure.self) { try other.create() }
        #expect(failure?.message == "container's cgroup is not empty: 1 process(es) found")
        #expect(failure?.kind == .state)
        // What a refused start does to clean up.
        try other.cgroup.removeUnused(patience: 20)
        #expect(child.process.isRunning)
        #expect(try plan.cgroup.processes() == [child.pid])
    }

    @Test func frozenCgroupIsRefused() throws {
        let path = "/" + freshName()
        let plan = try CgroupPlan(path: path, layout: layout)
        defer { cleanUp(plan) }
        try plan.create()
        #expect(plan.cgroup.freeze(milliseconds: 500))
        #expect(try plan.cgroup.isFrozen())
        let failure = #expect(throws: Failure.self) { try CgroupPlan(path: path, layout: layout).create() }
        #expect(failure?.message == "container's cgroup unexpectedly frozen")
        try plan.cgroup.thaw()
        #expect(try !plan.cgroup.isFrozen())
    }

    /// Engines make some cgroups beforehand. Limits go up and down there, whichever of the two must be first.
    @Test(arguments: [(100, 100), (50, 60), (200, 300), (10, 10)])
    func emptyCgroupIsTaken(limit: Int64, swap: Int64) throws {
        let path = "/" + freshName()
        let before = try CgroupPlan(path: path, layout: layout) {
            $0.memory = ResourceSettingsTests.memory {
                $0.limit = 70 << 20
                $0.swap = 80 << 20
            }
        }
        defer { cleanUp(before) }
        try before.create()
        let plan = try CgroupPlan(path: path, layout: layout) {
            $0.memory = ResourceSettingsTests.memory {
                $0.limit = limit << 20
                $0.swap = swap << 20
            }
        }
        try plan.create()
        let memory = plan.directory("memory")
        #expect(read(memory + "/memory.limit_in_bytes") == String(limit << 20))
        #expect(read(memory + "/memory.memsw.limit_in_bytes") == String(swap << 20))
    }

    @Test func refusedValuesNameTheirPropertyAndLeaveNothing() throws {
        let name = freshName()
        let cases: [(String, (inout Resources) -> Void)] = [
            ("linux.resources.cpu.cpus", { $0.cpu = ResourceSettingsTests.cpu { $0.cpus = "4000" } }),
            ("linux.resources.cpu.cpus", { $0.cpu = ResourceSettingsTests.cpu { $0.cpus = "x" } }),
            ("linux.resources.cpu.mems", { $0.cpu = ResourceSettingsTests.cpu { $0.mems = "63" } }),
            ("linux.resources.cpu.period", { $0.cpu = ResourceSettingsTests.cpu { $0.period = 1 } }),
            ("linux.resources.cpu.quota", { $0.cpu = ResourceSettingsTests.cpu { $0.quota = 1 } }),
            ("linux.resources.pids.limit", { $0.pids = .init(limit: .max) }),
        ]
        for (place, change) in cases {
            let plan = try CgroupPlan(path: "/\(name)/leaf", layout: layout, change)
            let failure = #expect(throws: Failure.self) { try plan.create() }
            #expect(failure?.place == place, "\(String(describing: failure))")
            #expect(failure?.cause != nil)
            for hierarchy in layout.hierarchies {
                #expect(!exists(hierarchy.mountPoint + "/" + name), "\(place)")
            }
        }
    }

    @Test func controllerThatIsNotMounted() throws {
        let without = Layout(hierarchies: layout.hierarchies.filter { !$0.controllers.contains("pids") })
        let failure = #expect(throws: Failure.self) {
            try CgroupPlan(path: "/x", layout: without) { $0.pids = .init(limit: 3) }
        }
        #expect(
            failure?.description
                == "linux.resources.pids.limit: needs the cgroup controller pids, which is not mounted")
        #expect(throws: Never.self) { try CgroupPlan(path: "/x", layout: without) }
    }

    /// The kernel charges forks, and stage 2 enters when it is forked.
    @Test func tightPidsLimitIsWrittenAtOnce() throws {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout) { $0.pids = .init(limit: 0) }
        defer { cleanUp(plan) }
        try plan.create()
        #expect(read(plan.directory("pids") + "/pids.max") == "1")
    }

    /// How stage 1 does it: version 2's directory first, a process that writes 0 into each file of the
    /// others.
    @Test func processEntersByItself() throws {
        let name = freshName()
        let plan = try CgroupPlan(path: "/" + name, layout: layout)
        defer { cleanUp(plan) }
        try plan.create(.unified)
        #expect(plan.cgroup.directories.allSatisfy { exists($0.path) == $0.isUnified })
        try plan.create(.legacy)
        #expect(plan.cgroup.directories.allSatisfy { exists($0.path) })
        let entrances = plan.entrances.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(plan.entrances.last == 0)
        #expect(entrances.count == layout.hierarchies.count { !$0.isUnified })
        let enter = entrances.map { "echo 0 > \($0)" }.joined(separator: "\n")
        let own = OwnCgroups(Array(try Child(enter + "\ncat /proc/self/cgroup").finish().utf8))
        for hierarchy in layout.hierarchies where !hierarchy.isUnified {
            #expect(own.path(in: hierarchy) == "/" + name, "\(hierarchy)")
        }
    }

    @Test func processThatIsGone() throws {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout)
        defer { cleanUp(plan) }
        try plan.create()
        let child = try Child("exit 0")
        _ = child.finish()
        let failure = #expect(throws: Failure.self) { try plan.place(child.pid) }
        #expect(failure?.cause?.errno.rawValue == ESRCH)
    }
}

@Suite(.enabled(if: Host.hasVersion1, "needs root and cgroup v1")) struct LegacyRemovalTests {
    let layout = Host.layout!

    /// Processes that outlive the container's first one, and cgroups that it made.
    @Test func nestedCgroupsWithProcesses() throws {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout)
        defer { cleanUp(plan) }
        try plan.create()
        var children: [Child] = []
        for controller in ["freezer", "memory", "pids"] {
            let nested = plan.directory(controller) + "/a/b"
            try FileManager.default.createDirectory(atPath: nested, withIntermediateDirectories: true)
            let child = try Child.sleeping()
            #expect(CgroupFile.write(String(child.pid), to: nested + "/cgroup.procs") == 0)
            children.append(child)
        }
        #expect(try plan.cgroup.processes() == [children[0].pid])
        try plan.cgroup.remove()
        for child in children {
            child.process.waitUntilExit()
            #expect(child.process.terminationStatus == SIGKILL)
        }
        #expect(plan.cgroup.directories.allSatisfy { !exists($0.path) })
    }

    @Test func pausedProcesses() throws {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout)
        defer { cleanUp(plan) }
        try plan.create()
        let child = try Child.sleeping()
        try plan.place(child.pid)
        #expect(plan.cgroup.freeze(milliseconds: 500))
        // Waits until it is thawed.
        try plan.cgroup.signalAll(SIGTRAP)
        #expect(try plan.cgroup.isFrozen())
        #expect(child.process.isRunning)
        try plan.cgroup.remove()
        child.process.waitUntilExit()
        #expect([SIGKILL, SIGTRAP].contains(child.process.terminationStatus))
    }

    /// A process that forks all the time is still caught.
    @Test func forkingProcesses() throws {
        for hasFreezer in [true, false] {
            let layout = Layout(
                hierarchies: layout.hierarchies.filter { hasFreezer || !$0.controllers.contains("freezer") })
            let plan = try CgroupPlan(path: "/" + freshName(), layout: layout) { $0.pids = .init(limit: 200) }
            defer { cleanUp(plan) }
            try plan.create()
            let enter = plan.cgroup.directories.map { "echo $$ > \($0.path)/cgroup.procs" }.joined(
                separator: "\n")
            let script = enter + "\nexec 2>/dev/null; while :; do sleep 1000 & sleep 0.001; done"
            for viaRemoval in [false, true] {
                let fork = try Child(script)
                var patience = 1000
                while try plan.cgroup.processes().count < 3, patience > 0 {
                    usleep(10_000)
                    patience -= 1
                }
                #expect(patience > 0)
                if viaRemoval { try plan.cgroup.remove() } else { try plan.cgroup.signalAll(SIGKILL) }
                fork.process.waitUntilExit()
            }
        }
    }

    /// A damaged record may name the root, where all processes of the host are.
    @Test func rootsAreRefused() throws {
        for hierarchy in layout.hierarchies {
            let directory = Cgroup.Directory(controllers: hierarchy.label, path: hierarchy.mountPoint)
            #expect(throws: Failure.self) { try Cgroup(trusted: [directory]).checkIsNoRoot(directory) }
        }
        for path in ["", "/", "/x", "relative/x", "/sys/fs/cgroup/pids/../..", "/sys/.."] {
            #expect(throws: Failure.self) { try Cgroup([.init(controllers: "pids", path: path)]) }
        }
    }
}

@Suite(.enabled(if: Host.hasVersion1, "needs root and cgroup v1")) struct LegacyDevicesTests {
    let layout = Host.layout!

    private func devicesList(_ rules: [DeviceRule]) throws -> [String] {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout) { $0.devices = rules }
        defer { cleanUp(plan) }
        try plan.create()
        return read(plan.directory("devices") + "/devices.list")?.split(separator: "\n").map(String.init)
            ?? []
    }

    @Test func everythingAndNothing() throws {
        #expect(try devicesList([DeviceRule(allow: true)]) == ["a *:* rwm"])
        #expect(try devicesList([DevicePolicyTests.denyAll]) == DevicePolicyTests.standard)
    }

    /// The policy itself, asked of the kernel.
    @Test func whatIsAllowed() throws {
        let plan = try CgroupPlan(path: "/" + freshName(), layout: layout) {
            $0.devices = [
                DevicePolicyTests.denyAll,
                DeviceRule(allow: true, type: .character, major: 1, minor: 11, access: "r"),
            ]
        }
        defer { cleanUp(plan) }
        try plan.create()
        let procs = plan.directory("devices") + "/cgroup.procs"
        let script = """
            echo $$ > \(procs)
            head -c 1 /dev/zero > /dev/null && echo zero
            dd if=/dev/kmsg of=/dev/null bs=8192 count=1 2>/dev/null && echo kmsg-read
            (exec 3> /dev/kmsg) 2>/dev/null || echo kmsg-not-written
            """
        let said = try Child(script).finish()
        #expect(said == "zero\nkmsg-read\nkmsg-not-written\n")
    }

    /// Beside the peer: the same rules, the same devices.list.
    @Test(
        .enabled(if: Host.hasRunc && Host.busybox != nil, "needs runc and busybox"),
        arguments: [
            #"[]"#,
            #"[{"allow":false,"access":"rwm"}]"#,
            #"[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":true,"type":"c","major":10,"minor":229,"access":"m"}]"#,
            #"[{"allow":false,"access":"rwm"},{"allow":true,"type":"b","major":8,"access":"r"},{"allow":true,"type":"c","major":1,"minor":5,"access":"rwm"},{"allow":false,"type":"c","major":10,"minor":229,"access":"rwm"}]"#,
            #"[{"allow":false,"access":"rwm"},{"allow":true,"access":"rwm"}]"#,
        ])
    func asRunc(rules: String) throws {
        let peer = try devicesListOfRunc(rules)
        let parsed = try JSONDecoder().decode([PlainRule].self, from: Data(rules.utf8)).map(\.rule)
        let ours = try devicesList(parsed)
        #expect(ours == peer)
    }

    private struct PlainRule: Decodable {
        var allow: Bool
        var type: String?
        var major: Int64?
        var minor: Int64?
        var access: String?

        var rule: DeviceRule {
            DeviceRule(
                allow: allow, type: type.map { .init(rawValue: $0)! } ?? .all, major: major, minor: minor,
                access: access)
        }
    }

    private func devicesListOfRunc(_ rules: String) throws -> [String] {
        let bundle = FileManager.default.temporaryDirectory.appendingPathComponent(freshName()).path
        let id = freshName()
        try FileManager.default.createDirectory(
            atPath: bundle + "/rootfs/bin", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Host.busybox!, toPath: bundle + "/rootfs/bin/busybox")
        defer { try? FileManager.default.removeItem(atPath: bundle) }
        let config = """
            {"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"user":{"uid":0,"gid":0},"cwd":"/",
            "args":["/bin/busybox","true"]},
            "mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
            "linux":{"namespaces":[{"type":"pid"},{"type":"mount"}],"cgroupsPath":"/\(id)",
            "resources":{"devices":\(rules)}}}
            """
        try config.write(toFile: bundle + "/config.json", atomically: false, encoding: .utf8)
        let root = bundle + "/state"
        let created = try Child(
            "cd \(bundle) && PATH=/usr/sbin:/usr/bin runc --root \(root) create \(id) >/dev/null 2>err </dev/null; cat err"
        )
        let said = created.finish()
        defer { _ = try? Child("PATH=/usr/sbin:/usr/bin runc --root \(root) delete -f \(id)").finish() }
        let list = try #require(read("/sys/fs/cgroup/devices/\(id)/devices.list"), "\(said)")
        return list.split(separator: "\n").map(String.init)
    }
}
