internal import Diagnostics

/// Where the calling process is: /proc/self/cgroup (cgroups(7)).
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

    private static func isLabel(_ label: String, of hierarchy: Layout.Hierarchy) -> Bool {
        if hierarchy.isUnified { return label.isEmpty }
        // A named hierarchy with controllers lists both; one word is enough to know it by.
        let words = label.utf8.split(separator: UInt8(ascii: ","))
        if let first = hierarchy.controllers.first { return words.contains { $0.elementsEqual(first.utf8) } }
        guard let name = hierarchy.name else { return false }
        return words.contains { $0.elementsEqual("name=\(name)".utf8) }
    }
}
