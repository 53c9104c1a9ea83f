internal import CLinux
public import Diagnostics

/// Paths on the host. Never for a path inside a rootfs: those are the init's, through descriptors.
public enum Paths {
    /// The path itself when it is absolute, else joined to the working directory; without trailing slashes.
    public static func absolute(_ path: String) throws(Failure) -> String {
        var joined = path
        if path.utf8.first != UInt8(ascii: "/") {
            joined = try workingDirectory()
            joined += "/"
            joined += path
        }
        return cleaned(joined)
    }

    private static func workingDirectory() throws(Failure) -> String {
        var path = [UInt8](repeating: 0, count: maximumLength + 1)
        let length = path.withUnsafeMutableBytes { clinux_getcwd($0.baseAddress!, $0.count) }
        let used = Int(try check(length, "getcwd", "cannot tell the working directory"))
        return String(decoding: path[..<used], as: UTF8.self)
    }

    /// PATH_MAX: no path that the kernel tells is longer.
    private static let maximumLength = 4096

    /// The same path without `.`, `..`, doubled and trailing slashes, by its text alone.
    public static func cleaned(_ path: String) -> String {
        var parts: [Substring.UTF8View] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        guard !parts.isEmpty else { return "/" }
        var text = ""
        text.reserveCapacity(path.utf8.count)
        for part in parts {
            text += "/"
            text += Substring(part)
        }
        return text
    }

    /// The directory that an absolute, cleaned path is in.
    public static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else {
            return "/"
        }
        return String(path[..<slash])
    }

    /// Where a directory really is, all symlinks followed. One open instead of a readlink per component.
    public static func canonicalDirectory(_ path: String) throws(Failure) -> String {
        let directory = try Descriptor.open(path, O.path | O.directory)
        return try name(of: directory, path)
    }

    /// This program's own file.
    public static func ofExecutable() throws(Failure) -> String {
        let link = "/proc/self/exe"
        return try name(of: try Descriptor.open(link, O.path), link)
    }

    /// The path of an open file as the kernel knows it.
    static func name(of file: borrowing Descriptor, _ shown: String) throws(Failure) -> String {
        var link = [UInt8](repeating: 0, count: maximumLength + 1)
        let raw = file.raw
        let length = link.withUnsafeMutableBytes { clinux_fd_path(raw, $0.baseAddress!, $0.count - 1) }
        _ = try check(length, "readlink", "cannot tell where \(shown) is")
        return String(decoding: link[..<Int(length)], as: UTF8.self)
    }
}
