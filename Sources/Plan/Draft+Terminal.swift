internal import CPlan
internal import Diagnostics
internal import OCI

/// process.terminal: a terminal of the container's own devpts becomes stdio.
extension Draft {
    /// For a container: its first process is the leader of a session, and the terminal is also its console.
    mutating func planConsole() throws(Failure) {
        guard process.terminal else { return }
        planTerminal(in: setsUpDev ? Slot.dev : Slot.root)
        if hasMountNamespace { planConsoleMount() }
        planControllingTerminal()
    }

    /// Opens the terminal and tells gantry, which gets the other end of it.
    ///
    /// - Parameter slot: `Slot.dev` or `Slot.root`.
    mutating func planTerminal(in slot: Int16) {
        steps.origin = Origin("process.terminal")
        let path = slot == Slot.dev ? steps.literal("pts") : steps.literal("dev/pts")
        steps.add(
            .open, dst: Slot.target, src: slot, str: path, OpenFlag.path | OpenFlag.directory,
            Resolve.container | Resolve.noSymlinks)
        steps.add(.check, src: Slot.target, 0, 0, devptsMagic)
        var size: UInt64 = 0
        if let given = process.consoleSize, given.height > 0, given.width > 0 {
            size = UInt64(given.height) | UInt64(given.width) << 16
        }
        steps.add(.ptyMaster, dst: Slot.master, src: Slot.target, size)
        steps.add(.ptySlave, dst: Slot.slave, src: Slot.master)
        steps.add(.sync, flags: UInt32(CPLAN_F_ANY_FD), src: Slot.master, SyncPoint.terminal)
    }

    /// Comes when the process is the leader of its session: behind the last fork.
    mutating func planControllingTerminal() {
        steps.origin = Origin("process.terminal")
        steps.add(.ptyControl)
    }

    /// /dev/console is made when it is missing. A symlink there would put the terminal somewhere else
    /// (CVE-2026-88264), and what a path to the terminal leads to could have been exchanged (CVE-2025-52565).
    private mutating func planConsoleMount() {
        let path = setsUpDev ? steps.literal("console") : steps.literal("dev/console")
        steps.add(
            .openTarget, flags: UInt32(CPLAN_F_FILE | CPLAN_F_NO_SYMLINKS), dst: Slot.target,
            src: setsUpDev ? Slot.dev : Slot.root, str: path, 0o666)
        steps.add(.openTree, dst: Slot.tree, src: Slot.slave)
        steps.add(.attach, src: Slot.tree, aux: Slot.target)
    }
}
