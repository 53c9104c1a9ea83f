import Foundation

/// What the probe printed in one container, with everything taken out that differs from run to run.
struct ProbeReport {
    struct Section {
        let name: String
        var lines: [String]
    }

    var sections: [Section] = []

    /// - Parameters:
    ///   - id: the container's ID, which is shown as `ID`.
    ///   - directory: the bundle's place, which is shown as `BUNDLE`.
    ///   - joined: links in /proc/PID/ns of namespaces that the container was told to join.
    init(_ text: String, id: String, directory: String, joined: Set<String>) {
        for line in text.split(separator: "\n") where line != "[end]" {
            if line.first == "[", line.last == "]" {
                sections.append(Section(name: String(line.dropFirst().dropLast()), lines: []))
            } else if !sections.isEmpty {
                sections[sections.count - 1].lines.append(
                    String(line).replacing(directory, with: "BUNDLE")
                        // Where /tmp is a mount of its own, a mount's root begins there.
                        .replacing(directory.trimmingPrefix("/tmp"), with: "BUNDLE").replacing(id, with: "ID")
                )
            }
        }
        for index in sections.indices { normalise(&sections[index], joined) }
    }

    /// The lines of a section; none when it is not there.
    func section(_ name: String) -> [String] {
        sections.first { $0.name == name }?.lines ?? []
    }

    mutating func append(_ name: String, _ lines: [String]) {
        sections.append(Section(name: name, lines: lines))
    }

    private func normalise(_ section: inout Section, _ joined: Set<String>) {
        switch section.name {
        case "mounts": section.lines = MountTable(section.lines).lines
        // Of a hierarchy that another test mounts for itself everybody is told.
        case "cgroups":
            section.lines.removeAll { $0.contains(":net_cls,net_prio:") || $0.contains(":hugetlb:") }
        case "descriptors": section.lines = section.lines.map { withoutInode($0) }
        case "namespaces": section.lines = section.lines.map { origin($0, joined) }
        default: break
        }
    }

    /// `pipe:[4711]` is `pipe`.
    private func withoutInode(_ line: String) -> String {
        guard let start = line.firstRange(of: ":["), line.last == "]" else { return line }
        return String(line[..<start.lowerBound])
    }

    /// `net: net:[4026531840]` becomes `net: host`, `net: joined` or `net: its own`.
    private func origin(_ line: String, _ joined: Set<String>) -> String {
        guard let colon = line.firstRange(of: ": ") else { return line }
        let name = String(line[..<colon.lowerBound])
        let link = String(line[colon.upperBound...])
        if joined.contains(link) { return name + ": joined" }
        let host = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/" + name)
        return name + (link == host ? ": host" : link.contains("[") ? ": its own" : ": " + link)
    }
}
