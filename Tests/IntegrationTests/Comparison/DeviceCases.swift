import Foundation

extension ComparisonCase {
    /// linux.devices, and paths that are masked or read-only.
    static let devices: [ComparisonCase] =
        [
            ComparisonCase("devices of each type") { bundle in
                bundle.set(
                    "linux.devices",
                    [
                        device("/dev/char", "c", 1, 3), device("/dev/block", "b", 7, 0),
                        ["path": "/dev/pipe", "type": "p", "fileMode": 0o640],
                        device("/dev/unbuffered", "u", 1, 5), device("/dev/large", "c", 511, 1_048_575),
                        device("/dev/net/tun", "c", 10, 200), device("/dev/deep/er/still", "c", 1, 3),
                    ] as [Any])
            },
            ComparisonCase("modes and owners of devices") { bundle in
                bundle.set(
                    "linux.devices",
                    [
                        device("/dev/a", "c", 1, 3, ["fileMode": 0o600]),
                        device("/dev/b", "c", 1, 3, ["fileMode": 0o600, "uid": 1000]),
                        device("/dev/c", "c", 1, 3, ["fileMode": 0o4755, "gid": 1001]),
                        device("/dev/d", "c", 1, 3, ["fileMode": 0, "uid": 7, "gid": 8]),
                        device("/dev/e", "c", 1, 3, ["fileMode": 0o20666]),
                    ])
            },
            ComparisonCase("default devices given as well") { bundle in
                bundle.set(
                    "linux.devices",
                    [
                        device("/dev/zero", "c", 1, 5, ["fileMode": 0o600]),
                        device("/dev/tty", "c", 5, 0, ["uid": 1000]),
                        device("/dev/ptmx", "c", 5, 2), device("/dev/console", "c", 5, 1),
                    ])
            },
            ComparisonCase("devices outside of /dev") { bundle in
                bundle.set(
                    "linux.devices", [device("/opt/device", "c", 1, 3), device("/made-device/", "c", 1, 5)])
            },
            ComparisonCase("device through a symlink") { bundle in
                try bundle.makeLink("link", to: "/opt/there")
                bundle.set("linux.devices", [device("/link/device", "c", 1, 3)])
            },
            ComparisonCase("the same device twice") { bundle in
                bundle.set(
                    "linux.devices", [device("/dev/twice", "c", 1, 3), device("/dev/twice", "c", 1, 3)])
            },
            ComparisonCase(
                "device where a file is",
                .onlyPeer("something else is there already", "config-linux.md: must be an error")
            ) { bundle in
                try bundle.makeFile("opt-file")
                bundle.set("linux.devices", [device("/opt-file", "c", 1, 3)])
            },
            ComparisonCase("device of an unknown type", .refused) { bundle in
                bundle.set("linux.devices", [device("/dev/x", "x", 1, 3)])
            },
            ComparisonCase("an image's own /dev") { bundle in
                bundle.remount("/dev", nil)
                for place in ["/dev/pts", "/dev/shm", "/dev/mqueue"] { bundle.remount(place, nil) }
                try bundle.makeFile("dev/file", "text")
                try bundle.makeDirectory("dev/fd")
            },
            ComparisonCase("devices and a bound /dev", alone: true) { bundle in
                for place in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] { bundle.remount(place, nil) }
                bundle.mount("/dev", "bind", "/dev", ["rbind"])
                bundle.mount("/etc/null", "bind", "/dev/null", ["bind"])
            },
        ] + protectedPaths

    private static let protectedPaths: [ComparisonCase] = [
        ComparisonCase("masked files, directories and what is missing") { bundle in
            try bundle.makeFile("secret", "text", mode: 0o600)
            try bundle.makeDirectory("secrets/deep")
            try bundle.makeLink("link", to: "/secrets/deep")
            bundle.mount("/covered", "tmpfs", "tmpfs", [])
            bundle.append(
                "linux.maskedPaths", "/secret", "/secrets", "/nowhere", "/covered", "/dev/shm", "/dev/zero")
        },
        ComparisonCase("masked through a symlink") { bundle in
            try bundle.makeDirectory("secrets/deep")
            try bundle.makeLink("link", to: "/secrets/deep")
            bundle.append("linux.maskedPaths", "/link")
        },
        ComparisonCase("masked twice, and inside what is masked") { bundle in
            bundle.append("linux.maskedPaths", "/proc/acpi", "/sys/firmware", "/sys/firmware/acpi")
        },
        ComparisonCase("nothing masked or read-only") { bundle in
            bundle.set("linux.maskedPaths", nil)
            bundle.set("linux.readonlyPaths", nil)
        },
        ComparisonCase("read-only files, directories and what is missing") { bundle in
            try bundle.makeFile("file", "text")
            try bundle.makeDirectory("directory/deep")
            try bundle.makeLink("link", to: "directory")
            bundle.mount("/tmpfs", "tmpfs", "tmpfs", ["nosuid", "noatime"])
            bundle.mount("/tmpfs/inner", "tmpfs", "inner", ["noexec"])
            bundle.append(
                "linux.readonlyPaths", "/file", "/directory", "/nowhere", "/link/deep", "/tmpfs",
                "/proc/version", "/dev/full")
        },
        ComparisonCase("everything read-only") { $0.append("linux.readonlyPaths", "/") },
        ComparisonCase(
            "everything masked", .onlyPeer("must not be \"/\"", "nobody would see what covers the root")
        ) { $0.append("linux.maskedPaths", "/") },
        ComparisonCase("masked and read-only") { bundle in
            bundle.append("linux.maskedPaths", "/sys/kernel")
            bundle.append("linux.readonlyPaths", "/sys/kernel", "/sys")
        },
        ComparisonCase(
            "relative masked path", .onlyPeer("must be an absolute path", "config-linux.md says so")
        ) { $0.append("linux.maskedPaths", "etc") },
    ]

    private static func device(
        _ path: String, _ type: String, _ major: Int, _ minor: Int, _ more: [String: Any] = [:]
    ) -> [String: Any] {
        more.merging(["path": path, "type": type, "major": major, "minor": minor]) { given, _ in given }
    }
}
