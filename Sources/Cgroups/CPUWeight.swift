internal import CLinux

/// cpu.shares of cgroup v1, 2…262144 with 1024 as default, as cpu.weight of v2, 1…10000 with 100 as default.
enum CPUWeight {
    /// The conversion that peers adopted in 2025: a curve that maps minimum, default and maximum onto each
    /// other. The linear one before it made 39 of the default 1024, so that containers got less than their
    /// neighbours.
    ///
    ///     weight = ⌈10 ^ ((log₂²(shares) + 125 · log₂(shares)) / 612 − 7/34)⌉
    static func weight(ofShares shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let log = clinux_log2(Double(shares))
        let exponent = (log * log + 125 * log) / 612 - 7.0 / 34.0
        // Exact at the default but for the last bits, which must not lift it to 101.
        return UInt64((clinux_pow(10, exponent) - 1e-9).rounded(.up))
    }
}
