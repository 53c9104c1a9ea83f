internal import JSON

/// The config.json that `gantry spec` writes: a shell in a read-only root, with namespaces of its own and hardly any
/// rights.
struct SpecTemplate {
    /// For a user who is not root: a user namespace in which the caller is root, and nothing that would need more.
    struct Rootless {
        let uid: UInt32
        let gid: UInt32
    }

    var rootless: Rootless?

    private static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

    /// What of /proc and /sys tells of the host, or is a way to it.
    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        // The power that the machine draws tells what its other users compute.
        "/sys/devices/virtual/powercap", "/sys/firmware",
    ]

    private static let readonlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    private typealias Mount = (destination: String, type: String, source: String, options: [String])

    private var mounts: [Mount] {
        let closed = ["nosuid", "noexec", "nodev"]
        // Group 5 is "tty"; a user namespace of one group does not have it.
        let terminals =
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (isRootless ? [] : ["gid=5"])
        // Without a network namespace of its own a user namespace may not mount a new sysfs.
        let system: Mount =
            isRootless
            ? ("/sys", "none", "/sys", ["rbind"] + closed + ["ro"])
            : ("/sys", "sysfs", "sysfs", closed + ["ro"])
        return [
            ("/proc", "proc", "proc", []),
            ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            ("/dev/pts", "devpts", "devpts", terminals),
            ("/dev/shm", "tmpfs", "shm", closed + ["mode=1777", "size=65536k"]),
            ("/dev/mqueue", "mqueue", "mqueue", closed),
            system,
            ("/sys/fs/cgroup", "cgroup", "cgroup", closed + ["relatime", "ro"]),
        ]
    }

    private var namespaces: [String] {
        ["pid"] + (isRootless ? [] : ["network"]) + ["ipc", "uts", "mount", "cgroup"]
            + (isRootless ? ["user"] : [])
    }

    private var isRootless: Bool {
        switch rootless {
        case .some: true
        case .none: false
        }
    }

    /// The document, with a line end.
    var text: String {
        var json = JSONWriter(.indented)
        json.beginObject()
        json.member("ociVersion", Version.specification)
        json.object("process", process)
        json.object("root") { json in
            json.member("path", "rootfs")
            json.member("readonly", true)
        }
        json.member("hostname", "gantry")
        json.array("mounts") { json in
            for mount in mounts {
                json.beginObject()
                json.member("destination", mount.destination)
                json.member("type", mount.type)
                json.member("source", mount.source)
                if !mount.options.isEmpty { json.member("options", mount.options) }
                json.endObject()
            }
        }
        json.object("linux", linux)
        json.endObject()
        return json.text + "\n"
    }

    private func process(_ json: inout JSONWriter) {
        json.member("terminal", true)
        json.object("user") { json in
            json.member("uid", 0)
            json.member("gid", 0)
        }
        json.member("args", ["sh"])
        json.member(
            "env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"])
        json.member("cwd", "/")
        json.object("capabilities") { json in
            // Neither inheritable nor ambient: what a program may do is its file's to say.
            for set in ["bounding", "effective", "permitted"] { json.member(set, Self.capabilities) }
        }
        json.array("rlimits") { json in
            json.beginObject()
            json.member("type", "RLIMIT_NOFILE")
            json.member("hard", 1024)
            json.member("soft", 1024)
            json.endObject()
        }
        json.member("noNewPrivileges", true)
    }

    private func linux(_ json: inout JSONWriter) {
        if let rootless {
            for (name, id) in [("uidMappings", rootless.uid), ("gidMappings", rootless.gid)] {
                json.array(name) { json in
                    json.beginObject()
                    json.member("containerID", 0)
                    json.member("hostID", id)
                    json.member("size", 1)
                    json.endObject()
                }
            }
        } else {
            json.object("resources") { json in
                json.array("devices") { json in
                    json.beginObject()
                    json.member("allow", false)
                    json.member("access", "rwm")
                    json.endObject()
                }
            }
        }
        json.array("namespaces") { json in
            for namespace in namespaces {
                json.beginObject()
                json.member("type", namespace)
                json.endObject()
            }
        }
        json.member("maskedPaths", Self.maskedPaths)
        json.member("readonlyPaths", Self.readonlyPaths)
    }
}

extension JSONWriter {
    mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        beginObject()
        body(&self)
        endObject()
    }

    mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        beginArray()
        body(&self)
        endArray()
    }
}
