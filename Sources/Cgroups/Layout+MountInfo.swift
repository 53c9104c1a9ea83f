// /proc/self/mountinfo (proc(5)):
//
//     36 31 0:33 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
//                ^ root of the mount                            ^ type        ^ options of the superblock
//                  ^ mount point                optional fields ^ separator

extension Layout {
    /// Words among a superblock's options that name a controller of version 1.
    static let controllersOfVersion1: [StaticString] = [
        "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "net_cls", "net_prio",
        "perf_event", "hugetlb", "rdma", "misc",
    ]

    /// What the mount table says. Of several mounts of one hierarchy the first below /sys/fs/cgroup counts,
    /// else the first.
    init(mountinfo bytes: [UInt8]) {
        hierarchies = []
        for line in bytes.split(separator: newline) {
            guard let hierarchy = Hierarchy(mountinfoLine: line) else { continue }
            guard let index = hierarchies.firstIndex(where: { $0.isSame(as: hierarchy) }) else {
                hierarchies.append(hierarchy)
                continue
            }
            if !hierarchies[index].isBelowUsualPlace && hierarchy.isBelowUsualPlace {
                hierarchies[index] = hierarchy
            }
        }
    }
}

extension Layout.Hierarchy {
    /// nil when the line is about something else than a cgroup hierarchy that gantry knows.
    fileprivate init?(mountinfoLine line: ArraySlice<UInt8>) {
        guard let tail = Self.tail(of: line) else { return nil }
        let isUnified: Bool
        switch tail.type {
        case .cgroup: isUnified = false
        case .cgroup2: isUnified = true
        }
        let fields = line.split(separator: space, maxSplits: 5)
        guard fields.count == 6 else { return nil }
        self.init(
            controllers: [], isUnified: isUnified, mountPoint: unescaped(fields[4]),
            mountRoot: unescaped(fields[3]))
        if isUnified { return }
        // After the type: the source, then the superblock's options.
        guard let options = tail.rest.split(separator: space, maxSplits: 1).last else { return nil }
        for word in options.split(separator: comma) {
            if word.starts(with: "name=".utf8) {
                name = String(decoding: word.dropFirst(5), as: UTF8.self)
            } else if let controller = Layout.controllersOfVersion1.first(where: { $0.isText(word) }) {
                controllers.append("\(controller)")
            }
        }
        if controllers.isEmpty && name == nil { return nil }
    }

    private enum FileSystem { case cgroup, cgroup2 }

    /// The part after ` - `, when its type is a cgroup's. Looked for first, since nearly all lines are about
    /// other file systems.
    private static func tail(of line: ArraySlice<UInt8>) -> (type: FileSystem, rest: ArraySlice<UInt8>)? {
        var at = line.startIndex
        while let dash = line[at...].firstIndex(of: UInt8(ascii: "-")) {
            at = line.index(after: dash)
            guard dash > line.startIndex, line[dash - 1] == space, at < line.endIndex, line[at] == space
            else {
                continue
            }
            let rest = line[(at + 1)...]
            if rest.starts(with: "cgroup ".utf8) { return (.cgroup, rest.dropFirst(7)) }
            if rest.starts(with: "cgroup2 ".utf8) { return (.cgroup2, rest.dropFirst(8)) }
            return nil
        }
        return nil
    }

    fileprivate func isSame(as other: Self) -> Bool {
        isUnified == other.isUnified && name == other.name && controllers == other.controllers
    }

    fileprivate var isBelowUsualPlace: Bool {
        mountPoint.utf8.starts(with: Layout.mountPoint.utf8)
    }
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")
private let comma = UInt8(ascii: ",")

extension StaticString {
    /// Whether the text is exactly these bytes.
    func isText(_ bytes: some Collection<UInt8>) -> Bool {
        withUTF8Buffer { $0.elementsEqual(bytes) }
    }
}

/// Space, tab, newline and backslash stand as three octal digits in the mount table.
private func unescaped(_ field: ArraySlice<UInt8>) -> String {
    guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
    var plain: [UInt8] = []
    var at = field.startIndex
    while at < field.endIndex {
        let digits = field[at...].dropFirst().prefix(3)
        if field[at] == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ $0 & ~7 == 0x30 }) {
            plain.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
            at += 4
        } else {
            plain.append(field[at])
            at += 1
        }
    }
    return String(decoding: plain, as: UTF8.self)
}
