/// A compiled filter, ready for `seccomp(SECCOMP_SET_MODE_FILTER, flags, …)` (seccomp(2)).
public struct Filter: Equatable, Sendable {
    /// An array of `struct sock_filter` (linux/filter.h), 8 bytes each, at most 4096 of them.
    public let bytes: [UInt8]
    /// `SECCOMP_FILTER_FLAG_*`.
    public let flags: UInt32

    public init(bytes: [UInt8], flags: UInt32) {
        self.bytes = bytes
        self.flags = flags
    }
}
