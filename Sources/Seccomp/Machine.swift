internal import OCI

/// One set of system-call numbers.
struct ABI {
    let architecture: Spec.Linux.Seccomp.Architecture
    /// libseccomp's `SCMP_ARCH_*`.
    let token: UInt32
    /// First number of the part of the number line that is this ABI's; it ends where the next one's begins.
    let firstNumber: UInt32
    /// Whether arguments are compared with all their 64 bits.
    let isWide: Bool
    /// Whether a profile covers it without naming it: the machine's own.
    let isAlwaysOn: Bool
    /// Numbers from here on are private to the architecture, and say nothing about how new a profile is.
    var firstPrivateNumber: UInt32 = .max
}

/// The ABIs that the kernel reports with the same `seccomp_data.arch`, in the order of their numbers.
struct Family {
    /// `AUDIT_ARCH_*` (linux/audit.h).
    let auditArchitecture: UInt32
    let abis: [ABI]
    /// First number that belongs to an ABI which only some profiles cover (x32); `nil` when there is none.
    let firstOptionalNumber: UInt32?
}

/// The architectures whose code a kernel can run. Profiles may name others (`SCMP_ARCH_S390X` on x86-64): no
/// process can make such a call here, so they need no code, and the check of the architecture would kill the
/// thread anyway.
struct Machine {
    /// The machine's own first.
    let families: [Family]

    static let x86_64 = Machine(families: [
        Family(
            auditArchitecture: 0xc000_003e,
            abis: [
                ABI(
                    architecture: .x86_64, token: 0xc000_003e, firstNumber: 0, isWide: true,
                    isAlwaysOn: true),
                ABI(
                    architecture: .x32, token: 0x4000_003e, firstNumber: 0x4000_0000, isWide: false,
                    isAlwaysOn: false),
            ],
            firstOptionalNumber: 0x4000_0000),
        Family(
            auditArchitecture: 0x4000_0003,
            abis: [
                ABI(
                    architecture: .x86, token: 0x4000_0003, firstNumber: 0, isWide: false,
                    isAlwaysOn: false)
            ],
            firstOptionalNumber: nil),
    ])

    static let arm64 = Machine(families: [
        Family(
            auditArchitecture: 0xc000_00b7,
            abis: [
                ABI(
                    architecture: .aarch64, token: 0xc000_00b7, firstNumber: 0, isWide: true,
                    isAlwaysOn: true)
            ],
            firstOptionalNumber: nil),
        Family(
            auditArchitecture: 0x4000_0028,
            abis: [
                // __ARM_NR_BASE: breakpoint, cacheflush, set_tls, … (asm/unistd.h).
                ABI(
                    architecture: .arm, token: 0x4000_0028, firstNumber: 0, isWide: false,
                    isAlwaysOn: false, firstPrivateNumber: 0x0f_0000)
            ],
            firstOptionalNumber: nil),
    ])

    #if arch(x86_64)
        static let current = x86_64
    #elseif arch(arm64)
        static let current = arm64
    #endif
}
