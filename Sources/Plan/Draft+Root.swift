internal import CPlan
internal import Diagnostics
internal import OCI

/// Propagation of the root file system (config-linux.md, "Rootfs Mount Propagation").
enum RootPropagation {
    /// MS_* for a value, or `nil` when there is no such value.
    static func flags(_ text: String) -> UInt32? {
        guard case .propagation(let flags)? = MountOption.find(text) else { return nil }
        return flags
    }

    /// Whether the mount that holds the rootfs may stay shared: then it is made private first.
    static func leavesShared(_ text: String) -> Bool {
        guard let flags = flags(text) else { return false }
        if flags & MountFlag.shared != 0 { return true }
        return flags & MountFlag.recursive == 0 && flags & MountFlag.unbindable == 0
    }
}

/// The root file system: made a mount of its own, entered, and at last made read-only.
extension Draft {
    mutating func planRoot() throws(Failure) {
        guard hasMountNamespace else {
            steps.origin = Origin("root.path")
            let path = try steps.text(options.rootfs)
            steps.add(.open, dst: Slot.root, str: path, OpenFlag.path | OpenFlag.directory, 0)
            return
        }
        try planHostPropagation()
        steps.origin = Origin("root.path")
        let path = try steps.text(options.rootfs)
        steps.add(.open, dst: Slot.target, str: path, OpenFlag.path | OpenFlag.directory, 0)
        if let given = linux.rootfsPropagation, RootPropagation.leavesShared(given) {
            // Found from the descriptor: in a namespace that is joined it may be another one than on the host.
            steps.origin = Origin("linux.rootfsPropagation")
            steps.add(.openMount, dst: Slot.tree, src: Slot.target)
            addPropagation(MountFlag.private, to: Slot.tree)
            steps.origin = Origin("root.path")
        }
        steps.add(.openTree, flags: CPLAN_F_RECURSIVE, dst: Slot.root, src: Slot.target)
        steps.add(.attach, src: Slot.root, aux: Slot.target)
    }

    /// What the namespace got from the host must not tell the host about our mounts. With `shared` that is
    /// wanted for the sources of bind mounts, but not for the mount that the root goes on.
    private mutating func planHostPropagation() throws(Failure) {
        var flags = MountFlag.slave | MountFlag.recursive
        steps.origin = .none
        if let given = linux.rootfsPropagation {
            steps.origin = Origin("linux.rootfsPropagation")
            guard let known = RootPropagation.flags(given) else {
                throw Failure(
                    .invalid,
                    "must be shared, slave, private, unbindable, or one of them with an r before it",
                    at: "linux.rootfsPropagation")
            }
            // The host's mounts stay beneath the container's root then; private ones would outlive the host's own.
            if options.noPivot, known & MountFlag.private != 0 {
                throw Failure(
                    .invalid, "\(given) needs pivot_root, which --no-pivot does without",
                    at: "linux.rootfsPropagation")
            }
            // An unbindable "/" could not be bound from: there it is only the container's root.
            if known & MountFlag.unbindable == 0 { flags = known }
        }
        addPropagation(flags, to: Slot.none)
    }

    /// Changes the propagation of a slot's mount, or of "/".
    mutating func addPropagation(_ flags: UInt32, to slot: Int16) {
        steps.add(
            .propagation, flags: flags & MountFlag.recursive != 0 ? UInt32(CPLAN_F_RECURSIVE) : 0, src: slot,
            UInt64(flags & ~MountFlag.recursive))
    }

    /// Makes the new root ours, then does what must wait until nothing is made in it any more.
    mutating func planEnterRoot() throws(Failure) {
        steps.origin = Origin("root.path")
        steps.add(hasMountNamespace ? (options.noPivot ? .moveRoot : .pivot) : .chroot, src: Slot.root)
        if let given = linux.rootfsPropagation, let flags = RootPropagation.flags(given),
            flags & (MountFlag.shared | MountFlag.unbindable) != 0
        {
            // Not the mounts inside: each has the propagation that its own options give.
            steps.origin = Origin("linux.rootfsPropagation")
            addPropagation(flags & ~MountFlag.recursive, to: Slot.root)
        }
        planNull()
        try planConsole()
        try planWorkingDirectory()
        try planLateReadOnly()
        if spec.root?.readonly == true {
            steps.origin = Origin("root.readonly")
            steps.add(.mountAttr, src: Slot.root, MountAttribute.readOnly, 0)
        }
    }

    /// The container's null device, for files that are masked and for stdio. An image could have put anything
    /// there.
    private mutating func planNull() {
        guard setsUpDev || !linux.maskedPaths.isEmpty else { return }
        steps.origin = setsUpDev ? .none : Origin("linux.maskedPaths")
        let path: UInt32
        if setsUpDev {
            path = steps.literal("null")
            steps.add(
                .open, dst: Slot.null, src: Slot.dev, str: path, OpenFlag.path | OpenFlag.noFollow,
                Resolve.beneath | Resolve.noSymlinks)
        } else {
            path = steps.literal("dev/null")
            steps.add(.open, dst: Slot.null, src: Slot.root, str: path, OpenFlag.path, Resolve.container)
        }
        steps.add(.check, src: Slot.null, FileType.character, deviceNumber(1, 3))
        if setsUpDev, !process.terminal { steps.add(.stdioNull, src: Slot.null) }
    }

    private mutating func planWorkingDirectory() throws(Failure) {
        guard !process.cwd.isSame(as: "/") else { return }
        steps.origin = Origin("process.cwd")
        guard PathText.isAbsolute(process.cwd) else {
            throw Failure(.invalid, "must be an absolute path", at: "process.cwd")
        }
        let path = try steps.text(process.cwd)
        steps.add(.openTarget, flags: UInt32(CPLAN_F_DIRECTORY), dst: Slot.target, src: Slot.root, str: path)
    }

    private mutating func planLateReadOnly() throws(Failure) {
        for mount in lateReadOnly {
            steps.origin = mount.origin
            var slot = mount.slot
            if slot < 0 {
                slot = Slot.target
                let path = try steps.text(mount.path)
                steps.add(.open, dst: slot, src: Slot.root, str: path, OpenFlag.path, Resolve.container)
            }
            steps.add(.mountAttr, src: slot, MountAttribute.readOnly, 0)
        }
    }
}
