import CPlan
import Diagnostics
import OCI
import Testing

@testable import Plan

/// Mounts, their targets, and the root file system.
@Suite struct PlannerMountTests {
    @Test func tmpfs() {
        // runc 1.1.5 gives a tmpfs the mode of the directory below it; an explicit mode wins since runc
        // 1.1.9.
        #expect(
            mountSteps(
                .init(destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"])) == [
                    "find or make the mount point /t",
                    "make a tmpfs for /t  nosuid  source=tmpfs,size=1m  mode of the directory that is there",
                    "mount tmpfs on /t",
                ])
        #expect(
            mountSteps(.init(destination: "/t", type: "tmpfs", source: "s", options: ["mode=1777"]))[1]
                == "make a tmpfs for /t  source=s,mode=1777")
    }

    /// What is copied is what was there, before anything else is done to the mount.
    @Test func copyUp() {
        let copy = "copy what /t holds into the tmpfs that goes on it"
        func tmpfs(_ options: String...) -> [String] {
            mountSteps(.init(destination: "/t", type: "tmpfs", source: "s", options: options))
        }
        #expect(
            tmpfs("tmpcopyup", "rro", "rprivate") == [
                "find or make the mount point /t",
                "make a tmpfs for /t  source=s  mode of the directory that is there", copy,
                "make the mount /t and all below it ro", "mount tmpfs on /t",
                "make the mount /t rprivate",
            ])
        #expect(tmpfs("tmpcopyup", "ro").suffix(3) == [copy, "mount tmpfs on /t", "make the mount /t ro"])
        let long = tmpfs("tmpcopyup", "silent")
        #expect(long.count == 4 && long[1].hasPrefix("mount tmpfs on /t") && long[3] == copy)
    }

    /// A tmpfs and /dev become read-only when everything is in them, and only as mounts: mountinfo ends in
    /// "rw".
    @Test func readOnlyLater() throws {
        for destination in ["/t", "/dev"] {
            let type = destination == "/t" ? "tmpfs" : "ramfs"
            let spec = smallSpec {
                $0.mounts = [
                    .init(destination: destination, type: type, source: "s", options: ["ro", "nosuid"])
                ]
            }
            let plan = try plan(spec)
            let steps = steps(of: plan, "mounts[0]")
            #expect(steps[1].hasPrefix("make a \(type) for \(destination)  nosuid  source=s"))
            #expect(steps.last == "make the mount \(destination) ro")
            let pivot = try #require(plan.ops.firstIndex { $0.code == .pivot })
            let last = try #require(plan.ops.lastIndex { $0.origin.path == "mounts[0]" })
            #expect(last > pivot)
        }
        #expect(
            mountSteps(.init(destination: "/dev", type: "bind", source: "/dev", options: ["rbind", "ro"]))
                == [
                    "clone the mount of /dev and all below it", "find or make the mount point /dev",
                    "make the mount /dev without ro,nosuid,nodev,noexec,nosymfollow", "mount /dev on /dev",
                    "make the mount /dev ro",
                ])
    }

    @Test func bindSources() {
        #expect(
            mountSteps(.init(destination: "/b", type: "none", source: "sub/dir", options: ["bind"]))[0]
                == "clone the mount of /srv/box/sub/dir")
        #expect(
            mountSteps(.init(destination: "/b", type: "ext4", source: "/s", options: ["rbind"]))[0]
                == "clone the mount of /s and all below it")
        #expect(
            mountSteps(.init(destination: "/b", source: nil, options: ["rbind"]))
                == ["mounts[0].source: a bind mount needs a source"])
        #expect(
            mountSteps(.init(destination: "/b", type: "bind", source: "/s"))
                == [
                    "mounts[0].type: \"bind\" is no file system; a bind mount has \"bind\" or \"rbind\" among its options"
                ])
        #expect(
            mountSteps(.init(destination: "/b", source: "/s"))
                == ["mounts[0].type: must be given, unless \"bind\" or \"rbind\" is among the options"])
    }

    @Test func destinations() {
        func target(_ destination: String) -> String {
            mountSteps(.init(destination: destination, type: "ramfs", source: "s"))[0]
        }
        #expect(target("rel/dest") == "find or make the mount point /rel/dest")
        #expect(target("/a//b/./c/../d/") == "find or make the mount point /a/b/d")
        #expect(target("/a/../../../b") == "find or make the mount point /b")
        #expect(target("/...") == "find or make the mount point /...")
        let root =
            "mounts[0].destination: must not be \"/\": what is mounted there would hide the root file system"
        for destination in ["/", "//", "/a/..", "/.", "."] { #expect(target(destination) == root) }
        #expect(target("") == "mounts[0].destination: must not be empty")
    }

    /// CVE-2019-16884, CVE-2023-27561 and the like.
    @Test func procIsProtected() {
        let noSymlinks = "find or make the mount point"
        #expect(
            mountSteps(.init(destination: "/proc", type: "proc", source: "proc"))[0]
                == "\(noSymlinks) /proc  no symlinks on the way")
        #expect(
            mountSteps(.init(destination: "/sys", type: "sysfs", source: "sysfs"))[0]
                == "\(noSymlinks) /sys  no symlinks on the way")
        let notProc = "mounts[0].destination: /proc must be a proc file system, or a bind mount of one"
        #expect(mountSteps(.init(destination: "/proc", type: "tmpfs", source: "t")) == [notProc])
        #expect(mountSteps(.init(destination: "/proc", source: "/s", options: ["bind"])) == [notProc])
        #expect(mountSteps(.init(destination: "/x/../proc/", type: "tmpfs", source: "t")) == [notProc])

        var facts = TestHost.facts()
        facts.procfsSources = [0]
        #expect(
            mountSteps(.init(destination: "/proc", source: "/proc", options: ["rbind"]), facts: facts).count
                == 3)

        for path in [
            "/proc/cpuinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
        ] {
            #expect(mountSteps(.init(destination: path, source: "/s", options: ["bind"])).count == 3)
        }
        for path in ["/proc/self/attr", "/proc/sys", "/proc/cpuinfo/x", "/proc/a"] {
            let refused = ["mounts[0].destination: \(path) is inside /proc, where nothing may be mounted"]
            #expect(mountSteps(.init(destination: path, source: "/s", options: ["bind"])) == refused)
            #expect(mountSteps(.init(destination: path, type: "tmpfs", source: "s")) == refused)
        }
        // A path that only begins alike is not inside; whether a symlink leads there, the init sees.
        #expect(mountSteps(.init(destination: "/process", type: "tmpfs", source: "s")).count == 3)
    }

    @Test func rootPropagation() throws {
        func lines(_ value: String?) throws -> [String] {
            let spec = smallSpec { $0.linux?.rootfsPropagation = value }
            let plan = try plan(spec)
            return plan.ops.indices.filter { plan.ops[$0].code == .propagation }.map { plan.words(at: $0) }
        }
        #expect(try lines(nil) == ["make the mount / rslave"])
        #expect(try lines("rslave") == ["make the mount / rslave"])
        #expect(try lines("rprivate") == ["make the mount / rprivate"])
        // runc makes the mount that holds the rootfs private where it may be shared.
        #expect(
            try lines("slave") == [
                "make the mount / slave", "make the mount that holds /srv/box/rootfs private",
            ])
        #expect(
            try lines("private") == [
                "make the mount / private", "make the mount that holds /srv/box/rootfs private",
            ])
        #expect(
            try lines("rshared") == [
                "make the mount / rshared", "make the mount that holds /srv/box/rootfs private",
                "make the mount / shared",
            ])
        #expect(try lines("unbindable") == ["make the mount / rslave", "make the mount / unbindable"])
        #expect(
            refusal(smallSpec { $0.linux?.rootfsPropagation = "nosuid" })
                == "linux.rootfsPropagation: must be shared, slave, private, unbindable, or one of them with an r before it"
        )
    }

    @Test func enteringTheRoot() throws {
        var options = TestHost.options
        #expect(try plan(smallSpec()).ops.contains { $0.code == .pivot })
        options.noPivot = true
        let moved = try plan(smallSpec(), options: options)
        #expect(moved.ops.contains { $0.code == .moveRoot } && !moved.ops.contains { $0.code == .pivot })

        let bare = smallSpec { $0.linux?.namespaces.removeAll { $0.type == .mount } }
        let plan = try plan(bare)
        #expect(plan.ops.contains { $0.code == .chroot })
        #expect(!plan.ops.contains { $0.code == .propagation || $0.code == .attach || $0.code == .openTree })
        for (change, property) in [
            ({ $0.mounts = [.init(destination: "/t", type: "tmpfs", source: "t")] }, "mounts"),
            ({ $0.linux?.maskedPaths = ["/a"] }, "linux.maskedPaths"),
            ({ $0.linux?.readonlyPaths = ["/a"] }, "linux.readonlyPaths"),
            ({ $0.root?.readonly = true }, "root.readonly"),
        ] as [((inout Spec) -> Void, String)] {
            var spec = bare
            change(&spec)
            #expect(refusal(spec) == "\(property): needs a mount namespace")
        }
    }

    @Test func protectedPaths() throws {
        let spec = smallSpec {
            $0.linux?.readonlyPaths = ["/proc/sys"]
            $0.linux?.maskedPaths = ["/proc/kcore"]
        }
        let plan = try plan(spec)
        #expect(
            steps(of: plan, "linux.readonlyPaths[0]") == [
                "open /proc/sys in the container  if it is there, else skip 3",
                "clone the mount of /proc/sys and all below it", "make the mount /proc/sys ro",
                "mount /proc/sys on /proc/sys",
            ])
        #expect(
            steps(of: plan, "linux.maskedPaths[0]") == [
                "open /proc/kcore in the container  if it is there, else skip 1", "mask /proc/kcore",
            ])
        // The null device is checked before anything is covered with it (CVE-2025-31133).
        let check = try #require(plan.ops.firstIndex { $0.code == .check && $0.raw.src == Slot.null })
        #expect(plan.ops[check].raw.arg1 == 0x103 && plan.ops[check].raw.ok_errno.0 == 0)
        #expect(check < plan.ops.firstIndex { $0.code == .cover }!)
        #expect(
            refusal(smallSpec { $0.linux?.maskedPaths = ["etc"] })
                == "linux.maskedPaths[0]: must be an absolute path")
        #expect(
            refusal(smallSpec { $0.linux?.maskedPaths = ["/a/.."] })
                == "linux.maskedPaths[0]: must not be \"/\"")
        // The root mount itself: what is attached over the root is not what "/" leads to.
        let root = try Planner.plan(
            smallSpec { $0.linux?.readonlyPaths = ["/"] }, facts: TestHost.facts(), options: TestHost.options)
        #expect(steps(of: root, "linux.readonlyPaths[0]") == ["make the mount / ro"])
    }
}

/// Mounts of type cgroup on every layout, with and without a cgroup namespace.
@Suite struct PlannerCgroupTests {
    private func lines(_ layout: CgroupLayout, namespace: Bool, _ options: [String]) throws -> [String] {
        let spec = smallSpec {
            if namespace { $0.linux?.namespaces.append(.init(.cgroup)) }
            $0.mounts = [
                .init(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: options)
            ]
        }
        #expect(Planner.requests(for: spec).contains(.cgroups))
        return steps(of: try plan(spec, facts: TestHost.facts(layout)), "mounts[0]")
    }

    @Test func unified() throws {
        // Without a namespace of its own, the container sees the whole tree, as with runc and crun.
        for namespace in [true, false] {
            #expect(
                try lines(.unified, namespace: namespace, ["nosuid", "ro"]) == [
                    "find or make the mount point /sys/fs/cgroup",
                    "make a cgroup2 for /sys/fs/cgroup  ro,nosuid  source=cgroup,ro",
                    "mount cgroup2 on /sys/fs/cgroup",
                ])
        }
    }

    /// As runc 1.1.5 on a hybrid host: a tmpfs that stays writable, the hierarchies with flags of their own.
    @Test func legacyWithNamespace() throws {
        let tmpfs =
            "make a tmpfs for /sys/fs/cgroup  nosuid,nodev,noexec  source=tmpfs,mode=755  mode of the directory that is there"
        let lines = try lines(TestHost.legacy, namespace: true, ["strictatime", "ro"])
        #expect(lines[1] == tmpfs)
        #expect(
            lines.filter { $0.hasPrefix("make a cgroup") } == [
                "make a cgroup for /sys/fs/cgroup/cpu,cpuacct  ro,nosuid,nodev,noexec  source=cgroup,cpu,cpuacct,ro",
                "make a cgroup for /sys/fs/cgroup/memory  ro,nosuid,nodev,noexec  source=cgroup,memory,ro",
                "make a cgroup for /sys/fs/cgroup/systemd  ro,nosuid,nodev,noexec  source=systemd,name=systemd,ro",
            ])
        #expect(
            lines.suffix(2) == [
                "make the symlink /sys/fs/cgroup/cpu  to cpu,cpuacct",
                "make the symlink /sys/fs/cgroup/cpuacct  to cpu,cpuacct",
            ])
    }

    @Test func legacyWithoutNamespace() throws {
        let lines = try lines(
            TestHost.legacy, namespace: false, ["nosuid", "noexec", "nodev", "relatime", "ro"])
        #expect(
            lines.filter { $0.hasPrefix("clone") } == [
                "clone the mount of /sys/fs/cgroup/cpu,cpuacct/box and all below it",
                "clone the mount of /sys/fs/cgroup/memory/box and all below it",
                "clone the mount of /sys/fs/cgroup/systemd/box and all below it",
            ])
        // All at once, from the tmpfs down; then the tmpfs gets its own attributes back.
        let attributes = try #require(
            lines.firstIndex { $0.hasPrefix("make the mount /sys/fs/cgroup and all below it") })
        #expect(
            Array(lines[attributes...].prefix(2)) == [
                "make the mount /sys/fs/cgroup and all below it ro,nosuid,nodev,noexec, relatime, without nodiratime,nosymfollow",
                "make the mount /sys/fs/cgroup nosuid,nodev,noexec, relatime, without ro,nodiratime,nosymfollow",
            ])
        #expect(attributes > (lines.lastIndex { $0.hasPrefix("mount ") } ?? lines.count))
    }

    /// With the version 2 cgroup in a slot, stage 2 is born in it.
    @Test func birthInTheCgroup() throws {
        var options = TestHost.options
        options.intoCgroup = true
        let fork = try #require(try plan(smallSpec(), options: options).ops.first { $0.code == .fork })
        #expect(fork.raw.src == Slot.cgroup)
        #expect(try plan(smallSpec()).ops.first { $0.code == .fork }?.raw.src == Slot.none)
    }

    @Test func optionsOfHierarchiesAreRefused() {
        let mount = Spec.Mount(destination: "/c", type: "cgroup", source: "cgroup", options: ["memory"])
        #expect(
            mountSteps(mount) == [
                "mounts[0].options[0]: \"memory\" is no option of a mount of all cgroup hierarchies"
            ])
    }
}
