internal import Diagnostics

/// Where the calling process is, or another one: /proc/PID/cgroup (cgroups(7)).
struct OwnCgroups: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        /// `cpu,cpuacct`, `name=systemd`, or empty for version 2.
        var label: String
        /// From the root of the hierarchy, or of the cgroup namespace.
        var path: String
    }

    var entries: [Entry]

    static func read() throws(Failure) -> OwnCgroups {
        OwnCgroups(try ProcFile.read("/proc/self/cgroup"))
    }

    /// Lines `4:memory:/user.slice`.
    init(_ bytes: [UInt8]) {
        entries = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            entries.append(
                Entry(
                    label: String(decoding: fields[1], as: UTF8.self),
                    path: String(decoding: fields[2], as: UTF8.self)))
        }
    }

    /// The process's cgroup in a hierarchy; nil when the kernel does not tell.
    func path(in hierarchy: Layout.Hierarchy) -> String? {
        for entry in entries where Self.isLabel(entry.label, of: hierarchy) { return entry.path }
        return nil
    }

    /// The same from the hierarchy's mount point; none when the kernel does not tell, nil when it is outside our cgroup
    /// namespace.
    func components(below hierarchy: Layout.Hierarchy) -> ArraySlice<Substring.UTF8View>? {
        guard let path = path(in: hierarchy) else { return [] }
        let slash = UInt8(ascii: "/")
        var parts = path.utf8.split(separator: slash)[...]
        if parts.contains(where: { $0.elementsEqual("..".utf8) }) { return nil }
        // A container that was given its part of the hierarchy sees its host's paths in /proc/self/cgroup.
        let root = hierarchy.mountRoot.utf8.split(separator: slash)
        if !root.isEmpty {
            let isInside = parts.count >= root.count && zip(parts, root).allSatisfy { $0.elementsEqual($1) }
            parts = isInside ? parts.dropFirst(root.count) : []
        }
        return parts
    }

    /// The same as a path: empty, or with a leading slash.
    func path(below hierarchy: Layout.Hierarchy) throws(Failure) -> String {
        guard let parts = components(below: hierarchy) else {
            throw Failure(
                .unsupported, "is outside the caller's cgroup namespace",
                at: path(in: hierarchy) ?? hierarchy.mountPoint)
        }
        var text = ""
        for part in parts {
            text += "/"
            text += Substring(part)
        }
        return text
    }

    private static func isLabel(_ label: String, of hierarchy: Layout.Hierarchy) -> Bool {
        if hierarchy.isUnified { return label.isEmpty }
        // A named hierarchy with controllers lists both; one word is enough to know it by.
        let words = label.utf8.split(separator: UInt8(ascii: ","))
        if let first = hierarchy.controllers.first { return words.contains { $0.elementsEqual(first.utf8) } }
        guard let name = hierarchy.name else { return false }
        return words.contains { $0.elementsEqual("name=\(name)".utf8) }
    }
}
