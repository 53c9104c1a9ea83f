internal import CPlan
internal import Diagnostics
internal import OCI

/// A mount of type `cgroup`: the container sees its cgroups, whatever the host's layout is.
extension Draft {
    mutating func planCgroups(
        _ mount: Spec.Mount, _ settings: MountSettings, at target: MountTarget
    ) throws(Failure) {
        let hasNamespace = linux.namespace(.cgroup) != nil
        switch facts.cgroup {
        case .unified:
            // The whole tree without a cgroup namespace: what /proc/PID/cgroup says is a path in it.
            try planFileSystem(source: mount.source ?? "", settings, at: target.retyped("cgroup2"))
        case .legacy(let hierarchies):
            try settings.checkNoData(
                mount.options, index: Int(steps.origin.index),
                "is no option of a mount of all cgroup hierarchies")
            try planHierarchies(hierarchies, settings, at: target, hasNamespace: hasNamespace)
        }
    }

    /// A tmpfs with one directory a hierarchy. It stays writable even where the hierarchies are read-only, as
    /// engines know it.
    private mutating func planHierarchies(
        _ hierarchies: [CgroupLayout.Hierarchy], _ settings: MountSettings, at target: MountTarget,
        hasNamespace: Bool
    ) throws(Failure) {
        let attributes = MountAttribute.noSUID | MountAttribute.noDev | MountAttribute.noExec
        try openTarget(target, like: Slot.none)
        let type = steps.literal("tmpfs")
        let start = steps.literal("source=tmpfs")
        _ = steps.literal("mode=755")
        steps.add(
            .makeFS, flags: UInt32(CPLAN_F_MODE_OF_TARGET), dst: Slot.hierarchies, aux: Slot.target,
            str: type,
            str2: start, len: steps.position - start, attributes)
        steps.add(.attach, src: Slot.hierarchies, aux: Slot.target)
        for hierarchy in hierarchies {
            let name = PathText.split(hierarchy.mountpoint).name
            let directory = try steps.text(name)
            steps.add(.mkdir, src: Slot.hierarchies, str: directory, 0o755)
            if hasNamespace {
                try makeHierarchy(hierarchy, attributes | (settings.isReadOnly ? MountAttribute.readOnly : 0))
            } else {
                try bindHierarchy(hierarchy)
            }
            // The tmpfs is fresh and nobody else's: what is in it needs no look-up.
            steps.add(.attach, src: Slot.tree, aux: Slot.hierarchies, str: directory)
        }
        if !hasNamespace { addBindAttributes(settings, above: attributes) }
        for flags in settings.propagation {
            addPropagation(flags | MountFlag.recursive, to: Slot.hierarchies)
        }
        for hierarchy in hierarchies where hierarchy.controllers.count > 1 { try linkControllers(hierarchy) }
    }

    /// A mount of the hierarchy shows a process in a cgroup namespace that namespace's part.
    private mutating func makeHierarchy(
        _ hierarchy: CgroupLayout.Hierarchy, _ attributes: UInt64
    ) throws(Failure) {
        let type = steps.literal("cgroup")
        let start = steps.position
        if let name = hierarchy.name {
            steps.append(literal: "source=")
            _ = try steps.text(name)
            steps.append(literal: "name=")
            _ = try steps.text(name)
        } else {
            _ = steps.literal("source=cgroup")
        }
        for controller in hierarchy.controllers { _ = try steps.text(controller) }
        if attributes & MountAttribute.readOnly != 0 { _ = steps.literal("ro") }
        steps.add(
            .makeFS, dst: Slot.tree, aux: Slot.hierarchies, str: type, str2: start,
            len: steps.position - start,
            attributes)
    }

    private mutating func bindHierarchy(_ hierarchy: CgroupLayout.Hierarchy) throws(Failure) {
        let path = try steps.text(hierarchy.directory)
        steps.add(.openTree, flags: UInt32(CPLAN_F_RECURSIVE), dst: Slot.tree, str: path)
    }

    /// Gives all hierarchies their attributes at once, from the tmpfs down, then the tmpfs its own again.
    private mutating func addBindAttributes(_ settings: MountSettings, above attributes: UInt64) {
        if let change = settings.bindAttributes(readOnly: settings.isReadOnly) {
            steps.add(
                .mountAttr, flags: UInt32(CPLAN_F_RECURSIVE), src: Slot.hierarchies, change.set, change.clear)
            let all = change.set | change.clear
            steps.add(.mountAttr, src: Slot.hierarchies, attributes, all & ~attributes)
        }
        addRecursiveAttributes(settings, to: Slot.hierarchies)
    }

    /// `cpu` and `cpuacct` lead to `cpu,cpuacct`.
    private mutating func linkControllers(_ hierarchy: CgroupLayout.Hierarchy) throws(Failure) {
        let name = PathText.split(hierarchy.mountpoint).name
        guard name.utf8.contains(UInt8(ascii: ",")) else { return }
        let target = try steps.text(name)
        for controller in hierarchy.controllers {
            let link = try steps.text(controller)
            steps.add(.symlink, src: Slot.hierarchies, str: link, str2: target)
        }
    }
}
