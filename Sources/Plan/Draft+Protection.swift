internal import CPlan
internal import Diagnostics
internal import OCI

/// linux.readonlyPaths and linux.maskedPaths. Each is resolved once and is a descriptor from then on.
extension Draft {
    mutating func planProtectedPaths() throws(Failure) {
        for (index, path) in linux.readonlyPaths.enumerated() {
            steps.origin = Origin("linux.readonlyPaths", index)
            // What would be attached over the root would not be what "/" leads to.
            if PathText.cleaned(path).isSame(as: "/") {
                steps.add(.mountAttr, src: Slot.root, MountAttribute.readOnly, 0)
                continue
            }
            try openProtected(path, skip: 3)
            steps.add(.openTree, flags: UInt32(CPLAN_F_RECURSIVE), dst: Slot.tree, src: Slot.target)
            steps.add(.mountAttr, src: Slot.tree, MountAttribute.readOnly, 0)
            steps.add(.attach, src: Slot.tree, aux: Slot.target)
        }
        guard !linux.maskedPaths.isEmpty else { return }
        steps.origin = Origin("linux.maskedPaths")
        makeMask()
        for (index, path) in linux.maskedPaths.enumerated() {
            steps.origin = Origin("linux.maskedPaths", index)
            if PathText.cleaned(path).isSame(as: "/") {
                throw Failure(.invalid, "must not be \"/\"", at: "linux.maskedPaths[\(index)]")
            }
            try openProtected(path, skip: 1)
            steps.add(.cover, src: Slot.target)
        }
    }

    /// What is not there needs no protection.
    private mutating func openProtected(_ path: String, skip: UInt16) throws(Failure) {
        guard PathText.isAbsolute(path) else {
            throw Failure(.invalid, "must be an absolute path", at: steps.origin.path)
        }
        let text = try steps.text(path)
        steps.add(
            .open, dst: Slot.target, src: Slot.root, ok: (ErrorNumber.noEntry, 0), skip: skip, str: text,
            OpenFlag.path, Resolve.container)
    }

    /// One empty tmpfs for all masked directories. It cannot be filled even by whoever makes it writable.
    private mutating func makeMask() {
        let type = steps.literal("tmpfs")
        let start = steps.literal("source=tmpfs")
        _ = steps.literal("nr_blocks=1")
        _ = steps.literal("nr_inodes=1")
        _ = steps.literal("ro")
        steps.add(
            .makeFS, dst: Slot.mask, str: type, str2: start, len: steps.position - start,
            MountAttribute.readOnly)
    }
}
