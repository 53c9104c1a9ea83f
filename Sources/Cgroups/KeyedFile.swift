/// Files of cgroups that have a line for each device, interface or resource, of which a write changes one
/// (Documentation/admin-guide/cgroup-v2.rst, "Format": flat and nested keyed).
enum KeyedFile {
    private enum Kind {
        /// `8:0 500`; what is written for "none" of a key.
        case flat(none: StaticString)
        /// `8:0 rbps=1 wbps=max`: fields that are not written stay.
        case nested
    }

    /// Files that are not here have one value.
    private static func kind(of file: String) -> Kind? {
        for name in ["io.max", "io.latency", "rdma.max"] where name.utf8.elementsEqual(file.utf8) {
            return .nested
        }
        for name in ["io.weight", "io.bfq.weight", "blkio.bfq.weight_device"]
        where name.utf8.elementsEqual(file.utf8) {
            return .flat(none: "default")
        }
        if file.utf8.elementsEqual("misc.max".utf8) { return .flat(none: "max") }
        if file.utf8.starts(with: "blkio.throttle.".utf8) { return .flat(none: "0") }
        if file.utf8.elementsEqual("net_prio.ifpriomap".utf8) { return .flat(none: "0") }
        return nil
    }

    /// What is to be written, line by line, so that a file is again as it was before `line` is written into it.
    ///
    /// - Parameter content: of the file before.
    static func undo(_ line: String, of file: String, content: String) -> [String] {
        let lines = content.utf8.split(separator: newline)
        guard let kind = kind(of: file) else {
            // An empty list takes a line end.
            return lines.isEmpty ? [""] : lines.map { String(Substring($0)) }
        }
        let words = line.utf8.split(separator: space)
        guard let first = words.first else { return [] }
        switch kind {
        case .flat(let none):
            // A value alone is that of all keys without one of their own.
            let key = words.count == 1 ? Substring("default").utf8 : first
            let old = lines.first { $0.split(separator: space).first?.elementsEqual(key) ?? false }
            if let old { return [String(Substring(old))] }
            if words.count == 1 { return lines.map { String(Substring($0)) } }
            return [String(Substring(key)) + " " + none.description]
        case .nested:
            let old = lines.first { $0.split(separator: space).first?.elementsEqual(first) ?? false }
            let fields = old?.split(separator: space).dropFirst() ?? []
            var undo = String(Substring(first))
            for field in words.dropFirst() {
                let name = field.prefix { $0 != UInt8(ascii: "=") }
                let value = fields.first {
                    $0.starts(with: name) && $0.dropFirst(name.count).first == UInt8(ascii: "=")
                }
                undo += " " + (value.map { String(Substring($0)) } ?? String(Substring(name)) + "=max")
            }
            return [undo]
        }
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
}
