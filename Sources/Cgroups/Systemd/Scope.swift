public import Diagnostics

/// The transient scope unit that a container's processes are in (systemd.scope(5)), and the slice above it. Pure.
///
/// `linux.cgroupsPath` is `slice:prefix:name` then, as engines write it: the unit is `prefix-name.scope`. Without one it is
/// `gantry-ID.scope` in system.slice, or in user.slice of a user's own systemd.
public struct Scope: Equatable, Sendable {
    /// The unit's name.
    public let unit: String
    public let slice: String
    /// Whether it is a unit of the user's instance of systemd, not of the system's.
    public let isUser: Bool
    /// A cgroup below the scope's that the container is in (annotation `run.oci.systemd.subgroup`).
    public let subgroup: String?

    private static let place = "linux.cgroupsPath"
    /// UNIT_NAME_MAX of systemd.
    private static let longestName = 255

    public init(_ path: String?, id: String, subgroup: String? = nil, isUser: Bool) throws(Failure) {
        self.isUser = isUser
        self.subgroup = try subgroup.flatMap { text throws(Failure) in
            text.isEmpty ? nil : try Scope.checkedSubgroup(text)
        }
        let usual = isUser ? "user.slice" : "system.slice"
        guard let path, !path.isEmpty else {
            slice = usual
            unit = try Scope.unit(prefix: "gantry", name: id)
            return
        }
        let parts = path.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw Failure(
                .invalid,
                "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"\(path)\"",
                at: Scope.place)
        }
        slice = parts[0].isEmpty ? usual : String(Substring(parts[0]))
        guard Scope.components(ofSlice: slice) != nil else {
            throw Failure(.invalid, "\"\(slice)\" is no name of a slice", at: Scope.place)
        }
        unit = try Scope.unit(prefix: String(Substring(parts[1])), name: String(Substring(parts[2])))
    }

    private static func unit(prefix: String, name: String) throws(Failure) -> String {
        guard !name.isEmpty else { throw Failure(.invalid, "must name the scope", at: place) }
        if name.utf8.count >= 6, name.utf8.suffix(6).elementsEqual(".slice".utf8) {
            throw Failure(
                .unsupported, "\"\(name)\" is a slice, and a container's processes are in a scope", at: place)
        }
        let stem = prefix.isEmpty ? escaped(name) : escaped(prefix) + "-" + escaped(name)
        let unit = stem + ".scope"
        guard unit.utf8.count <= longestName else {
            throw Failure(
                .invalid, "the unit's name would have \(unit.utf8.count) bytes, more than \(longestName)",
                at: place)
        }
        return unit
    }

    /// What a unit's name cannot have becomes `\xNN` (systemd.unit(5), "String Escaping for Inclusion in Unit Names").
    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isNameByte(byte) {
                bytes.append(byte)
                continue
            }
            let digits = Array<UInt8>("0123456789abcdef".utf8)
            bytes += "\\x".utf8
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ":-_.\\".utf8.contains(byte)
        }
    }

    /// `a-b.slice` is in `a.slice`: `["a.slice", "a-b.slice"]`; none for `-.slice`, the root; nil for what is no slice.
    static func components(ofSlice slice: String) -> [String]? {
        let suffix = ".slice"
        guard slice.utf8.count > suffix.utf8.count, slice.utf8.count <= longestName,
            slice.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8), slice.utf8.allSatisfy(isNameByte)
        else { return nil }
        let name = slice.utf8.dropLast(suffix.utf8.count)
        if name.elementsEqual("-".utf8) { return [] }
        var prefix = ""
        var components: [String] = []
        for part in name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false) {
            if part.isEmpty { return nil }
            prefix += (prefix.isEmpty ? "" : "-") + String(Substring(part))
            components.append(prefix + suffix)
        }
        return components
    }

    private static func checkedSubgroup(_ text: String) throws(Failure) -> String {
        let isName =
            text.utf8.count <= 255 && !text.utf8.elementsEqual(".".utf8)
            && !text.utf8.elementsEqual("..".utf8)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") }
        guard isName else {
            throw Failure(
                .invalid, "\"\(text)\" is no name of a cgroup",
                at: "annotations[\"run.oci.systemd.subgroup\"]")
        }
        return text
    }

    /// The scope's cgroup, from the one that systemd has for all its units.
    var path: String {
        var path = ""
        for component in Scope.components(ofSlice: slice) ?? [] { path += "/" + Scope.asDirectory(component) }
        return path + "/" + Scope.asDirectory(unit)
    }

    /// systemd puts `_` before names that the kernel could take for files of its own (cgroup_util.c, `cg_escape`).
    static func asDirectory(_ name: String) -> String {
        let first = name.utf8.prefix { $0 != UInt8(ascii: ".") }
        let isSpecial =
            name.utf8.first == UInt8(ascii: "_") || name.utf8.first == UInt8(ascii: ".")
            || reserved.contains { first.elementsEqual($0.utf8) }
        return isSpecial ? "_" + name : name
    }

    private static var reserved: [String] {
        [
            "cgroup", "cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids", "bpf-firewall",
            "bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces",
        ]
    }
}
