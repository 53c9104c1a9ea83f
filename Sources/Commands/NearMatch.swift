/// What somebody may have meant by a word that is not known.
enum NearMatch {
    /// The candidate with the fewest edits from `word`, when so few that it is likely a slip. Of two
    /// equally near ones it is the one that begins more alike.
    static func of(_ word: String, among candidates: [String]) -> String? {
        let typed = Array(word.utf8.prefix(32))
        var best: (name: String, distance: Int, common: Int)?
        for candidate in candidates {
            let bytes = Array(candidate.utf8)
            let distance = edits(typed, bytes)
            let common = zip(typed, bytes).prefix { $0 == $1 }.count
            let rank = (distance, -common)
            if best == nil || rank < (best!.distance, -best!.common) {
                best = (candidate, distance, common)
            }
        }
        guard let best, best.distance <= (typed.count < 5 ? 1 : 2), best.distance < typed.count else {
            return nil
        }
        return best.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
    private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                var cost = min(previous[j + 1], current[j]) + 1
                cost = min(cost, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforePrevious[j - 1] + 1)
                }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[b.count]
    }
}
