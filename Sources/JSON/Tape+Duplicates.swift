extension Tape {
    /// The first property name of the object at `index` that appeared in it before.
    ///
    /// - Parameter names: number of the object's properties.
    func duplicateName(in index: Int, names: Int) -> Int? {
        names <= 16 ? duplicateByComparison(in: index) : duplicateByHash(in: index, names: names)
    }

    private func duplicateByComparison(in index: Int) -> Int? {
        var name = index + 1
        while name < tokens.count {
            var earlier = index + 1
            while earlier < name {
                if isText(earlier, text(name)) { return name }
                earlier = end(of: earlier + 1)
            }
            name = end(of: name + 1)
        }
        return nil
    }

    /// Open addressing in a table twice as large as needed. Hasher is seeded for each process, so that no
    /// document can be written to make it slow.
    private func duplicateByHash(in index: Int, names: Int) -> Int? {
        var size = 1
        while size < names * 2 { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        var name = index + 1
        while name < tokens.count {
            let text = text(name)
            var hasher = Hasher()
            hasher.combine(bytes: UnsafeRawBufferPointer(text))
            var slot = hasher.finalize() & (size - 1)
            while table[slot] != 0 {
                if isText(Int(table[slot]), text) { return name }
                slot = (slot + 1) & (size - 1)
            }
            table[slot] = UInt32(name)
            name = end(of: name + 1)
        }
        return nil
    }
}
