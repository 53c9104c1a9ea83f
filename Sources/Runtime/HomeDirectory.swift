internal import Diagnostics
internal import Linux

/// The default of `HOME`: the home directory that the container's own /etc/passwd gives the user.
enum HomeDirectory {
    /// An image's passwd may be as large as it likes; nobody reads more than this of it (CVE-2026-47262).
    static let limit = 10 << 20

    /// `HOME=...` for the user, from an open /etc/passwd of the container; `/` when it has no usable entry.
    static func environmentEntry(uid: UInt32, passwd: borrowing Descriptor?) -> [UInt8] {
        var entry = Array("HOME=".utf8)
        guard let bytes = content(passwd), let home = find(uid: uid, in: bytes), !home.isEmpty else {
            entry.append(UInt8(ascii: "/"))
            return entry
        }
        entry.append(contentsOf: home)
        return entry
    }

    /// nil for everything that is not a readable regular file of sensible size.
    private static func content(_ passwd: borrowing Descriptor?) -> [UInt8]? {
        let raw = passwd.rawOrNone
        guard raw >= 0, Descriptor.isRegularFile(raw) else { return nil }
        return try? Descriptor.readAll(raw, limit: limit, name: "/etc/passwd")
    }

    /// The sixth field of the first line whose third field is `uid` in decimal (passwd(5)).
    static func find(uid: UInt32, in passwd: [UInt8]) -> ArraySlice<UInt8>? {
        for line in passwd.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 6, omittingEmptySubsequences: false)
            guard fields.count >= 6, number(fields[2]) == uid else { continue }
            let home = fields[5]
            // Longer than any path, or with a NUL that would cut it: not a directory.
            return home.count < 4096 && !home.contains(0) ? home : nil
        }
        return nil
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.count <= 10 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            value = value * 10 + UInt64(digit - 0x30)
        }
        return UInt32(exactly: value)
    }
}
