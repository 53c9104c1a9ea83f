public import Diagnostics
internal import Linux

// Where an exec goes.
extension Cgroup {
    /// The cgroups below these that `exec --cgroup` names: `PATH` for every hierarchy, or `CONTROLLERS:PATH`
    /// for those of the named controllers, separated by commas. They must exist; nothing is made.
    ///
    /// - Throws: `usage` for a path that could lead out of the container's cgroup.
    public func subgroups(_ values: [String]) throws(Failure) -> Cgroup {
        var directories = directories
        if directories.isEmpty, !values.isEmpty {
            throw Failure(.usage, "the container has no cgroup of its own", at: "--cgroup")
        }
        for value in values {
            let (controllers, components) = try Self.parse(value)
            let chosen = try directories.indices(for: controllers, of: value)
            for index in chosen where !components.isEmpty {
                directories[index].path = self.directories[index].path + "/" + components
            }
        }
        return Cgroup(trusted: directories)
    }

    private static func parse(_ value: String) throws(Failure) -> (controllers: Substring?, path: String) {
        let place = "--cgroup"
        let colon = value.utf8.firstIndex(of: UInt8(ascii: ":"))
        let controllers = colon.map { value[..<$0] }
        let path = colon.map { value[value.utf8.index(after: $0)...] } ?? value[...]
        // The container's own cgroup, where there would be a fallback without it.
        if path.utf8.elementsEqual("/".utf8) { return (controllers, "") }
        guard let first = path.utf8.first, first != UInt8(ascii: "/") else {
            throw Failure(
                .usage, "\"\(value)\" must name a cgroup below the container's, without a leading slash",
                at: place)
        }
        var clean = ""
        for part in path.utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) || part.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") })
            {
                throw Failure(.usage, "\"\(value)\" leads out of the container's cgroup", at: place)
            }
            if !clean.isEmpty { clean += "/" }
            clean += Substring(part)
        }
        return (controllers, clean)
    }

    /// The version 2 directory of a process, when it has left the one that its container was given: what has
    /// controllers for its children takes no process itself (cgroups(7), "no internal processes").
    ///
    /// - Parameter mountPoint: of version 2.
    public static func unified(of pid: Int32, mountPoint: String) throws(Failure) -> Directory? {
        let path = "/proc/\(pid)/cgroup"
        let file = try Descriptor.open(path, O.readOnly)
        let bytes = try file.readAll(limit: 1 << 20, name: path) ?? []
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "0::/".utf8) {
            let cgroup = String(decoding: line.dropFirst(3), as: UTF8.self)
            return Directory(controllers: "", path: mountPoint + cgroup)
        }
        return nil
    }
}

extension [Cgroup.Directory] {
    fileprivate func indices(for controllers: Substring?, of value: String) throws(Failure) -> [Int] {
        guard let controllers else { return Array<Int>(indices) }
        var chosen: [Int] = []
        for name in controllers.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let text = String(name), !text.isEmpty, let index = firstIndex(where: { $0.has(text) })
            else {
                throw Failure(
                    .usage, "\"\(value)\": the container is in no hierarchy of this controller",
                    at: "--cgroup")
            }
            chosen.append(index)
        }
        return chosen
    }
}
