internal import CLinux
public import Diagnostics
internal import Linux

extension Cgroup {
    /// The processes in the cgroup and below it, as numbers in the caller's pid namespace; none when it is
    /// gone. Processes that the caller's namespace does not see are left out.
    public func processes() throws(Failure) -> [Int32] {
        guard let primary else { return [] }
        return try processes(in: primary.path)
    }

    /// The processes in any of the directories: one that was cut off while it entered them is not in all.
    public func processesAnywhere() throws(Failure) -> [Int32] {
        var all: [Int32] = []
        for directory in directories {
            for pid in try processes(in: directory.path) where !all.contains(pid) { all.append(pid) }
        }
        return all
    }

    public func isEmpty() throws(Failure) -> Bool {
        try processes().isEmpty
    }

    /// Sends a signal to every process, without letting one escape by forking where it can be helped.
    ///
    /// SIGKILL also ends what is frozen; other signals wait there until it is thawed.
    public func signalAll(_ signal: CInt) throws(Failure) {
        guard let primary else { return }
        if primary.isUnified {
            // Linux 5.14: the kernel kills all, at once.
            if signal == Signal.kill, CgroupFile.write("1", to: primary.path + "/cgroup.kill") == 0 { return }
            return try signalRepeatedly(signal, in: primary.path)
        }
        try signalAll(signal, in: primary)
    }

    /// Version 1: frozen processes do not fork, nor do their numbers change hands.
    private func signalAll(_ signal: CInt, in directory: Directory) throws(Failure) {
        guard directory.has("freezer") else { return try signalRepeatedly(signal, in: directory.path) }
        let wasFrozen = try isFrozen()
        let isFrozen = wasFrozen ? true : freeze(milliseconds: 100)
        do throws(Failure) {
            // A process in an uninterruptible call does not freeze; then it is as without a freezer.
            if isFrozen {
                try signalOnce(signal, try processes(in: directory.path))
            } else {
                try signalRepeatedly(signal, in: directory.path)
            }
        } catch {
            if !wasFrozen { try? thaw() }
            throw error
        }
        if signal == Signal.kill { try thawToDie() } else if !wasFrozen { try thaw() }
    }

    /// Until no process is found that has not been signalled yet.
    func signalRepeatedly(_ signal: CInt, in path: String) throws(Failure) {
        var signalled: [Int32] = []
        for _ in 0..<100 {
            let fresh = try processes(in: path).filter { !signalled.contains($0) }
            if fresh.isEmpty { return }
            try signalOnce(signal, fresh)
            signalled += fresh
        }
    }

    private func signalOnce(_ signal: CInt, _ processes: [Int32]) throws(Failure) {
        let own = clinux_pid()
        for pid in processes where pid > 0 && pid != own {
            let result = clinux_kill(pid, signal)
            if result != -CgroupErrno.noProcess {
                _ = try check(result, "kill \(pid)", "cannot signal the container's processes")
            }
        }
    }

    func processes(in path: String) throws(Failure) -> [Int32] {
        var processes: [Int32] = []
        try forEach(path, in: AT.cwd, shown: path) { directory throws(Failure) in
            // It may be removed while it is read: ENODEV.
            let file = clinux_openat(directory, "cgroup.procs", O.readOnly, 0)
            if file < 0 { return }
            let content = try? Descriptor(adopting: file).readAll(
                limit: 64 << 20, name: path + "/cgroup.procs")
            for line in (content ?? []).split(separator: UInt8(ascii: "\n")) {
                // 0 stands for a process outside this pid namespace.
                if let pid = Int32(String(decoding: line, as: UTF8.self)), pid > 0 { processes.append(pid) }
            }
        }
        return processes
    }

    /// A directory and all below it, from the top, as descriptors: names that the container has nested may be too long
    /// for a path. One that is gone is left out.
    ///
    /// - Parameter shown: what errors call it.
    func forEach(
        _ name: String, in parent: CInt, shown: String, _ body: (CInt) throws(Failure) -> Void
    ) throws(Failure) {
        var raw = clinux_openat(parent, name, O.directory | O.noFollow, 0)
        // Each level is held open.
        if raw == -Errno.EMFILE, clinux_raise_open_files() == 0 {
            raw = clinux_openat(parent, name, O.directory | O.noFollow, 0)
        }
        if CgroupErrno.isGone(raw) { return }
        let directory = Descriptor(adopting: try check(raw, "openat \(shown)", "cannot read the cgroup"))
        try body(directory.raw)
        for child in try Linux.Directory.subdirectories(in: directory, shown: shown) {
            try forEach(child, in: directory.raw, shown: shown, body)
        }
    }
}
