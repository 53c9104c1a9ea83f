import Foundation

extension ComparisonCase {
    /// Bind mounts, and where mounts are put.
    static let binds: [ComparisonCase] = [
        ComparisonCase("bind with each option") { bundle in
            let source = try bundle.sourceDirectory()
            for (number, options) in bindOptions.enumerated() {
                bundle.mount("/bind/\(number)", "bind", source, options)
            }
        },
        ComparisonCase("bind of a mount with options of its own") { bundle in
            let source = try bundle.sourceDirectory("own")
            try await bundle.mountOnHost("--bind", source, at: source)
            try await bundle.mountOnHost(
                "-o", "remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime", at: source)
            for (number, options) in bindOptions.enumerated() {
                bundle.mount("/bind/\(number)", "bind", source, options)
            }
        },
        ComparisonCase("bind of a directory with mounts inside") { bundle in
            let source = try bundle.sourceDirectory("outer")
            try await bundle.mountOnHost(
                "-t", "tmpfs", "-o", "size=1m,noexec", "inner", at: source + "/inner")
            for (number, options) in bindOptions.enumerated() {
                bundle.mount("/bind/\(number)", "bind", source, options)
            }
        },
        ComparisonCase("bind of a shared mount") { bundle in
            let source = try bundle.sourceDirectory("shared")
            try await bundle.mountOnHost("-t", "tmpfs", "--make-shared", "shared", at: source)
            for (number, options) in bindOptions.enumerated() {
                bundle.mount("/bind/\(number)", "bind", source, options)
            }
        },
        ComparisonCase("recursive options") { bundle in
            let source = try bundle.sourceDirectory("tree")
            try await bundle.mountOnHost("-t", "tmpfs", "-o", "size=1m", "inner", at: source + "/inner")
            let options = [
                ["rbind", "rro"], ["rbind", "rnosuid", "rnodev", "rnoexec"], ["rbind", "rnoatime"],
                ["rbind", "rstrictatime"], ["rbind", "rnodiratime"], ["rbind", "ro", "rrw"], ["bind", "rro"],
                ["rbind", "rnosymfollow"], ["rbind", "rrelatime"],
            ]
            for (number, options) in options.enumerated() {
                bundle.mount("/bind/\(number)", "bind", source, options)
            }
        },
        ComparisonCase("spellings of a bind mount") { bundle in
            let source = try bundle.sourceDirectory()
            bundle.mount("/typed", "bind", source, ["bind"])
            bundle.mount("/none", "none", source, ["rbind"])
            bundle.mount("/untyped", nil, source, ["rbind", "ro"])
            bundle.mount("/other", "tmpfs", source, ["bind"])
        },
        ComparisonCase("type bind without the option", .refused) { bundle in
            bundle.mount("/typed", "bind", try bundle.sourceDirectory(), ["ro"])
        },
        ComparisonCase("files") { bundle in
            let source = try bundle.sourceFile("plain", mode: 0o640)
            try bundle.makeFile("etc/existing", "old", mode: 0o600)
            try bundle.makeLink("etc/link", to: "existing2")
            bundle.mount("/etc/existing", "bind", source, ["bind", "ro"])
            bundle.mount("/etc/made", "bind", source, ["bind", "nosuid"])
            bundle.mount("/etc/deep/down/made", "bind", source, ["rbind"])
            bundle.mount("/etc/link", "bind", source, ["bind", "rprivate"])
        },
        ComparisonCase("special files") { bundle in
            let socket = bundle.directory + "/fifo"
            mkfifo(socket, 0o644)
            bundle.mount("/fifo", "bind", socket, ["bind"])
            bundle.mount("/dev/bound-zero", "bind", "/dev/zero", ["bind"])
        },
        ComparisonCase("source by a relative path") { bundle in
            _ = try bundle.sourceDirectory("bundle/near")
            bundle.mount("/near", "bind", "near", ["bind"])
        },
        ComparisonCase("source is a symlink") { bundle in
            _ = try bundle.sourceDirectory()
            try FileManager.default.createSymbolicLink(
                atPath: bundle.directory + "/link", withDestinationPath: "source")
            bundle.mount("/linked", "bind", bundle.directory + "/link", ["bind"])
        },
        ComparisonCase("source is missing", .refused) {
            $0.mount("/place", "bind", $0.directory + "/nowhere", ["bind"])
        },
        ComparisonCase("directory over a file", .refused) { bundle in
            try bundle.makeFile("plain")
            bundle.mount("/plain", "bind", try bundle.sourceDirectory(), ["bind"])
        },
        ComparisonCase("file over a directory", .refused) {
            $0.mount("/etc", "bind", try $0.sourceFile(), ["bind"])
        },
        ComparisonCase("destinations through symlinks") { bundle in
            try bundle.makeDirectory("real")
            try bundle.makeLink("absolute", to: "/real")
            try bundle.makeLink("relative", to: "real/../real")
            try bundle.makeLink("outside", to: "../../../../../../real")
            try bundle.makeLink("dangling", to: "/not/yet")
            try bundle.makeLink("chain", to: "dangling/further")
            for name in ["absolute/a", "relative/b", "outside/c", "dangling", "dangling/d", "chain/e"] {
                bundle.mount("/" + name, "tmpfs", name, [])
            }
        },
        ComparisonCase("destinations with odd spellings") { bundle in
            for name in [
                "/plain/", "//double//slash", "/dot/./dot", "/up/../up", "/../../top", "/with space", "/über",
            ] {
                bundle.mount(name, "tmpfs", "tmpfs", [])
            }
        },
        ComparisonCase("relative destination") { $0.mount("relative/place", "tmpfs", "tmpfs", []) },
        ComparisonCase("/proc/cpuinfo and others as lxcfs covers them") { bundle in
            let source = try bundle.sourceFile()
            for name in ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "swaps", "diskstats"] {
                bundle.mount("/proc/" + name, "bind", source, ["bind"])
            }
        },
        ComparisonCase("bind inside procfs", .refused) {
            $0.mount("/proc/version", "bind", try $0.sourceFile(), ["bind"])
        },
        ComparisonCase("procfs from the host", alone: true) { bundle in
            bundle.removeNamespaces("pid")
            bundle.remount("/proc", nil)
            bundle.mount("/proc", "bind", "/proc", ["rbind", "ro"])
            bundle.set("linux.maskedPaths", [])
            bundle.set("linux.readonlyPaths", [])
        },
        ComparisonCase("/dev from the host", alone: true) { bundle in
            for place in ["/dev/pts", "/dev/shm", "/dev/mqueue"] { bundle.remount(place, nil) }
            bundle.remount("/dev", nil)
            bundle.mount("/dev", "bind", "/dev", ["rbind", "rslave", "nosuid"])
        },
        ComparisonCase("/sys from the host", alone: true) { bundle in
            bundle.remount("/sys/fs/cgroup", nil)
            bundle.remount("/sys", nil)
            bundle.mount("/sys", "bind", "/sys", ["rbind", "ro", "rslave"])
        },
    ]

    private static let bindOptions = [
        ["bind"], ["rbind"], ["bind", "ro"], ["rbind", "ro"], ["bind", "rw"],
        ["bind", "nosuid", "nodev", "noexec"],
        ["bind", "noatime"], ["bind", "relatime"], ["bind", "strictatime"], ["bind", "nodiratime"],
        ["bind", "ro", "noatime"], ["bind", "suid"], ["bind", "exec", "ro"], ["rbind", "private"],
        ["rbind", "rprivate"], ["bind", "shared"], ["rbind", "rshared"], ["bind", "slave"],
        ["rbind", "rslave"],
        ["rbind", "ro", "rslave"], ["bind", "unbindable"], ["rbind", "runbindable"],
        ["bind", "shared", "slave"],
    ]
}
