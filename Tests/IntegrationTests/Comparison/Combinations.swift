import Foundation

extension ComparisonCase {
    /// Several cases at once, chosen by chance: what each of them asks for must not get into the others' way. Which ones
    /// they are depends on GANTRY_SEED alone; the name tells the cases.
    static let combinations: [ComparisonCase] = {
        let seed = ProcessInfo.processInfo.environment["GANTRY_SEED"].flatMap { UInt64($0) } ?? 1
        var chance = SplitMix(state: seed)
        let single = (namespaces + roots + fileSystems + binds + devices + identities + attributes + programs)
            .filter { if case .same = $0.expectation { !$0.isAlone } else { false } }
        return (0..<Soak.rounds(24, soak: 600)).map { _ in
            var parts: [ComparisonCase] = []
            while parts.count < 3 {
                let part = single[Int(chance.next() % UInt64(single.count))]
                if !parts.contains(where: { $0.name == part.name }) { parts.append(part) }
            }
            return combined(parts)
        }
    }()

    private static func combined(_ parts: [ComparisonCase]) -> ComparisonCase {
        ComparisonCase(parts.map(\.name).joined(separator: separator), .alike) { bundle in
            for part in parts { try await part.configure(bundle) }
        }
    }

    static let separator = " + "
}

/// A generator that gives the same numbers everywhere.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
