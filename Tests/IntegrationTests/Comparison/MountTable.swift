/// /proc/self/mountinfo without what differs from run to run (proc_pid_mountinfo(5)): a tree in which mounts, file
/// systems without a device and peer groups are named by the mount point where they are seen first.
struct MountTable {
    private struct Mount {
        var id: Substring
        var parent: Substring
        var device: Substring
        var root: Substring
        var point: Substring
        var options: Substring
        var tags: [Substring]
        /// Type, source and options of the file system.
        var fileSystem: String

        init?(_ line: String) {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count >= 10, let dash = fields.firstIndex(of: "-") else { return nil }
            (id, parent, device) = (fields[0], fields[1], fields[2])
            (root, point, options) = (fields[3], fields[4], fields[5])
            tags = Array(fields[6..<dash])
            fileSystem = fields[(dash + 1)...].joined(separator: " ")
        }
    }

    private let mounts: [Mount]

    init(_ lines: [String]) {
        mounts = lines.compactMap(Mount.init)
    }

    /// One line a mount, indented by its depth; siblings in the order of their mount points, then of the table.
    var lines: [String] {
        let ids = Set(mounts.map(\.id))
        var ordered: [(mount: Mount, depth: Int)] = []
        func visit(_ children: [Mount], _ depth: Int) {
            for (_, child) in children.enumerated().sorted(by: {
                ($0.element.point, $0.offset) < ($1.element.point, $1.offset)
            }) {
                ordered.append((child, depth))
                visit(mounts.filter { $0.parent == child.id }, depth + 1)
            }
        }
        visit(mounts.filter { !ids.contains($0.parent) || $0.parent == $0.id }, 0)
        return ordered.map { mount, depth in
            ([String(repeating: "  ", count: depth) + mount.point, String(mount.options)]
                + mount.tags.map(name)
                + ["-", mount.fileSystem, "root=" + mount.root, "of=" + device(mount.device)]).joined(
                    separator: " ")
        }
    }

    private func device(_ number: Substring) -> String {
        guard number.hasPrefix("0:") else { return String(number) }
        return String(mounts.filter { $0.device == number }.map(\.point).min() ?? "")
    }

    /// `shared:7` becomes `shared:/first/mount/point`; a group that has no member here is `outside`.
    private func name(_ tag: Substring) -> String {
        guard let colon = tag.firstIndex(of: ":") else { return String(tag) }
        let group = "shared:" + tag[tag.index(after: colon)...]
        let member = mounts.filter { $0.tags.contains { $0 == group } }.map(\.point).min()
        return tag[...colon] + (member.map(String.init) ?? "outside")
    }
}
