internal import CLinux
internal import Diagnostics
internal import Linux
internal import OCI

// Whose the cgroup is (config-linux.md, "Cgroup ownership"). On version 2 a container whose process is another user's than
// root, sees the cgroup as a root of its own, and may write to it, gets it handed over: it can make cgroups below and move
// its processes there. The limits stay gantry's.
extension CgroupPlan {
    /// - Returns: the user of the container's process; 0, whose it is anyway, when it is not to be handed over.
    static func owner(_ spec: Spec) -> UInt32 {
        let isPrivate = spec.linux?.namespaces.contains { $0.type == .cgroup && $0.path == nil } ?? false
        guard isPrivate, let user = spec.process?.user, spec.mounts.contains(where: isWritableCgroup) else {
            return 0
        }
        return user.uid
    }

    private static func isWritableCgroup(_ mount: Spec.Mount) -> Bool {
        let type = mount.type ?? ""
        var place = Substring(mount.destination)
        while place.utf8.last == UInt8(ascii: "/") { place = place.dropLast() }
        return (type.utf8.elementsEqual("cgroup".utf8) || type.utf8.elementsEqual("cgroup2".utf8))
            && place.utf8.elementsEqual(Layout.mountPoint.utf8)
            && !mount.options.contains { $0.utf8.elementsEqual("ro".utf8) }
    }

    /// Gives the directory, and the files that the kernel says belong to whom a cgroup is delegated to.
    func handOver(_ directory: Cgroup.Directory) throws(Failure) {
        guard owner != 0 else { return }
        let purpose = "cannot hand over the cgroup to user \(owner)"
        let opened = try Descriptor.open(directory.path, O.readOnly | O.directory)
        let path = directory.path
        _ = try check(clinux_chown_at(opened.raw, "", owner), "fchownat \(path)", purpose)
        for name in Self.delegated {
            let result = clinux_chown_at(opened.raw, name, owner)
            // One of a controller that it does not have.
            if result == -CgroupErrno.notFound { continue }
            _ = try check(result, "fchownat \(path)/\(name)", purpose)
        }
    }

    /// Linux 4.15 and later lists them.
    private static var delegated: [String] {
        var error: CInt = 0
        guard let list = CgroupFile.read("/sys/kernel/cgroup/delegate", error: &error) else {
            return ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
        }
        return list.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
    }
}
