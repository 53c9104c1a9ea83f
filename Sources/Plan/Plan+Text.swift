internal import CPlan

/// The plan for people: numbered steps in two stages, one line each.
extension Plan {
    /// What `gantry plan` prints, with a line end behind every line.
    public var description: String {
        let lines = ops.indices.map { index in
            (words: words(at: index), notes: notes(at: index), index: index)
        }
        // Notes are aligned, as far as that helps reading.
        let column = min(lines.reduce(0) { max($0, $1.words.utf8.count) }, 60)
        var text = "Stage 1: on the host\n"
        for line in lines {
            var row = Plan.right(String(line.index), 4) + "  " + line.words
            let notes = line.notes.joined(separator: "  ")
            if !notes.isEmpty {
                row += String(repeating: " ", count: max(column - line.words.utf8.count, 0)) + "  " + notes
            }
            text += row + "\n"
            for detail in details(at: line.index) { text += "        " + detail + "\n" }
            if line.index == lastFork { text += "\nStage 2: in the container's namespaces\n" }
        }
        return text
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.utf8.count, 0)) + text
    }

    /// The fork that stage 2 comes from.
    var lastFork: Int? { ops.lastIndex { $0.code == .fork } }

    /// The step as an order.
    func words(at index: Int) -> String {
        let op = ops[index]
        let raw = op.raw
        switch op.code {
        case .openTarget: return "find or " + purpose(op, at: index)
        case .check: return "check that " + checked(op, at: index)
        case .fork:
            return index == lastFork
                ? "start stage 2 as gantry's child and end"
                : "go on as another child of gantry's, and end"
        case .setNS where raw.src == Slot.container:
            return "join the container's namespaces: " + Plan.namespaces(raw.arg0)
        case .resetSignals: return "give signals that the caller ignores their default actions"
        case .sync: return Plan.sync(raw.arg0)
        case .umask: return "set the umask to \(Plan.octal(raw.arg0))"
        case .keyring: return "join a new session keyring \"\(text(raw.str))\""
        case .personality: return "set the personality to \(raw.arg0 == 0 ? "linux" : "linux32")"
        case .makeFS:
            if raw.dst == Slot.mask { return "make an empty read-only tmpfs to mask directories with" }
            return "make a \(text(raw.str)) for \(mountSubject(raw.dst, at: index + 1))"
        case .openTree:
            let subject = raw.src == Slot.none ? text(raw.str) : path(of: raw.src, before: index)
            return "clone the mount of \(subject)" + (op.has(CPLAN_F_RECURSIVE) ? " and all below it" : "")
        case .mountAttr:
            let all = op.has(CPLAN_F_RECURSIVE) ? " and all below it" : ""
            return "make the mount \(mountSubject(raw.src, at: index))\(all) \(Plan.attributes(op))"
        case .attach where raw.src == Slot.root: return "mount the root file system onto itself"
        case .pivot: return "make it the root with pivot_root and let go of the host's tree"
        case .moveRoot: return "move it over / and make it the root"
        case .chroot: return "make it the root with chroot; the mounts stay the host's"
        case .stdioNull: return "let stdio that is a /dev/null be the container's own"
        case .stdioOwner: return "give stdio to user \(raw.arg0)"
        case .capBounding: return "drop what is not in the bounding set"
        case .deathSignal: return "die with gantry"
        case .noNewPrivileges: return "set no_new_privs: an exec gains no privileges"
        case .caps: return "set the capabilities"
        case .resolveExec: return "find the executable, as the container's user"
        case .waitStart: return "wait until gantry start knocks"
        case .closeFrom: return "close the descriptors from \(raw.arg0) on that are ours"
        case .exec where raw.src == Slot.reaper:
            return "let gantry's reaper be the first process, which executes the program as its child"
        case .exec: return "execute the program"
        case .nop: return "nothing (the filter allows everything)"
        default: return purpose(op, at: index)
        }
    }

    private func checked(_ op: Op, at index: Int) -> String {
        let path = path(of: op.raw.src, before: index)
        if op.raw.arg2 == devptsMagic { return "\(path) is a devpts file system" }
        return op.raw.arg2 != 0 ? "\(path) is a proc file system" : "\(path) is the null device"
    }

    static func sync(_ number: UInt64) -> String {
        switch number {
        case SyncPoint.place: "wait until gantry has made the cgroups and put this process into them"
        case SyncPoint.mounted: "tell that everything is mounted; hooks run"
        case SyncPoint.terminal: "hand gantry the other end of the terminal"
        default: "tell that everything is ready but the exec"
        }
    }

    /// What stands behind the words: options, slots, the property that asked for the step.
    func notes(at index: Int) -> [String] {
        let op = ops[index]
        let raw = op.raw
        var notes: [String] = []
        func add(_ note: String) { if !note.isEmpty { notes.append(note) } }
        switch op.code {
        case .makeFS:
            add(Plan.attributes(raw.arg0))
            add(texts(raw.str2, length: raw.len).joined(separator: ","))
            if op.has(CPLAN_F_MODE_OF_TARGET) { add("mode of the directory that is there") }
        case .mountData:
            add(Plan.mountFlags(raw.arg0))
            add(texts(raw.str2, length: raw.len).joined(separator: " "))
        case .fork:
            if raw.arg0 != 0 { add("new: " + Plan.namespaces(raw.arg0)) }
            if raw.src != Slot.none { add("born in its cgroup") }
        case .mknod: add(Plan.node(raw))
        case .symlink:
            add("to " + text(raw.str2) + (op.has(CPLAN_F_REPLACE) ? ", replacing what is there" : ""))
        case .mkdir: add("mode " + Plan.octal(raw.arg0))
        case .capBounding: add(Plan.capabilities(raw.arg0))
        case .identity:
            let groups = (0..<Int(raw.len)).map { String(half(Int(raw.str) + $0 * 4)) }
            add(groups.isEmpty ? "no other groups" : "groups " + groups.joined(separator: ","))
        case .seccomp:
            add(raw.len == 0 ? "compiled at the start" : "\(raw.len / 8) instructions")
            if raw.arg0 != 0 { add("flags 0x" + String(raw.arg0, radix: 16)) }
        case .resolveExec, .enter: add(texts(raw.str, length: raw.len).joined(separator: " "))
        case .sync:
            if op.has(CPLAN_F_ENV_VALUE) { add("with the container's /etc/passwd; the answer is HOME") }
        case .openTarget where op.has(CPLAN_F_NO_SYMLINKS): add("no symlinks on the way")
        case .ptyMaster where raw.arg0 != 0: add("\(raw.arg0 & 0xffff) rows, \(raw.arg0 >> 16) columns")
        default: break
        }
        add(tolerance(op))
        add(slots(op))
        if let origin = op.origin.path { add("(\(origin))") }
        return notes
    }

    private static func node(_ raw: cplan_op) -> String {
        let major = raw.arg1 >> 8 & 0xfff
        let minor = raw.arg1 & 0xff | raw.arg1 >> 12 & 0xfff00
        let mode = octal(raw.arg0 & 0o7777)
        let owner = "\(raw.arg2 & 0xffff_ffff):\(raw.arg2 >> 32)"
        switch raw.arg0 & ~0o7777 {
        case FileType.block: return "block \(major):\(minor) mode \(mode) owner \(owner)"
        case FileType.fifo: return "fifo mode \(mode) owner \(owner)"
        default: return "character \(major):\(minor) mode \(mode) owner \(owner)"
        }
    }

    /// What happens when the step fails.
    private func tolerance(_ op: Op) -> String {
        let behind = op.raw.skip == 0 ? "" : ", skip \(op.raw.skip)"
        if op.has(CPLAN_F_OPTIONAL) { return "if possible" + behind }
        switch op.raw.ok_errno.0 {
        case 0: return ""
        case ErrorNumber.noEntry:
            return "if it is there" + (op.raw.skip == 0 ? "" : ", else skip \(op.raw.skip)")
        default: return "if possible" + behind
        }
    }

    /// Lines below the step: what is too long for one.
    func details(at index: Int) -> [String] {
        let op = ops[index]
        switch op.code {
        case .caps: return capabilityLines(op.raw.str)
        case .exec:
            return ["args \(arguments(op).map(Plan.quoted).joined(separator: " "))"]
                + vector(op.raw.str2).map { "env  " + Plan.quoted($0) }
        default: return []
        }
    }

    private func capabilityLines(_ offset: UInt32) -> [String] {
        ["bounding", "effective", "permitted", "inheritable", "ambient"].enumerated().map { place, name in
            name + String(repeating: " ", count: 12 - name.utf8.count)
                + Plan.capabilities(word(Int(offset) + place * 8))
        }
    }

    /// In double quotes when it is empty or has anything that would mislead the eye.
    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if plain, !text.isEmpty { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Slots by name.
extension Plan {
    private func slots(_ op: Op) -> String {
        var inputs: [String] = []
        for slot in [op.raw.src, op.raw.aux] where slot != Slot.none {
            inputs.append(Plan.name(ofSlot: slot))
        }
        let input = inputs.joined(separator: op.code == .attach ? " onto " : ", ")
        if op.raw.dst == Slot.none { return input.isEmpty ? "" : "[\(input)]" }
        return "[\(input.isEmpty ? "" : input + " ")-> \(Plan.name(ofSlot: op.raw.dst))]"
    }

    static func name(ofSlot slot: Int16) -> String {
        switch slot {
        case Slot.control: return "control"
        case Slot.start: return "start"
        case Slot.cgroup: return "cgroup"
        case Slot.proc: return "proc"
        case Slot.root: return "root"
        case Slot.null: return "null"
        case Slot.mask: return "mask"
        case Slot.dev: return "dev"
        case Slot.target: return "target"
        case Slot.tree: return "tree"
        case Slot.hierarchies: return "cgroups"
        case Slot.passwd: return "passwd"
        case Slot.parent: return "parent"
        case Slot.master: return "master"
        case Slot.slave: return "slave"
        case Slot.reaper: return "reaper"
        default: break
        }
        return slot < Slot.lastKept
            ? "namespace \(slot - Slot.firstNamespace)" : "kept \(Slot.firstKept - slot)"
    }
}
