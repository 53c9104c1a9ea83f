internal import Diagnostics

/// Where a container's cgroup is in each hierarchy.
///
/// `linux.cgroupsPath` that starts with `/` counts from the mount (config-linux.md, "Cgroups path"). A
/// relative one counts from the cgroup of whoever calls gantry, and an absent one is the container's ID,
/// relative, as runc does it. On cgroup v2 it counts from that cgroup's parent: the caller's own cgroup has
/// processes in it, so no controllers can be enabled below it ("no internal processes", cgroups(7)).
struct CgroupPath: Sendable {
    static let place = "linux.cgroupsPath"

    /// Without doubled and trailing slashes, never empty.
    private let components: [Substring.UTF8View]
    let isAbsolute: Bool

    /// - Parameter path: `linux.cgroupsPath`.
    init(_ path: String?, id: String) throws(Failure) {
        let text = path ?? id
        isAbsolute = text.utf8.first == UInt8(ascii: "/")
        var components: [Substring.UTF8View] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                throw Failure(.invalid, "must not contain \"..\"", at: Self.place)
            }
            if part.count > 255 {
                throw Failure(.invalid, "must not have a component longer than 255 bytes", at: Self.place)
            }
            if part.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) {
                throw Failure(.invalid, "must not contain line ends or NUL bytes", at: Self.place)
            }
            components.append(part)
        }
        guard !components.isEmpty else {
            throw Failure(.invalid, "must name a cgroup below the root", at: Self.place)
        }
        self.components = components
    }

    /// The directory, absolute.
    ///
    /// - Parameter own: the caller's cgroups; not looked at for an absolute path.
    func directory(
        in hierarchy: Layout.Hierarchy, own: OwnCgroups, onUnifiedHost: Bool
    ) throws(Failure) -> String {
        var text = hierarchy.mountPoint
        if !isAbsolute {
            for part in try base(in: hierarchy, own, onUnifiedHost: onUnifiedHost) {
                text += "/"
                text += Substring(part)
            }
        }
        for part in components {
            text += "/"
            text += Substring(part)
        }
        return text
    }

    /// Components of the caller's cgroup as seen from the mount point.
    private func base(
        in hierarchy: Layout.Hierarchy, _ own: OwnCgroups, onUnifiedHost: Bool
    ) throws(Failure) -> ArraySlice<Substring.UTF8View> {
        guard let parts = own.components(below: hierarchy) else {
            throw Failure(
                .unsupported,
                "counts from the caller's cgroup, which is outside the caller's cgroup namespace"
                    + " (\(own.path(in: hierarchy) ?? ""))", at: Self.place)
        }
        return onUnifiedHost ? parts.dropLast() : parts
    }
}
