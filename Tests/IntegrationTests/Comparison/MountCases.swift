import Foundation

extension ComparisonCase {
    /// New file systems and their options, many in one container.
    static let fileSystems: [ComparisonCase] =
        [
            ComparisonCase("tmpfs with each option") { bundle in
                let options = [
                    [], ["ro"], ["rw"], ["nosuid"], ["nodev"], ["noexec"], ["noatime"], ["relatime"],
                    ["strictatime"],
                    ["nodiratime"], ["noatime", "nodiratime"], ["sync"], ["dirsync"], ["ro", "rw"],
                    ["nosuid", "suid"],
                    ["nodev", "dev"], ["noexec", "exec"], ["noatime", "atime"], ["size=1m"], ["mode=1770"],
                    ["nr_inodes=100"], ["uid=1000", "gid=1001"], ["size=1m,mode=700"],
                    ["mode=0755", "ro", "nosuid"],
                    ["private"], ["rprivate"], ["shared"], ["rshared"], ["slave"], ["rslave"], ["unbindable"],
                    ["runbindable"], ["shared", "nosuid", "noexec"], ["iversion"], ["lazytime"], ["silent"],
                ]
                for (number, options) in options.enumerated() {
                    bundle.mount("/tmpfs/\(number)", "tmpfs", "name\(number)", options)
                }
            },
            ComparisonCase("tmpfs over directories with modes of their own") { bundle in
                for (name, mode) in [("open", 0o1777), ("closed", 0o700), ("setgid", 0o2775)]
                    as [(String, mode_t)]
                {
                    try bundle.makeDirectory(name, mode: mode)
                    chown(bundle.rootfs + "/" + name, 1000, 1001)
                    bundle.mount("/" + name, "tmpfs", "tmpfs", ["nosuid"])
                }
                try bundle.makeDirectory("readonly", mode: 0o711)
                bundle.mount("/readonly", "tmpfs", "tmpfs", ["ro"])
            },
            ComparisonCase("tmpfs over a directory, with a mode as an option", alone: true) { bundle in
                try bundle.makeDirectory("given", mode: 0o700)
                bundle.mount("/given", "tmpfs", "tmpfs", ["mode=0750"])
            },
            ComparisonCase("tmpfs with what the directory held") { bundle in
                for (name, mode) in [("held", 0o1775), ("held/inner", 0o755), ("held/own", 0o700)]
                    as [(String, mode_t)]
                {
                    try bundle.makeDirectory(name, mode: mode)
                }
                chown(bundle.rootfs + "/held/inner", 1000, 1001)
                try bundle.makeFile("held/file", "text", mode: 0o4750)
                try bundle.makeFile("held/own/file", String(repeating: "x", count: 100_000), mode: 0o600)
                try bundle.makeLink("held/inner/link", to: "/etc/passwd")
                try bundle.makeLink("also-held", to: "held/inner")
                let options = ["tmpcopyup", "nosuid", "rprivate"]
                bundle.mount("/held", "tmpfs", "tmpfs", options + ["size=1m"])
                bundle.mount("/held/own/mount", "tmpfs", "tmpfs", options)
                bundle.mount("/also-held", "tmpfs", "tmpfs", options + ["ro"])
                bundle.mount("/made", "tmpfs", "tmpfs", options)
            },
            ComparisonCase("tmpfs that is too small for what the directory held", .refused) { bundle in
                try bundle.makeFile("tmp/large", String(repeating: "x", count: 100_000))
                bundle.mount("/tmp", "tmpfs", "tmpfs", ["tmpcopyup", "size=64k"])
            },
            ComparisonCase("mounts inside mounts") { bundle in
                bundle.mount("/outer", "tmpfs", "outer", ["ro"])
                bundle.mount("/outer/middle", "tmpfs", "middle", ["mode=750"])
                bundle.mount("/outer/middle/inner", "bind", try bundle.sourceDirectory(), ["bind", "ro"])
                bundle.mount("/outer/middle/file", "bind", try bundle.sourceFile(), ["bind"])
            },
            ComparisonCase("mounts on top of each other") { bundle in
                bundle.mount("/place", "tmpfs", "first", ["size=1m"])
                bundle.mount("/place/beneath", "tmpfs", "hidden", [])
                bundle.mount("/place", "tmpfs", "second", ["size=2m", "nosuid"])
                bundle.mount("/place/", "tmpfs", "third", [])
            },
            ComparisonCase("procfs options") { bundle in
                bundle.remount("/proc", ["nosuid", "noexec", "nodev", "relatime", "hidepid=2"])
            },
            ComparisonCase("second procfs and sysfs") { bundle in
                bundle.mount("/other/proc", "proc", "proc", ["ro"])
                bundle.mount("/other/sys", "sysfs", "sysfs", [])
            },
            ComparisonCase("mqueue, devpts and shm elsewhere") { bundle in
                bundle.mount("/queues", "mqueue", "queues", ["nosuid"])
                bundle.mount(
                    "/terminals", "devpts", "terminals",
                    ["newinstance", "ptmxmode=0600", "mode=0600", "noexec"])
                bundle.remount("/dev/shm", ["size=8m", "mode=1700", "nosuid"])
            },
            ComparisonCase("no mounts but procfs") { bundle in
                bundle.set("mounts", [["destination": "/proc", "type": "proc", "source": "proc"]])
            },
            ComparisonCase("writable sysfs") { $0.remount("/sys", ["nosuid", "noexec", "nodev", "rw"]) },
            ComparisonCase("read-only /dev") {
                $0.remount("/dev", ["nosuid", "strictatime", "mode=755", "size=65536k", "ro"])
            },
            ComparisonCase("tmpfs with defaults", .onlyOurs("runc 1.1.5 hands the word to the kernel")) {
                bundle in
                bundle.mount("/place", "tmpfs", "tmpfs", ["defaults"])
            },
            ComparisonCase("unknown type of file system", .refused) {
                $0.mount("/place", "nonesuch", "none", [])
            },
            ComparisonCase("unknown option", .refused) {
                $0.mount("/place", "tmpfs", "tmpfs", ["nonesuch=1"])
            },
            ComparisonCase(
                "destination inside procfs",
                JustifiedDifference.peerIsOfDebian12
                    ? .onlyPeer("is inside /proc", "runc 1.1.5 looks only at bind mounts") : .refused
            ) { $0.mount("/proc/sys/fs", "tmpfs", "tmpfs", []) },
            ComparisonCase("tmpfs at /proc", .refused) { bundle in
                bundle.set("mounts", [["destination": "/proc", "type": "tmpfs", "source": "tmpfs"]])
            },
            ComparisonCase("tmpfs at a file", .refused) { bundle in
                try bundle.makeFile("plain")
                bundle.mount("/plain", "tmpfs", "tmpfs", [])
            },
            ComparisonCase("ext4 of a loop device's kind without a device", .refused) { bundle in
                bundle.mount("/place", "ext4", try bundle.sourceFile(), [])
            },
        ] + overlays + cgroups

    private static let overlays: [ComparisonCase] =
        [
            ("short", 2, 8), ("longer than 255 bytes", 6, 60), ("longer than a kilobyte", 30, 60),
            ("longer than a page", 60, 80),
        ].map {
            name, count, length in
            ComparisonCase("overlay, lowerdir \(name)", count * length > 4096 ? .refused : .same) { bundle in
                let layers = try (0..<count).map { number in
                    let name = "\(number)".padding(toLength: length, withPad: "x", startingAt: 0)
                    return try bundle.sourceDirectory(name)
                }
                let upper = try bundle.sourceDirectory("upper")
                let work = bundle.directory + "/work"
                try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
                bundle.mount(
                    "/merged", "overlay", "overlay",
                    [
                        "lowerdir=" + layers.joined(separator: ":"), "upperdir=" + upper, "workdir=" + work,
                        "nosuid",
                    ])
                bundle.mount(
                    "/lower", "overlay", "overlay", ["ro", "lowerdir=" + layers.joined(separator: ":")])
            }
        }

    private static let cgroups: [ComparisonCase] = [true, false].flatMap { isPrivate in
        [["ro"], ["rw"], ["nosuid", "noexec", "nodev", "relatime", "ro"], ["rslave", "ro"]].map { options in
            ComparisonCase(
                "cgroup mount \(options.joined(separator: ",")), \(isPrivate ? "namespace of its own" : "host's namespace")"
            ) { bundle in
                if isPrivate { bundle.append("linux.namespaces", ["type": "cgroup"]) }
                bundle.remount("/sys/fs/cgroup", options)
            }
        }
    }
}
