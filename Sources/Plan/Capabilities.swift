internal import CPlan
internal import OCI

/// Sets of capabilities as the kernel wants them (capabilities(7)).
enum Capabilities {
    static let sysAdmin: UInt64 = 1 << 21

    /// Bit mask of a set. (The validator warns of names that nobody knows.)
    private static func mask(_ names: [String]) -> UInt64 {
        var mask: UInt64 = 0
        for name in names {
            if let number = NameTable.capabilities.number(of: name) { mask |= 1 << UInt64(number) }
        }
        return mask
    }

    /// The five sets. Ambient capabilities that are not permitted and inheritable cannot be
    /// (capabilities(7)): `runc spec` writes such ones, and they mean nothing.
    ///
    /// - Parameter available: those that can be given; the others are in `missing` (config.md: a value that
    ///   cannot be granted must not be an error).
    static func sets(
        _ spec: Spec.Process.Capabilities?, available: UInt64
    ) -> (sets: cplan_caps, missing: UInt64) {
        guard let spec else { return (cplan_caps(), 0) }
        let bounding = mask(spec.bounding)
        // Engines write the same list several times; comparing costs less than looking the names up again.
        func set(_ names: [String]) -> UInt64 { names == spec.bounding ? bounding : mask(names) }
        var sets = cplan_caps(
            bounding: bounding, effective: set(spec.effective), permitted: set(spec.permitted),
            inheritable: set(spec.inheritable), ambient: set(spec.ambient))
        let asked = bounding | sets.effective | sets.permitted | sets.inheritable | sets.ambient
        sets.bounding &= available
        sets.effective &= available
        sets.permitted &= available
        sets.inheritable &= available
        sets.ambient &= sets.permitted & sets.inheritable
        return (sets, asked & ~available)
    }
}
