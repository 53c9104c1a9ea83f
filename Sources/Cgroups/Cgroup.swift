internal import CLinux
public import Diagnostics
public import Linux

/// A container's cgroup: one directory in every hierarchy. All that can be done with it needs no more than
/// these paths, so that it can be done from a record on disk.
public struct Cgroup: Equatable, Sendable {
    public struct Directory: Equatable, Sendable {
        /// As in /proc/self/cgroup: `cpu,cpuacct`, `name=systemd`, empty for version 2.
        public var controllers: String
        /// Absolute path on the host.
        public var path: String

        public init(controllers: String, path: String) {
            self.controllers = controllers
            self.path = path
        }

        var isUnified: Bool { controllers.isEmpty }

        func has(_ controller: StaticString) -> Bool {
            controllers.utf8.split(separator: UInt8(ascii: ",")).contains { controller.isText($0) }
        }

        func has(_ controller: String) -> Bool {
            controllers.utf8.split(separator: UInt8(ascii: ",")).contains {
                $0.elementsEqual(controller.utf8)
            }
        }
    }

    public let directories: [Directory]

    /// - Throws: `invalid` for paths that cannot have been written by gantry.
    public init(_ directories: [Directory]) throws(Failure) {
        for directory in directories {
            let parts = directory.path.utf8.split(separator: UInt8(ascii: "/"))
            let climbs = parts.contains { $0.elementsEqual("..".utf8) }
            guard directory.path.utf8.first == UInt8(ascii: "/"), parts.count > 1, !climbs else {
                throw Failure(.invalid, "must be the absolute path of a cgroup", at: directory.path)
            }
        }
        self.directories = directories
    }

    init(trusted directories: [Directory]) {
        self.directories = directories
    }

    /// The version 2 directory.
    var unified: Directory? {
        directories.first { $0.isUnified }
    }

    /// Whether there is nothing but version 2.
    public var isUnified: Bool {
        directories.allSatisfy { $0.isUnified }
    }

    /// Paths of files, each ended by NUL, through which a process of one thread enters the version 1
    /// directories by writing `0` into each.
    ///
    /// That is much cheaper than to be moved: to move another process, or all threads of its own, the kernel
    /// first waits until nobody forks or exits (`cgroup_threadgroup_rwsem`), which takes an RCU grace period
    /// when nobody has done so for a while. Median of 25 starts of the same work after 250 ms of quiet: 0.9
    /// ms against 6.6 ms.
    public var entrances: [UInt8] {
        var list: [UInt8] = []
        for directory in directories where !directory.isUnified {
            list.append(contentsOf: directory.path.utf8)
            list.append(contentsOf: "/tasks\0".utf8)
        }
        return list
    }

    /// The version 2 directory, for clone3(2) with CLONE_INTO_CGROUP; nil when there is none.
    public func openUnified() throws(Failure) -> Descriptor? {
        guard let directory = unified else { return nil }
        return try Descriptor.open(directory.path, O.path | O.directory)
    }

    /// The directory whose cgroup.procs is believed: the one that can also be frozen. nil when there are
    /// none.
    var primary: Directory? {
        if isUnified { return directories.first }
        return directories.first { $0.has("freezer") } ?? directories.first
    }
}

/// Files of cgroups: open, one read or write, close.
enum CgroupFile {
    /// - Parameter value: empty for an empty list, which the kernel takes as an empty line: no bytes say nothing.
    /// - Returns: 0 or -errno.
    static func write(_ value: String, to path: String) -> CInt {
        var value = value.isEmpty ? "\n" : value
        return value.withUTF8 { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return clinux_write_file(path, base, bytes.count)
        }
    }

    /// Without the line end; nil with -errno stored when it cannot be read.
    static func read(_ path: String, error: inout CInt) -> String? {
        // A page is enough for all but lists of thousands of CPUs or devices. The kernel fills the buffer if it can, so
        // that less than that is all there is.
        var size = 4096
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
                count = clinux_read_file(path, buffer.baseAddress!, buffer.count)
                used = max(count, 0)
            }
            guard count >= 0 else {
                error = CInt(count)
                return nil
            }
            if count == size && size < limit {
                size *= 8
                continue
            }
            let text = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// More than any file of one value or of one line a device has.
    private static let limit = 4 << 20

    static func read(_ path: String) throws(Failure) -> String {
        var error: CInt = 0
        guard let text = read(path, error: &error) else {
            throw Failure.system(-error, "read \(path)", "cannot read the cgroup")
        }
        return text
    }

    /// The value of a key in a file of lines `key value`, as cgroup.events.
    static func value(of key: StaticString, in text: String) -> Substring.UTF8View? {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            if words.count == 2 && key.isText(words[0]) { return words[1] }
        }
        return nil
    }
}
