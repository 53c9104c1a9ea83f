internal import CLinux
public import Diagnostics
internal import Linux

extension Cgroup {
    /// Removes the directories, with those that the container made below them. Processes that are still there
    /// are killed first. Directories that are gone already are no error; directories above are left alone,
    /// since others may use them.
    public func remove() throws(Failure) {
        for directory in directories {
            let result = clinux_unlinkat(AT.cwd, directory.path, AT.removeDirectory)
            if result == 0 || CgroupErrno.isGone(result) { continue }
            try removeUsed(directory, -result)
        }
    }

    /// Removes the directories of a start that was cut off before its process was known. A process of ours is
    /// about to end, since nobody answers it; any other shows that the directory is somebody else's, whom the
    /// start did not get round to notice. So nothing is killed, and what stays in use is left alone.
    ///
    /// - Parameter patience: how long to wait for processes to end, in milliseconds.
    /// - Returns: those that stay.
    @discardableResult
    public func removeUnused(patience: Int32 = 1_000) throws(Failure) -> [Directory] {
        var left = patience
        var busy: [Directory] = []
        for directory in directories {
            while true {
                let result = clinux_unlinkat(AT.cwd, directory.path, AT.removeDirectory)
                if result == 0 || CgroupErrno.isGone(result) { break }
                guard result == -CgroupErrno.busy else { throw Self.removalFailure(-result, directory.path) }
                if left <= 0 {
                    busy.append(directory)
                    break
                }
                clinux_sleep(Self.orphanPause)
                left -= Self.orphanPause
            }
        }
        return busy
    }

    private static let orphanPause: Int32 = 20

    /// How long processes may take to die, in milliseconds.
    private static let patience: Int32 = 5_000

    /// EBUSY: there are children, or processes, or processes that have just died.
    private func removeUsed(_ directory: Directory, _ errno: CInt) throws(Failure) {
        guard errno == CgroupErrno.busy || errno == CgroupErrno.notEmpty else {
            throw Self.removalFailure(errno, directory.path)
        }
        try checkIsNoRoot(directory)
        // What the container has nested is held open on the way down.
        _ = clinux_raise_open_files()
        var left = Self.patience
        var pause: Int32 = 1
        while true {
            // Again each time: more may have been forked, or moved in. First where they can be frozen, and
            // thawed if they are; then what is only in this hierarchy.
            try signalAll(9)
            try signalRepeatedly(9, in: directory.path)
            let result = try removeTree(directory.path, in: AT.cwd, shown: directory.path)
            if result == 0 { return }
            guard result == -CgroupErrno.busy, left > 0 else { throw try failure(-result, directory) }
            if directory.isUnified { waitUntilEmpty(directory, pause) } else { clinux_sleep(pause) }
            left -= pause
            pause = min(pause * 2, 128)
        }
    }

    /// By descriptors: names that the container has nested may be too long for a path.
    ///
    /// - Returns: 0 or -errno.
    private func removeTree(_ name: String, in parent: CInt, shown: String) throws(Failure) -> CInt {
        let result = clinux_unlinkat(parent, name, AT.removeDirectory)
        if result == 0 || CgroupErrno.isGone(result) { return 0 }
        if result != -CgroupErrno.busy { return result }
        let raw = clinux_openat(parent, name, O.directory | O.noFollow, 0)
        if CgroupErrno.isGone(raw) { return 0 }
        let directory = Descriptor(adopting: try check(raw, "openat \(shown)", "cannot read the cgroup"))
        let children = try Linux.Directory.subdirectories(in: directory, shown: shown)
        if children.isEmpty { return result }
        for child in children {
            let result = try removeTree(child, in: directory.raw, shown: shown)
            if result != 0 { return result }
        }
        let last = clinux_unlinkat(parent, name, AT.removeDirectory)
        return CgroupErrno.isGone(last) ? 0 : last
    }

    /// The kernel tells when the last process is gone: cgroup.events changes.
    private func waitUntilEmpty(_ directory: Directory, _ milliseconds: Int32) {
        let path = directory.path + "/cgroup.events"
        guard let events = try? Descriptor.open(path, O.readOnly) else { return }
        var text = [UInt8](repeating: 0, count: 256)
        let raw = events.raw
        // Reading says which state is known; the wait is for the next one.
        let count = text.withUnsafeMutableBytes { clinux_read(raw, $0.baseAddress!, $0.count) }
        let known = String(decoding: text[..<max(count, 0)], as: UTF8.self)
        if CgroupFile.value(of: "populated", in: known)?.elementsEqual("0".utf8) ?? false {
            return clinux_sleep(1)
        }
        _ = clinux_wait_changed(raw, milliseconds)
    }

    /// A damaged record must never make gantry kill all there is. Only the root of a version 1 hierarchy has
    /// this file, and only the root of version 2 lacks cgroup.events.
    func checkIsNoRoot(_ directory: Directory) throws(Failure) {
        let probe = directory.isUnified ? "cgroup.events" : "cgroup.sane_behavior"
        let file = clinux_openat(AT.cwd, directory.path + "/" + probe, O.path, 0)
        let exists = file >= 0
        if exists { _ = clinux_close(file) }
        // systemd may have removed a scope by now.
        if directory.isUnified, !exists, clinux_exists(directory.path) != 0 { return }
        guard exists == directory.isUnified else {
            throw Failure(.invalid, "is no cgroup of a container", at: directory.path)
        }
    }

    private func failure(_ errno: CInt, _ directory: Directory) throws(Failure) -> Failure {
        let remaining = try processes(in: directory.path)
        guard errno == CgroupErrno.busy, !remaining.isEmpty else {
            return Self.removalFailure(errno, directory.path)
        }
        let shown = remaining.prefix(8).map { String($0) }.joined(separator: ", ")
        return Failure.system(
            errno, "rmdir \(directory.path)",
            "cannot remove the container's cgroup: "
                + "\(remaining.count) process(es) did not die of SIGKILL (\(shown))")
    }

    private static func removalFailure(_ errno: CInt, _ path: String) -> Failure {
        Failure.system(errno, "rmdir \(path)", "cannot remove the container's cgroup")
    }
}
