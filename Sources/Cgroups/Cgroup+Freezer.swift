internal import CLinux
public import Diagnostics
internal import Linux

extension Cgroup {
    /// Whether the processes are stopped, by this cgroup or by one above it. false when it is gone, or when
    /// there is no freezer.
    public func isFrozen() throws(Failure) -> Bool {
        guard let (directory, file) = freezer else { return false }
        var error: CInt = 0
        let path = directory.path + "/" + (directory.isUnified ? "cgroup.events" : file)
        guard let text = CgroupFile.read(path, error: &error) else {
            if CgroupErrno.isGone(error) { return false }
            throw Failure.system(-error, "read \(path)", "cannot tell whether the container is paused")
        }
        if directory.isUnified {
            return CgroupFile.value(of: "frozen", in: text)?.elementsEqual("1".utf8) ?? false
        }
        // FROZEN, or FREEZING while some are still on their way.
        return text.utf8.first == UInt8(ascii: "F")
    }

    /// How long processes may take to stop or to go on, in milliseconds: one in an uninterruptible system call
    /// waits for its device.
    private static let freezerPatience: Int32 = 10_000

    /// Stops all processes, those of nested cgroups among them; returns when they are stopped.
    ///
    /// - Throws: when they are not after ten seconds. They go on then.
    public func freeze() throws(Failure) {
        guard let (directory, file) = freezer else {
            throw Failure(
                .unsupported, "needs the cgroup controller freezer, which is not mounted", at: "pause")
        }
        let path = directory.path + "/" + file
        _ = try check(
            CgroupFile.write(directory.isUnified ? "1" : "FROZEN", to: path), "write \(path)",
            "cannot pause the container")
        if freeze(milliseconds: Self.freezerPatience) { return }
        try? thaw()
        throw Failure(
            .system, "not all processes of the container stopped within \(Self.freezerPatience / 1000) s",
            at: directory.path)
    }

    /// Lets the processes go on; returns when they do.
    public func thawWaiting() throws(Failure) {
        try thaw()
        var left = Self.freezerPatience
        while try isFrozen() {
            guard left > 0 else {
                throw Failure(
                    .state, "the container stays paused: a cgroup above its own is frozen",
                    at: primary?.path)
            }
            clinux_sleep(1)
            left -= 1
        }
    }

    /// Lets the processes go on.
    public func thaw() throws(Failure) {
        guard let (directory, file) = freezer else { return }
        let result = CgroupFile.write(directory.isUnified ? "0" : "THAWED", to: directory.path + "/" + file)
        // Gone: systemd removes a scope with its last process, also while the file is open.
        if CgroupErrno.isGone(result) { return }
        _ = try check(result, "write \(directory.path)/\(file)", "cannot thaw the container")
    }

    /// The same with what the container itself has frozen below, for those who are to die: on version 1 nothing dies
    /// while it is frozen.
    public func thawToDie() throws(Failure) {
        try thaw()
        guard let (directory, file) = freezer, !directory.isUnified else { return }
        try forEach(directory.path, in: AT.cwd, shown: directory.path) { raw throws(Failure) in
            // It may be gone by now.
            let state = clinux_openat(raw, file, O.writeOnly, 0)
            if state >= 0 { try? Descriptor(adopting: state).write("THAWED", name: file) }
        }
    }

    /// Tries to stop all processes within a time.
    ///
    /// - Returns: whether they are stopped. When not, they have been asked to, and `thaw` takes it back.
    func freeze(milliseconds: Int32) -> Bool {
        guard let (directory, file) = freezer else { return false }
        var left = milliseconds
        var pause: Int32 = 1
        while true {
            // Writing again makes version 1 look for processes that forked meanwhile.
            guard CgroupFile.write(directory.isUnified ? "1" : "FROZEN", to: directory.path + "/" + file) == 0
            else {
                return false
            }
            if isEntirelyFrozen(directory, file) { return true }
            guard left > 0 else { return false }
            clinux_sleep(pause)
            left -= pause
            pause = min(pause * 2, 16)
        }
    }

    private func isEntirelyFrozen(_ directory: Directory, _ file: String) -> Bool {
        var error: CInt = 0
        if directory.isUnified { return (try? isFrozen()) ?? false }
        return CgroupFile.read(directory.path + "/" + file, error: &error)?.utf8.elementsEqual("FROZEN".utf8)
            ?? false
    }

    /// The directory that can be frozen and the file that does it. The version 2 directory of a hybrid host
    /// could be frozen too, but is not: `pause` there is the controller's of version 1.
    private var freezer: (Directory, String)? {
        guard let primary else { return nil }
        if primary.isUnified { return (primary, "cgroup.freeze") }
        return primary.has("freezer") ? (primary, "freezer.state") : nil
    }
}
