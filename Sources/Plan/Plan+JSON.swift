internal import CPlan
public import JSON

/// The plan for programs.
extension Plan {
    /// Opcodes as JSON names them, in the order of `enum cplan_opcode`.
    private static let names: [StaticString] = [
        "nop",
        "open", "open_target", "check", "close",
        "setns", "unshare", "fork", "sync", "loopback", "hostname", "domainname", "keyring", "personality",
        "rlimit",
        "umask", "write",
        "propagation", "open_tree", "make_fs", "mount_attr", "attach", "mount_data", "cover", "pivot",
        "move_root",
        "mkdir", "mknod", "symlink",
        "stdio_null", "stdio_owner", "cap_bounding", "identity", "caps", "no_new_privs", "seccomp", "chdir",
        "resolve_exec",
        "wait_start", "close_from", "exec",
        "chroot",
        "copy_up",
        "reset_signals", "enter", "open_mount",
        "pty_master", "pty_slave", "pty_control",
        "death_signal",
    ]

    static func name(_ code: Op.Code) -> String { names[Int(code.rawValue)].description }

    /// Writes `{"steps": [...]}`: one object a step, with its op's operands as they are in the format
    /// (spec/plan.md) and the words of the printed form.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("steps")
        writer.beginArray()
        var stage = 1
        for index in ops.indices {
            write(index, stage: stage, to: &writer)
            if index == lastFork { stage = 2 }
        }
        writer.endArray()
        writer.endObject()
    }

    private func write(_ index: Int, stage: Int, to writer: inout JSONWriter) {
        let op = ops[index]
        let raw = op.raw
        writer.beginObject()
        writer.member("index", index)
        writer.member("stage", stage)
        writer.member("op", Plan.name(op.code))
        writer.member("does", words(at: index))
        if let origin = op.origin.path { writer.member("property", origin) }
        for (name, slot) in [("dst", raw.dst), ("src", raw.src), ("aux", raw.aux)] where slot != Slot.none {
            writer.member(name, Plan.name(ofSlot: slot))
        }
        if raw.flags != 0 { writer.member("flags", raw.flags) }
        for (place, value) in [raw.arg0, raw.arg1, raw.arg2].enumerated() where value != 0 {
            writer.member("arg\(place)", value)
        }
        let tolerated = [raw.ok_errno.0, raw.ok_errno.1].filter { $0 != 0 }
        if !tolerated.isEmpty {
            writer.key("ok_errno")
            writer.beginArray()
            for errno in tolerated { writer.value(errno) }
            writer.endArray()
        }
        if raw.skip != 0 { writer.member("skip", raw.skip) }
        writeTexts(op, to: &writer)
        writer.endObject()
    }

    private func writeTexts(_ op: Op, to writer: inout JSONWriter) {
        let raw = op.raw
        switch op.code {
        case .caps:
            for (place, name) in ["bounding", "effective", "permitted", "inheritable", "ambient"].enumerated()
            {
                writer.member(name, word(Int(raw.str) + place * 8))
            }
        case .identity: writeGroups(raw, to: &writer)
        case .capBounding: break
        case .seccomp: writer.member("instructions", raw.len / 8)
        case .resolveExec: writer.member("candidates", texts(raw.str, length: raw.len))
        case .enter: writer.member("files", texts(raw.str, length: raw.len))
        case .makeFS, .mountData:
            writer.member("type", text(raw.str))
            writer.member("options", texts(raw.str2, length: raw.len))
        case .exec:
            writer.member("args", arguments(op))
            writer.member("env", vector(raw.str2))
        default:
            if raw.str != 0 { writer.member("text", text(raw.str)) }
            if raw.str2 != 0 { writer.member("text2", text(raw.str2)) }
        }
    }

    private func writeGroups(_ raw: cplan_op, to writer: inout JSONWriter) {
        writer.key("groups")
        writer.beginArray()
        for place in 0..<Int(raw.len) { writer.value(half(Int(raw.str) + place * 4)) }
        writer.endArray()
    }
}
