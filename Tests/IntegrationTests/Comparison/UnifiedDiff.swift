/// The lines in which two texts differ, in their order: "-" what only the first has, "+" what only the second has.
enum UnifiedDiff {
    static func lines(_ first: [String], _ second: [String]) -> [String] {
        let difference = second.difference(from: first)
        var removed: [Int: String] = [:]
        var inserted: [Int: String] = [:]
        for change in difference {
            switch change {
            case .remove(let offset, let line, _): removed[offset] = line
            case .insert(let offset, let line, _): inserted[offset] = line
            }
        }
        var result: [String] = []
        var (left, right) = (0, 0)
        while left < first.count || right < second.count {
            if let line = removed[left] {
                result.append("- " + line)
                left += 1
            } else if let line = inserted[right] {
                result.append("+ " + line)
                right += 1
            } else {
                left += 1
                right += 1
            }
        }
        return result
    }
}
