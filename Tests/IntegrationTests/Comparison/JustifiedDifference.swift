import Foundation

/// A difference from runc that is meant, with its reason. Everything else is a bug.
struct JustifiedDifference {
    let section: String
    /// What the names of the cases that it is about begin with; all when empty.
    var cases = ""
    let reason: String
    /// What a line of either side is compared as; nil: not at all.
    let rewrite: @Sendable (String) -> String?

    private static let all: [JustifiedDifference] = [
        JustifiedDifference(
            section: "status",
            reason: "posix_spawn(3), which starts both, ignores signals 32 and 33, which it uses itself"
        ) { line in
            guard line.hasPrefix("SigIgn:"), let mask = UInt64(line.suffix(16), radix: 16) else {
                return line
            }
            return "SigIgn: " + String(mask & ~(3 << 31), radix: 16)
        },
        JustifiedDifference(
            section: "mounts",
            reason: "what masks directories has room for nothing, and all of them are one file system"
        ) { line in
            // Kernels with 64 bits for inodes say so.
            for options in ["ro", "ro,size=4k,nr_inodes=1", "ro,inode64", "ro,size=4k,nr_inodes=1,inode64"] {
                guard let range = line.firstRange(of: " ro,relatime - tmpfs tmpfs \(options) root=/ of=")
                else { continue }
                return line[..<range.lowerBound] + " masked"
            }
            return line
        },
        JustifiedDifference(
            section: "mounts",
            reason:
                "the root is a slave of the mount that holds it, as in runc 1.1.5; later ones make that private, so"
                + " that what the host mounts in it later is not seen, and neither in what is bound from it"
        ) { line in
            !peerIsOfDebian12 && line.hasSuffix(" of=/") ? line.replacing(" master:outside", with: "") : line
        },
        JustifiedDifference(
            section: "files left",
            reason:
                "a file that is made as a mount point has runc 1.1.5's mode; since 1.1.14 nobody may execute it"
        ) { line in
            peerIsOfDebian12
                ? line
                : line.replacing(": mode 100644 owner 0:0 size 0", with: ": mode 100755 owner 0:0 size 0")
        },
        JustifiedDifference(
            section: "mounts",
            reason: "the mode of a tmpfs over a directory is set, not given as an option, as in runc 1.1.5"
        ) { line in
            guard !peerIsOfDebian12, line.contains(" - tmpfs tmpfs "),
                let option = line.firstMatch(of: /,mode=[0-7]+/)
            else { return line }
            return line.replacing(option.output, with: "")
        },
        JustifiedDifference(
            section: "cgroups", reason: "a unit that the configuration does not name has its maker's name"
        ) { $0.replacing("/runc-ID.scope", with: "/gantry-ID.scope") },
        JustifiedDifference(
            section: "mounts", cases: "rootfsPropagation",
            reason: "runc 1.1.5 sets it before the root is a mount: it has no effect"
        ) { line in
            guard line.hasPrefix("/ rw,") || line.hasPrefix("/ rw ") else { return line }
            return line.replacing(" shared:/ -", with: " -").replacing(" unbindable -", with: " -")
        },
        JustifiedDifference(
            section: "mounts", cases: "root is a mount with options",
            reason: "a root that becomes read-only keeps its other flags; runc's remount takes them away"
        ) { $0.replacing("/ ro,nosuid,nodev,noatime -", with: "/ ro,noatime -") },
        JustifiedDifference(
            section: "mounts", cases: "everything read-only",
            reason: "runc leaves a copy of the whole tree over the root, which nobody sees"
        ) { $0.hasPrefix(" ") ? nil : $0 },
        JustifiedDifference(
            section: "files", cases: "/dev from the host", reason: "terminals of the host come and go",
            rewrite: withoutTerminals),
        JustifiedDifference(
            section: "files", cases: "devices and a bound /dev", reason: "as above",
            rewrite: withoutTerminals),
        JustifiedDifference(
            section: "attributes", cases: "default devices given as well",
            reason:
                "a default device may be opened also when the configuration lists it; runc's devices cgroup forbids it"
        ) { $0.replacing("controlling terminal: EPERM", with: "controlling terminal: ENXIO") },
        JustifiedDifference(
            section: "files", cases: "caller has a umask",
            reason: "what is made does not depend on the caller's umask",
            rewrite: withoutMode),
        JustifiedDifference(
            section: "files left", cases: "caller has a umask", reason: "as above", rewrite: withoutMode),
        JustifiedDifference(
            section: "files", cases: "tmpfs over a directory",
            reason: "a mode given as an option counts; runc 1.1.5 takes the directory's"
        ) { $0.replacing("/given: mode 40750", with: "/given: mode 40700") },
        JustifiedDifference(
            section: "names", cases: "domainname", reason: "runc 1.1.5 does not know it"
        ) { $0.replacing("example.org", with: "(none)") },
        JustifiedDifference(
            section: "names", cases: "personality", reason: "runc 1.1.5 does not know it"
        ) { $0.replacing("i686", with: "x86_64") },
        JustifiedDifference(
            section: "attributes", cases: "personality", reason: "runc 1.1.5 does not know it"
        ) { $0.replacing("personality: 8", with: "personality: 0") },
        JustifiedDifference(
            section: "program", cases: "home: passwd",
            reason:
                "an entry without a home means /, as for login(1); lines without all fields are no entries"
        ) { $0.hasPrefix("variable: HOME=") ? nil : $0 },
    ]

    /// Debian 13 has a later one, in which much is different.
    static let peerIsOfDebian12: Bool = {
        let runc = Process()
        let output = Pipe()
        runc.executableURL = Machine.runc.map { URL(filePath: $0) }
        runc.arguments = ["--version"]
        runc.standardOutput = output
        guard runc.executableURL != nil, (try? runc.run()) != nil else { return true }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.hasPrefix("runc version 1.1.5")
    }()

    private static func withoutTerminals(_ line: String) -> String? {
        line.hasPrefix("/dev/pts/") ? nil : line
    }

    private static func withoutMode(_ line: String) -> String? {
        guard line.hasPrefix("/made"), let range = line.firstRange(of: ": mode ") else { return line }
        return String(line[..<range.lowerBound])
    }

    static func removed(from lines: [String], in section: String, of name: String) -> [String] {
        // An exec in a container that differs: what is said of that holds as well.
        let inside = ComparisonCase.execPrefixes.first { name.hasPrefix($0) }
        let names =
            name.split(separator: ComparisonCase.separator) + [name.dropFirst(inside?.count ?? 0)]
        let rules = (all + execs).filter { rule in
            rule.section == section && names.contains { $0.hasPrefix(rule.cases) }
        }
        return lines.compactMap { line in
            rules.reduce(String?.some(line)) { line, rule in line.flatMap(rule.rewrite) }
        }
    }
}
