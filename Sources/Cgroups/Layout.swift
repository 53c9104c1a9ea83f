internal import CLinux
public import Diagnostics
internal import Linux

/// How cgroup file systems are mounted (cgroups(7)).
///
/// - unified: cgroup2 alone, at /sys/fs/cgroup.
/// - legacy: one mount per version 1 hierarchy below /sys/fs/cgroup.
/// - hybrid: legacy, and cgroup2 at /sys/fs/cgroup/unified.
public struct Layout: Equatable, Sendable {
    /// One mounted hierarchy.
    public struct Hierarchy: Equatable, Sendable {
        /// `["cpu", "cpuacct"]`. Empty for named hierarchies and for version 2, whose controllers change with
        /// the directory.
        public var controllers: [String]
        /// `systemd` for `name=systemd`.
        public var name: String?
        /// Whether it is version 2.
        public var isUnified: Bool
        /// Absolute path.
        public var mountPoint: String
        /// Which of the hierarchy's directories is mounted there; `/` unless somebody bound a part of it.
        public var mountRoot: String

        public init(
            controllers: [String], name: String? = nil, isUnified: Bool = false, mountPoint: String,
            mountRoot: String = "/"
        ) {
            self.controllers = controllers
            self.name = name
            self.isUnified = isUnified
            self.mountPoint = mountPoint
            self.mountRoot = mountRoot
        }

        /// As the second field of /proc/self/cgroup: `cpu,cpuacct`, `name=systemd`, empty for version 2.
        public var label: String {
            if let name { return "name=" + name }
            return controllers.joined(separator: ",")
        }
    }

    /// In the order of /proc/self/mountinfo; version 2 is one of them.
    public var hierarchies: [Hierarchy]

    public init(hierarchies: [Hierarchy]) {
        self.hierarchies = hierarchies
    }

    /// Whether there is nothing but version 2.
    public var isUnified: Bool {
        hierarchies.allSatisfy { $0.isUnified }
    }
}

extension Layout {
    static let mountPoint = "/sys/fs/cgroup"

    /// Asks the kernel: one statfs(2) on a unified host, else /proc/self/mountinfo besides. Directories are
    /// not listed, and nothing is taken from the names of mount points.
    public static func detect() throws(Failure) -> Layout {
        if clinux_fs_type_at(mountPoint) == FileSystemMagic.cgroup2 {
            return Layout(hierarchies: [
                Hierarchy(controllers: [], isUnified: true, mountPoint: mountPoint)
            ])
        }
        let layout = Layout(mountinfo: try ProcFile.read("/proc/self/mountinfo"))
        guard !layout.hierarchies.isEmpty else {
            throw Failure(.unsupported, "no cgroup file system is mounted below it", at: mountPoint)
        }
        return layout
    }
}

/// Files of procfs: their size is unknown before they have been read.
enum ProcFile {
    /// Mount tables of busy hosts have thousands of lines.
    private static let limit = 64 << 20

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let file = try Descriptor.open(path, O.readOnly)
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        var used = 0
        while true {
            let raw = file.raw
            let count = bytes.withUnsafeMutableBytes {
                clinux_read(raw, $0.baseAddress! + used, $0.count - used)
            }
            used += Int(try check(count, "read", "cannot read \(path)"))
            if count == 0 { break }
            guard used < limit else { throw Failure(.system, "is too large", at: path) }
            if bytes.count - used < 4096 { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
        }
        bytes.removeLast(bytes.count - used)
        return bytes
    }
}
