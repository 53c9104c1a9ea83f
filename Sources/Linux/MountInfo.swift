public import Diagnostics

/// /proc/self/mountinfo (proc(5)).
public enum MountInfo {
    /// A mount table of a busy host has thousands of lines; this is far beyond.
    private static let limit = 64 << 20

    /// Where the mount that `path` (canonical) is on is mounted: the longest mount point that contains it.
    public static func mountPoint(containing path: String) throws(Failure) -> String {
        let file = "/proc/self/mountinfo"
        guard let bytes = try Descriptor.open(file, O.readOnly).readAll(limit: limit, name: file) else {
            throw Failure(.system, "is too large", at: file)
        }
        return mountPoint(containing: path, in: bytes)
    }

    static func mountPoint(containing path: String, in mountinfo: [UInt8]) -> String {
        let wanted = Array(path.utf8)
        var best: [UInt8] = [UInt8(ascii: "/")]
        for line in mountinfo.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 4 else { continue }
            let point = unescaped(fields[4])
            if point.count >= best.count && contains(point, wanted) { best = point }
        }
        return String(decoding: best, as: UTF8.self)
    }

    private static func contains(_ point: [UInt8], _ path: [UInt8]) -> Bool {
        guard path.starts(with: point) else { return false }
        return point.count == 1 || path.count == point.count || path[point.count] == UInt8(ascii: "/")
    }

    /// Space, tab, newline and backslash stand as three octal digits.
    static func unescaped(_ field: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(field)
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\\"), at + 3 < bytes.count,
                let value = UInt8(String(decoding: bytes[(at + 1)...(at + 3)], as: UTF8.self), radix: 8)
            {
                plain.append(value)
                at += 4
            } else {
                plain.append(bytes[at])
                at += 1
            }
        }
        return plain
    }
}
