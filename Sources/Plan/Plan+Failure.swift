internal import CPlan
public import Diagnostics

/// A failure of the init as a sentence: what was to be done, on which path, and which property asked for it.
extension Plan {
    /// - Parameters:
    ///   - index: the op, as the init counts.
    ///   - errno: as the kernel gave it.
    ///   - kind: `enum cplan_detail`, what `detail` means.
    public func describe(op index: Int, errno: Int32, kind: UInt32 = 0, detail: [UInt8] = []) -> Failure {
        guard ops.indices.contains(index), kind != CPLAN_DETAIL_BAD_PLAN.rawValue else {
            return Failure(
                .system, "the plan is malformed at step \(index): this is a bug in gantry",
                cause: Failure.Cause(call: "init", errno: Errno(rawValue: errno)))
        }
        let op = ops[index]
        switch op.code {
        case .resolveExec:
            return ExecFailure.unresolved(
                candidates(op), name: executableName, errno: errno, reason: detail.first)
        case .exec where op.raw.src == Slot.reaper: return ExecFailure.reaper(errno)
        case .exec: return ExecFailure.refused(detail, name: executableName, errno: errno)
        default: break
        }
        var message = "cannot " + purpose(op, at: index)
        var call = Plan.call(op.code)
        explain(kind, detail, op, at: index, message: &message, call: &call)
        if op.code == .write, errno == 2 { call = "openat2" }
        if let hint = Plan.hint(op, errno: errno) { message += " (" + hint + ")" }
        return Failure(
            .system, message, at: op.origin.path,
            cause: Failure.Cause(call: call, errno: Errno(rawValue: errno)))
    }

    private func candidates(_ op: Op) -> [String] { texts(op.raw.str, length: op.raw.len) }

    private var executableName: String {
        guard let op = ops.last(where: { $0.code == .exec }) else { return "" }
        return arguments(op).first ?? ""
    }

    /// What the detail of the failure adds to the sentence.
    private func explain(
        _ kind: UInt32, _ detail: [UInt8], _ op: Op, at index: Int, message: inout String, call: inout String
    ) {
        switch kind {
        case CPLAN_DETAIL_PATH.rawValue:
            // What is copied is named as it was in its directory.
            if op.code == .copyUp { call += " " + path(of: op.raw.src, before: index) } else { call += " " }
            call += Plan.text(detail[...])
        case CPLAN_DETAIL_KERNEL_LOG.rawValue: call += Plan.log(detail[...])
        case CPLAN_DETAIL_OPTION.rawValue:
            let end = detail.firstIndex(of: 0) ?? detail.endIndex
            let option = Plan.text(detail[..<end])
            let log = Plan.log(detail[end...].dropFirst())
            call = (option.isEmpty ? "fsconfig" : "fsconfig \"\(option)\"") + log
            if option.isEmpty, log.isEmpty { message += " (the kernel's log may tell why)" }
        case CPLAN_DETAIL_SYMLINK.rawValue:
            message += ": there is a symlink on the way, which could lead elsewhere"
        case CPLAN_DETAIL_PROC.rawValue: message += ": it leads into /proc, where nothing may be mounted"
        case CPLAN_DETAIL_WRONG_NODE.rawValue: message += ": " + wrongNode(op, at: index)
        case CPLAN_DETAIL_OUTSIDE.rawValue: message += ": it is outside the container's root file system"
        case CPLAN_DETAIL_CAPABILITY.rawValue:
            if let number = detail.first, Int(number) < NameTable.capabilities.names.count {
                message += " (CAP_\(NameTable.capabilities.names[Int(number)]))"
            }
        default: break
        }
    }

    private func wrongNode(_ op: Op, at index: Int) -> String {
        if op.code == .mknod { return "something else is there already" }
        if op.raw.src == Slot.proc { return "it is not a proc file system" }
        if op.raw.arg2 == devptsMagic { return "no devpts is mounted there" }
        if op.code == .ptySlave { return "it is no terminal" }
        return "it is not the null device"
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Lines of a file-system context's log: `e tmpfs: Bad value for 'size'`, a letter for the level before
    /// each.
    private static func log(_ bytes: ArraySlice<UInt8>) -> String {
        var lines: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let hasLevel = line.count > 2 && line[line.startIndex + 1] == UInt8(ascii: " ")
            lines.append(text(hasLevel ? line.dropFirst(2) : line))
        }
        return lines.isEmpty ? "" : " (" + lines.joined(separator: "; ") + ")"
    }

    /// What is known about the reason for an errno.
    private static func hint(_ op: Op, errno: Int32) -> String? {
        switch (op.code, errno) {
        case (.setNS, 22) where op.raw.src != Slot.container: "it is no namespace of this type"
        case (.setNS, 3): "the container has stopped"
        case (.fork, 16): "it has controllers for its children, so it takes no processes itself"
        case (.fork, 95): "it is threaded, and a process needs a domain cgroup"
        case (.fork, 130): "the init was killed"
        case (.fork, 12): "the container may have stopped"
        case (.mountData, 2): "a path among its options is missing"
        case (.attach, 20): "one of them is a directory, the other is not"
        case (.makeFS, 19): "this kernel has no such file system"
        case (.makeFS, 16), (.mountData, 16): "it is in use by another mount with other options"
        case (.seccomp, 13): "it needs CAP_SYS_ADMIN, or process.noNewPrivileges"
        case (.rlimit, 1) where op.raw.arg0 == UInt64(Draft.openFiles):
            "raising a hard limit needs CAP_SYS_RESOURCE, and fs.nr_open is the most there can be"
        case (.rlimit, 1): "raising a hard limit needs CAP_SYS_RESOURCE"
        case (.unshare, 28), (.fork, 28): "a limit in /proc/sys/user is reached"
        case (.fork, 11): "a limit on processes is reached: RLIMIT_NPROC, pids.max or kernel.pid_max"
        case (.copyUp, 24): "its directories are nested deeper than the limit on open files allows"
        case (.copyUp, 28): "the tmpfs is too small: options size and nr_inodes"
        case (.open, 2) where op.origin.path == "process.terminal":
            "a terminal needs a devpts mounted on /dev/pts"
        case (.ptyMaster, 28): "kernel.pty.max or the mount's max is reached"
        case (.pivot, 22): "is the rootfs on an initial ramfs? --no-pivot is for that"
        default: nil
        }
    }
}

/// Sentences for what ops are for.
extension Plan {
    /// Behind "cannot".
    func purpose(_ op: Op, at index: Int) -> String {
        let raw = op.raw
        let text = self.text(raw.str)
        switch op.code {
        case .nop: return "do nothing"
        case .open: return "open " + openSubject(op, at: index)
        case .openTarget: return targetPurpose(op, text)
        case .check: return "use " + path(of: raw.src, before: index)
        case .close: return "close " + path(of: raw.src, before: index)
        case .setNS where raw.src == Slot.container: return "join the container's namespaces"
        case .setNS:
            return "join the \(Plan.namespaces(raw.arg0)) namespace \(path(of: raw.src, before: index))"
        case .unshare: return "make a new namespace: \(Plan.namespaces(raw.arg0))"
        case .fork:
            return raw.src == Slot.cgroup && index != lastFork
                ? "enter the container's cgroup" : "start a process in the container"
        case .enter: return "enter the container's cgroup"
        case .resetSignals: return "reset signals"
        case .sync:
            return raw.arg0 == SyncPoint.place ? "enter the container's cgroup" : Plan.sync(raw.arg0)
        case .loopback: return "bring up the loopback interface"
        case .hostname: return "set the host name to \"\(text)\""
        case .domainname: return "set the domain name to \"\(text)\""
        case .keyring: return "join a new session keyring"
        case .personality: return "set the personality"
        case .rlimit:
            return "set \(Plan.rlimit(raw.arg0)) to \(Plan.limit(raw.arg1)) (hard: \(Plan.limit(raw.arg2)))"
        case .umask: return "set the umask"
        case .write: return "write \"\(self.text(raw.str2))\" to /proc/\(text)"
        case .propagation:
            let subject = raw.src == Slot.none ? "/" : mountSubject(raw.src, at: index)
            return "make the mount \(subject) \(Plan.propagation(op))"
        case .openTree: return openTreePurpose(op, at: index)
        case .makeFS: return "mount \(text) on \(mountSubject(raw.dst, at: index + 1))"
        case .mountData: return "mount \(text) on \(path(of: raw.aux, before: index))"
        case .mountAttr:
            return
                "give the mount \(mountSubject(raw.src, at: index)) its attributes (\(Plan.attributes(op)))"
        case .attach: return "mount \(mounted(op, at: index)) on \(attachment(op, at: index))"
        case .cover: return "mask \(path(of: raw.src, before: index))"
        case .pivot, .moveRoot, .chroot: return "enter the root file system"
        case .openMount: return "find the mount that holds \(path(of: raw.src, before: index))"
        case .copyUp:
            return "copy what \(path(of: raw.src, before: index)) holds into the tmpfs that goes on it"
        case .mkdir: return "make the directory \(entry(op, at: index))"
        case .mknod: return "make the device \(entry(op, at: index))"
        case .symlink: return "make the symlink \(entry(op, at: index))"
        case .stdioNull: return "reopen /dev/null for stdio"
        case .stdioOwner: return "give stdio to user \(raw.arg0)"
        case .capBounding: return "drop a capability from the bounding set"
        case .identity: return "become user \(raw.arg0), group \(raw.arg1)"
        case .caps: return "set the capabilities"
        case .noNewPrivileges: return "set no_new_privs"
        case .deathSignal: return "tie the hook to gantry"
        case .seccomp: return "load the system-call filter"
        case .chdir: return "enter the working directory \(text)"
        case .resolveExec: return "find the executable"
        case .waitStart: return "wait for start"
        case .closeFrom: return "close descriptors"
        case .exec: return "execute the program"
        case .ptyMaster: return "open a terminal of the container's /dev/pts"
        case .ptySlave: return "use the terminal as stdio"
        case .ptyControl: return "make the terminal the session's"
        }
    }

    private func openSubject(_ op: Op, at index: Int) -> String {
        if op.raw.dst >= Slot.firstNamespace, op.raw.dst < Slot.lastKept {
            return "the namespace \(text(op.raw.str))"
        }
        if op.raw.dst == Slot.target, op.raw.src == Slot.none, op.origin.path == "root.path" {
            return "the root file system \(text(op.raw.str))"
        }
        let path = self.path(of: op.raw.dst, before: index + 1)
        return op.raw.src == Slot.none ? path : "\(path) in the container"
    }

    private func targetPurpose(_ op: Op, _ path: String) -> String {
        switch op.origin.path {
        case "process.cwd": "make the working directory \(path)"
        case .none: "make the directory \(path)"
        default: op.raw.dst == Slot.parent ? "make the directory \(path)" : "make the mount point \(path)"
        }
    }

    private func openTreePurpose(_ op: Op, at index: Int) -> String {
        if op.raw.dst == Slot.root { return "clone the mount of the root file system" }
        if op.raw.src == Slot.none { return "open the source \(text(op.raw.str))" }
        return "clone the mount of \(path(of: op.raw.src, before: index))"
    }

    /// The path of a mount: where it is attached, which says more than where it came from.
    func mountSubject(_ slot: Int16, at index: Int) -> String {
        if slot == Slot.root { return "/" }
        let filler = ops[..<index].lastIndex { $0.raw.dst == slot } ?? 0
        for at in (filler + 1)..<ops.count {
            if ops[at].raw.dst == slot { break }
            if ops[at].code == .attach, ops[at].raw.src == slot { return attachment(ops[at], at: at) }
        }
        return path(of: slot, before: index)
    }

    /// The system call behind an op.
    static func call(_ code: Op.Code) -> String {
        switch code {
        case .nop, .waitStart: "init"
        case .sync, .enter: "write 0 to"
        case .resetSignals: "rt_sigaction"
        case .open, .openTarget, .openMount: "openat2"
        case .check: "statx"
        case .close: "close"
        case .setNS: "setns"
        case .unshare: "unshare"
        case .fork: "clone3"
        case .loopback: "ioctl SIOCSIFFLAGS"
        case .hostname: "sethostname"
        case .domainname: "setdomainname"
        case .keyring: "keyctl"
        case .personality: "personality"
        case .rlimit: "prlimit64"
        case .umask: "umask"
        case .write: "write"
        case .propagation, .mountAttr: "mount_setattr"
        case .openTree: "open_tree"
        case .makeFS: "fsopen"
        case .attach, .cover: "move_mount"
        case .mountData: "mount"
        case .pivot: "pivot_root"
        case .moveRoot, .chroot: "chroot"
        case .copyUp: "copy"
        case .mkdir: "mkdirat"
        case .mknod: "mknodat"
        case .symlink: "symlinkat"
        case .stdioNull: "dup3"
        case .stdioOwner: "fchown"
        case .capBounding, .noNewPrivileges, .deathSignal: "prctl"
        case .identity: "setresuid"
        case .caps: "capset"
        case .seccomp: "seccomp"
        case .chdir: "chdir"
        case .resolveExec: "stat"
        case .closeFrom: "close_range"
        case .exec: "execve"
        case .ptyMaster: "ioctl TIOCSPTLCK"
        case .ptySlave: "ioctl TIOCGPTPEER"
        case .ptyControl: "ioctl TIOCSCTTY"
        }
    }
}
