internal import CPlan
internal import Diagnostics
internal import OCI

/// spec.mounts, each opened, made detached, given its attributes, and then attached.
extension Draft {
    mutating func planMounts() throws(Failure) {
        for index in spec.mounts.indices {
            let mount = spec.mounts[index]
            steps.origin = Origin("mounts", index)
            if !mount.uidMappings.isEmpty || !mount.gidMappings.isEmpty {
                throw Failure(.unsupported, "id-mapped mounts are not supported yet", at: "mounts[\(index)]")
            }
            let settings = try MountSettings(mount.options, index: index)
            let isProcfs = !facts.procfsSources.isEmpty && facts.procfsSources.contains(index)
            let target = try MountTarget(mount, index: index, settings: settings, isProcfs: isProcfs)
            try settings.checkCopyUp(mount.options, type: target.type, index: index)
            if settings.isBind {
                try settings.checkBind(mount.options, index: index)
                try planBind(
                    try bindSource(mount, index: index), settings, to: target, recursive: settings.isRecursive
                )
            } else if target.type.isSame(as: "cgroup") {
                try planCgroups(mount, settings, at: target)
            } else {
                try planFileSystem(source: mount.source ?? "", settings, at: target)
            }
        }
    }

    private func bindSource(_ mount: Spec.Mount, index: Int) throws(Failure) -> String {
        guard let source = mount.source, !source.isEmpty else {
            throw Failure(.invalid, "a bind mount needs a source", at: "mounts[\(index)].source")
        }
        if PathText.isAbsolute(source) { return source }
        return options.bundle + "/" + source
    }

    /// A bind mount of a path of the host.
    mutating func planBind(
        _ source: String, _ settings: MountSettings, to target: MountTarget, recursive: Bool
    ) throws(Failure) {
        let later = target.becomesReadOnlyLater(settings)
        let slot = takeSlot(target, kept: later)
        let path = try steps.text(source)
        steps.add(.openTree, flags: recursive ? UInt32(CPLAN_F_RECURSIVE) : 0, dst: slot, str: path)
        try openTarget(target, like: slot)
        if let change = settings.bindAttributes(readOnly: settings.isReadOnly && !later) {
            steps.add(.mountAttr, src: slot, change.set, change.clear)
        }
        addRecursiveAttributes(settings, to: slot)
        steps.add(.attach, src: slot, aux: Slot.target)
        for flags in settings.propagation { addPropagation(flags, to: slot) }
    }

    /// A new file system.
    mutating func planFileSystem(
        source: String, _ settings: MountSettings, at target: MountTarget
    ) throws(Failure) {
        let later = target.becomesReadOnlyLater(settings)
        let readOnly = settings.isReadOnly && !later
        let slot = takeSlot(target, kept: later)
        try openTarget(target, like: Slot.none)
        if needsMountCall(source, settings) {
            try planMountCall(source: source, settings, at: target, readOnly: readOnly, into: slot)
            if settings.copiesUp { steps.add(.copyUp, src: Slot.target, aux: slot) }
            addRecursiveAttributes(settings, to: slot)
        } else {
            try makeFileSystem(source: source, settings, at: target, readOnly: readOnly, into: slot)
            if settings.copiesUp { steps.add(.copyUp, src: Slot.target, aux: slot) }
            addRecursiveAttributes(settings, to: slot)
            steps.add(.attach, src: slot, aux: Slot.target)
        }
        for flags in settings.propagation { addPropagation(flags, to: slot) }
    }

    /// - Parameters:
    ///   - slot: what is mounted decides whether a directory or a file is made; NONE: a directory.
    mutating func openTarget(_ target: MountTarget, like slot: Int16) throws(Failure) {
        let path = try steps.text(target.path)
        steps.add(
            .openTarget,
            flags: target.flags | UInt32(slot == Slot.none ? CPLAN_F_DIRECTORY : CPLAN_F_LIKE_AUX),
            dst: Slot.target, src: Slot.root, aux: slot, str: path)
    }

    /// Makes a file system through fsopen(2), detached. A read-only one is so as a file system and as a
    /// mount, as with mount(2).
    mutating func makeFileSystem(
        source: String, _ settings: MountSettings, at target: MountTarget, readOnly: Bool, into slot: Int16
    ) throws(Failure) {
        let type = try steps.text(target.type)
        let start = steps.position
        steps.append(literal: "source=")
        _ = try steps.text(source)
        if readOnly { _ = steps.literal("ro") }
        if settings.flags & MountFlag.synchronous != 0 { _ = steps.literal("sync") }
        if settings.flags & MountFlag.dirSync != 0 { _ = steps.literal("dirsync") }
        if settings.flags & MountFlag.lazyTime != 0 { _ = steps.literal("lazytime") }
        if settings.flags & MountFlag.mandatoryLocks != 0 { _ = steps.literal("mand") }
        for option in settings.data { try appendOption(option) }
        steps.add(
            .makeFS, flags: target.takesModeOfDirectory(settings) ? UInt32(CPLAN_F_MODE_OF_TARGET) : 0,
            dst: slot,
            aux: Slot.target, str: type, str2: start, len: steps.position - start,
            settings.attributes(readOnly: readOnly))
    }

    /// mount(2) takes the quotes off a security context; fsconfig(2) wants it without.
    private mutating func appendOption(_ option: String) throws(Failure) {
        if option.utf8.contains(UInt8(ascii: "\"")) {
            var bytes: [UInt8] = []
            for byte in option.utf8 where byte != UInt8(ascii: "\"") { bytes.append(byte) }
            try steps.append(bytes: bytes[...])
        } else {
            try steps.append(option)
        }
        steps.append(byte: 0)
    }

    mutating func addRecursiveAttributes(_ settings: MountSettings, to slot: Int16) {
        guard settings.recursiveSet | settings.recursiveClear != 0 else { return }
        steps.add(
            .mountAttr, flags: UInt32(CPLAN_F_RECURSIVE), src: slot, settings.recursiveSet,
            settings.recursiveClear)
    }

    /// The slot for a mount: a temporary one, or one that lasts until the mount becomes read-only. When those
    /// have run out, the mount is found by its path again.
    private mutating func takeSlot(_ target: MountTarget, kept: Bool) -> Int16 {
        guard kept else { return Slot.tree }
        let lasts = nextKept >= Slot.lastKept
        let slot = lasts ? nextKept : Slot.none
        lateReadOnly.append(LateReadOnly(origin: steps.origin, slot: slot, path: target.path))
        if lasts { nextKept -= 1 }
        return lasts ? slot : Slot.tree
    }
}

/// What only mount(2) can do.
extension Draft {
    private func needsMountCall(_ source: String, _ settings: MountSettings) -> Bool {
        if settings.flags & MountFlag.mountCallOnly != 0 || source.utf8.count > fsconfigValueMax {
            return true
        }
        for option in settings.data where option.utf8.count > fsconfigValueMax {
            let equals = option.utf8.firstIndex(of: UInt8(ascii: "=")) ?? option.utf8.endIndex
            let key = option.utf8[..<equals].count
            if key > fsconfigValueMax || option.utf8.count - key - 1 > fsconfigValueMax { return true }
        }
        return false
    }

    private mutating func planMountCall(
        source: String, _ settings: MountSettings, at target: MountTarget, readOnly: Bool,
        into slot: Int16
    ) throws(Failure) {
        let type = try steps.text(target.type)
        let start = try steps.text(source)
        let data = steps.position
        for (position, option) in settings.data.enumerated() {
            if position > 0 { steps.append(byte: UInt8(ascii: ",")) }
            try steps.append(option)
        }
        let length = Int(steps.position - data)
        steps.append(byte: 0)
        guard length <= mountDataMax else {
            throw Failure(
                .invalid, "\(length) bytes of file-system options; the kernel takes \(mountDataMax)",
                at: (steps.origin.path ?? "mounts") + ".options")
        }
        var flags = settings.flags & ~(MountFlag.readOnly | MountFlag.recursive)
        if readOnly { flags |= MountFlag.readOnly }
        steps.add(
            .mountData, aux: Slot.target, str: type, str2: start, len: steps.position - start, UInt64(flags))
        // mount(2) gives no descriptor: what is now at the path is the mount.
        let path = try steps.text(target.path)
        steps.add(.open, dst: slot, src: Slot.root, str: path, OpenFlag.path, Resolve.container)
    }
}
