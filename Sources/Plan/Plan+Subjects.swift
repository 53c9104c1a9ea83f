internal import CPlan

/// What a slot stands for at an op, found by looking back at what filled it.
extension Plan {
    /// The path behind a slot, as a reader of config.json knows it: a mount's destination, a bind mount's
    /// source, a file of the host.
    func path(of slot: Int16, before index: Int) -> String {
        var at = index - 1
        while at >= 0, ops[at].raw.dst != slot { at -= 1 }
        guard slot >= 0, at >= 0 else { return slot == Slot.root ? "/" : "" }
        let op = ops[at]
        let text = self.text(op.raw.str)
        switch op.code {
        case .openTarget: return text
        case .open, .openTree:
            if op.raw.src == Slot.none { return text }
            let parent = op.raw.src == Slot.root ? "/" : path(of: op.raw.src, before: at)
            if text.isEmpty || text == "." { return parent }
            if text.utf8.first == PathText.slash { return text }
            return parent.utf8.last == PathText.slash ? parent + text : parent + "/" + text
        case .openMount: return "that holds " + path(of: op.raw.src, before: at)
        case .makeFS: return path(of: op.raw.aux, before: at)
        case .ptyMaster, .ptySlave: return "the terminal"
        default: return ""
        }
    }

    /// The path of an entry that an op makes in a slot's directory.
    func entry(_ op: Op, at index: Int) -> String {
        let parent = path(of: op.raw.src, before: index)
        let name = text(op.raw.str)
        return parent == "/" || parent.isEmpty ? "/" + name : parent + "/" + name
    }

    /// Where an `attach` op mounts: the target's path, or that of a named entry of it.
    func attachment(_ op: Op, at index: Int) -> String {
        let target = path(of: op.raw.aux, before: index)
        return op.raw.str == 0 ? target : target + "/" + text(op.raw.str)
    }

    /// What fills a slot: `nil` when nothing does.
    func filler(of slot: Int16, before index: Int) -> Op? {
        ops[..<index].last { $0.raw.dst == slot }
    }

    /// What is mounted by an op that attaches something: a file system type, or a bind mount's source.
    func mounted(_ op: Op, at index: Int) -> String {
        guard let filler = filler(of: op.raw.src, before: index) else { return "" }
        return filler.code == .makeFS ? text(filler.raw.str) : path(of: op.raw.src, before: index)
    }
}
