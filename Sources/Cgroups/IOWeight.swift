/// blkio.weight of cgroup v1, 10…1000, as io.weight of v2, 1…10000.
enum IOWeight {
    /// The linear conversion of runc and crun: minimum and maximum become each other, the default (500 of CFQ, 100 of
    /// BFQ) does not become the default, which is 100. Weights below 10, which BFQ takes, become 1.
    static func weight(ofBlockIO weight: UInt16) -> UInt64 {
        1 + (UInt64(max(weight, 10)) - 10) * 9999 / 990
    }
}
