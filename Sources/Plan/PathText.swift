/// Paths as text: no system call, and bytes instead of characters.
enum PathText {
    static let slash = UInt8(ascii: "/")

    /// The path from "/" with `.`, `..`, doubled and trailing slashes worked out; a relative one starts at
    /// "/", too. Symlinks are the init's affair.
    static func cleaned(_ path: String) -> String {
        if isClean(path) { return path }
        var parts: [Substring.UTF8View] = []
        for part in path.utf8.split(separator: slash) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        var result = ""
        for part in parts {
            result += "/"
            result += Substring(part)
        }
        return result.isEmpty ? "/" : result
    }

    /// Whether `cleaned` would give the same: most paths are written so.
    private static func isClean(_ path: String) -> Bool {
        var before = UInt8(0)
        var first = true
        for byte in path.utf8 {
            if first, byte != slash { return false }
            // A component that begins with a dot is looked at by the slow way.
            if !first, before == slash, byte == slash || byte == UInt8(ascii: ".") { return false }
            before = byte
            first = false
        }
        return !first && (before != slash || path.utf8.count == 1)
    }

    static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

    /// `/a/b` to `/a` and `b`. The path must be clean and not "/".
    static func split(_ path: String) -> (parent: String, name: String) {
        let utf8 = path.utf8
        guard let last = utf8.lastIndex(of: slash) else { return ("/", path) }
        let parent = last == utf8.startIndex ? "/" : String(path[..<last])
        return (parent, String(path[utf8.index(after: last)...]))
    }

    /// Whether `path` is `directory` or below it. Both clean.
    static func isInside(_ path: String, _ directory: String) -> Bool {
        let path = path.utf8
        let directory = directory.utf8
        guard path.starts(with: directory) else { return false }
        return path.count == directory.count || path.dropFirst(directory.count).first == slash
    }
}

extension String {
    /// Equality of bytes. `==` on strings holds for canonically equivalent ones, which are different names to
    /// the kernel.
    func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    func isSame(as other: StaticString) -> Bool {
        utf8.elementsEqual(UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
    }
}
