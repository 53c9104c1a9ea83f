/// The environment as the container's process gets it: of several entries with one name the last one counts,
/// at the place of the first.
struct Environment {
    /// Positions in `entries` of what is handed over, in order.
    private(set) var chosen: [UInt32] = []
    let entries: [String]

    /// An entry without "=" is handed over as it is.
    init(_ entries: [String]) {
        self.entries = entries
        chosen.reserveCapacity(entries.count)
        // Open addressing: engines pass thousands of entries, for services, and comparing all pairs would be
        // felt.
        let free = UInt32.max
        var table = [UInt32](repeating: free, count: Environment.tableSize(entries.count))
        let mask = table.count - 1
        for (position, entry) in entries.enumerated() {
            let length = Environment.nameLength(entry)
            var place = Environment.hash(entry, length) & mask
            while table[place] != free {
                let other = Int(table[place])
                if Environment.isSameName(entry, entries[Int(chosen[other])], length) { break }
                place = (place + 1) & mask
            }
            if table[place] != free {
                chosen[Int(table[place])] = UInt32(position)
            } else {
                table[place] = UInt32(chosen.count)
                chosen.append(UInt32(position))
            }
        }
    }

    /// The value of a variable, or `nil` when it is not set.
    func value(_ name: StaticString) -> Substring.UTF8View? {
        let bytes = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        for position in chosen {
            let utf8 = entries[Int(position)].utf8
            guard utf8.starts(with: bytes) else { continue }
            let end = utf8.index(utf8.startIndex, offsetBy: bytes.count)
            if end < utf8.endIndex, utf8[end] == UInt8(ascii: "=") {
                return Substring(entries[Int(position)]).utf8[utf8.index(after: end)...]
            }
        }
        return nil
    }

    private static func tableSize(_ count: Int) -> Int {
        var size = 16
        while size < count * 2 { size *= 2 }
        return size
    }

    /// Without the "=".
    private static func nameLength(_ entry: String) -> Int {
        var length = 0
        for byte in entry.utf8 {
            if byte == UInt8(ascii: "=") { break }
            length += 1
        }
        return length
    }

    /// FNV-1a.
    private static func hash(_ entry: String, _ length: Int) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in entry.utf8.prefix(length) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash >> 1)
    }

    /// Whether the names are the same; `length` is that of the first.
    private static func isSameName(_ one: String, _ other: String, _ length: Int) -> Bool {
        var left = one.utf8.makeIterator()
        var right = other.utf8.makeIterator()
        // With the "=" or the end behind the name, so that one name is not only the other's beginning.
        for _ in 0...length where left.next() != right.next() { return false }
        return true
    }
}
