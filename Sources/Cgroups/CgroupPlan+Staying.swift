public import Diagnostics
public import OCI

// No cgroup of its own: `--cgroup-manager disabled`.
extension CgroupPlan {
    /// The container stays in its caller's cgroups; nothing is made or written.
    ///
    /// - Throws: `unsupported` for limits, which would be the caller's.
    public init(stayingFor spec: Spec, layout: Layout) throws(Failure) {
        let own = try OwnCgroups.read()
        var directories: [Cgroup.Directory] = []
        for hierarchy in layout.hierarchies {
            let path = hierarchy.mountPoint + (try own.path(below: hierarchy))
            directories.append(Cgroup.Directory(controllers: hierarchy.label, path: path))
        }
        let none = "no cgroup is made (--cgroup-manager disabled)"
        let limits = try ResourceSettings(spec.linux?.resources, layout.isUnified ? .v2 : .v1)
        if let setting = limits.settings.first {
            throw Failure(.unsupported, "cannot be limited: " + none, at: setting.place)
        }
        var rest = spec
        rest.linux?.resources = nil
        try self.init(rest, directories: directories, layout: layout)
        // Every engine writes rules for devices; without a cgroup the kernel has no place for them.
        if !(spec.linux?.resources?.devices ?? []).isEmpty {
            warnings.append("linux.resources.devices: left out: " + none)
        }
        if spec.linux?.cgroupsPath?.isEmpty == false {
            warnings.append("linux.cgroupsPath: left out: " + none)
        }
    }
}
