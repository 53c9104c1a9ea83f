internal import CLinux
internal import Diagnostics
internal import Linux

extension Cgroup {
    /// What the processes in the cgroup and below it use.
    public func statistics() -> Statistics {
        var statistics = Statistics()
        for directory in directories {
            if directory.isUnified {
                if isUnified { statistics.readVersion2(directory.path) }
            } else {
                statistics.readVersion1(directory)
            }
        }
        return statistics
    }
}

// Reading. A file that is not there, or goes while it is read, tells nothing.
extension Statistics {
    /// More than any of the files has.
    private static let limit = 1 << 20

    static func text(_ path: String) -> [UInt8] {
        let raw = clinux_openat(AT.cwd, path, O.readOnly | O.noFollow, 0)
        guard raw >= 0 else { return [] }
        let file = Descriptor(adopting: raw)
        let bytes = try? file.readAll(limit: limit, name: path)
        return bytes ?? []
    }

    static func lines(_ path: String) -> [[ArraySlice<UInt8>]] {
        text(path).split(separator: UInt8(ascii: "\n")).map { $0.split(separator: UInt8(ascii: " ")) }
    }

    /// `max` is the greatest number.
    static func number(_ text: some Collection<UInt8>) -> UInt64 {
        if text.elementsEqual("max".utf8) { return .max }
        return UInt64(String(decoding: text, as: UTF8.self)) ?? 0
    }

    static func number(_ path: String) -> UInt64 {
        lines(path).first?.first.map { number($0) } ?? 0
    }

    /// A file of lines `name value`.
    static func table(_ path: String) -> [(name: String, value: UInt64)] {
        lines(path).filter { $0.count == 2 }.map { (String(decoding: $0[0], as: UTF8.self), number($0[1])) }
    }

    static func value(of name: StaticString, in table: [(name: String, value: UInt64)]) -> UInt64 {
        for row in table where name.isText(row.name.utf8) { return row.value }
        return 0
    }

    /// A list such as `0-3,7`.
    static func list(_ path: String) -> [UInt64] {
        var numbers: [UInt64] = []
        for part in text(path).split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") })
        {
            let ends = part.split(separator: UInt8(ascii: "-")).map { number($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else {
                continue
            }
            numbers.append(contentsOf: first...last)
        }
        return numbers
    }

    static func pressure(_ path: String) -> [Pressure] {
        lines(path).filter { $0.count > 1 }.map { words in
            Pressure(
                kind: String(decoding: words[0], as: UTF8.self),
                values: words.dropFirst().map { word in
                    let parts = word.split(separator: UInt8(ascii: "="))
                    return (
                        String(decoding: parts[0], as: UTF8.self),
                        parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : "0"
                    )
                })
        }
    }

    static func device(_ text: ArraySlice<UInt8>) -> (major: UInt64, minor: UInt64)? {
        let parts = text.split(separator: UInt8(ascii: ":"))
        return parts.count == 2 ? (number(parts[0]), number(parts[1])) : nil
    }

    /// Sizes of huge pages that the directory has files about, which end in `suffix`.
    static func pageSizes(_ directory: String, _ suffix: String) -> [String] {
        let raw = clinux_openat(AT.cwd, directory, O.directory | O.noFollow, 0)
        guard raw >= 0 else { return [] }
        let names = try? Directory.names(in: Descriptor(adopting: raw), shown: directory)
        var sizes: [String] = []
        for name in names ?? [] {
            let words = name.utf8.split(separator: UInt8(ascii: "."))
            guard words.count == 3, words[0].elementsEqual("hugetlb".utf8),
                words[2].elementsEqual(suffix.utf8)
            else { continue }
            sizes.append(String(Substring(words[1])))
        }
        return sizes.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
