internal import CPlan
internal import OCI

/// Sets of capabilities as the kernel wants them (capabilities(7)).
enum Capabilities {
    static let sysAdmin: UInt64 = 1 << 21

    /// Bit mask of a set. What is beyond the kernel's last capability has no bit: engines give privileged
    /// containers all names that they know themselves. (The validator warns of names that nobody knows.)
    static func mask(_ names: [String], last: Int) -> UInt64 {
        var mask: UInt64 = 0
        for name in names {
            if let number = NameTable.capabilities.number(of: name), number <= last {
                mask |= 1 << UInt64(number)
            }
        }
        return mask
    }

    /// The five sets. Ambient capabilities that are not permitted and inheritable cannot be
    /// (capabilities(7)): `runc spec` writes such ones, and they mean nothing.
    static func sets(_ spec: Spec.Process.Capabilities?, last: Int) -> cplan_caps {
        guard let spec else { return cplan_caps() }
        let bounding = mask(spec.bounding, last: last)
        // Engines write the same list several times; comparing costs less than looking the names up again.
        func set(_ names: [String]) -> UInt64 { names == spec.bounding ? bounding : mask(names, last: last) }
        var sets = cplan_caps(
            bounding: bounding, effective: set(spec.effective), permitted: set(spec.permitted),
            inheritable: set(spec.inheritable), ambient: set(spec.ambient))
        sets.ambient &= sets.permitted & sets.inheritable
        return sets
    }
}
