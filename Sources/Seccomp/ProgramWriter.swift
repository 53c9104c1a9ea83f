/// Where `struct seccomp_data` (linux/seccomp.h) has what a filter reads, in bytes.
enum SeccompData {
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4

    /// Lower half of argument `index`; the upper one follows. Both supported machines are little-endian.
    static func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }
}

/// Writes a classic BPF program from its end to its beginning: jumps only go forward, so every target is
/// known when the jump to it is written, and an offset that does not fit into 8 bits gets a long jump placed
/// in between.
struct ProgramWriter {
    /// An instruction, by its distance from the end of the program.
    struct Label: Equatable {
        fileprivate let fromEnd: Int
    }

    enum Test: UInt16 {
        case equal = 0x15  // BPF_JMP | BPF_JEQ | BPF_K
        case greater = 0x25
        case greaterOrEqual = 0x35
    }

    private var reversed: [UInt64] = []
    /// The latest return instruction of each value.
    private var returns: [(value: UInt32, label: Label)] = []

    var count: Int { reversed.count }

    init() {
        reversed.reserveCapacity(512)
    }

    @discardableResult
    private mutating func append(_ code: UInt16, _ k: UInt32, then: UInt8 = 0, else: UInt8 = 0) -> Label {
        reversed.append(
            UInt64(code) | UInt64(then) << 16 | UInt64(`else`) << 24 | UInt64(k) << 32)
        return Label(fromEnd: reversed.count)
    }

    /// A return of `value`; an existing one that every test nearby can still reach is used again.
    mutating func returning(_ value: UInt32) -> Label {
        let slot = returns.firstIndex { $0.value == value }
        if let slot, count - returns[slot].label.fromEnd < 128 { return returns[slot].label }
        let label = append(0x06, value)  // BPF_RET | BPF_K
        if let slot { returns[slot].label = label } else { returns.append((value, label)) }
        return label
    }

    /// Loads the 32 bits at `offset` of `seccomp_data`; what was written before follows.
    @discardableResult
    mutating func load(_ offset: UInt32) -> Label {
        append(0x20, offset)  // BPF_LD | BPF_W | BPF_ABS
    }

    mutating func and(_ mask: UInt32) {
        append(0x54, mask)  // BPF_ALU | BPF_AND | BPF_K
    }

    /// Compares what was loaded last.
    @discardableResult
    mutating func jump(_ test: Test, _ operand: UInt32, then: Label, else: Label) -> Label {
        var then = then
        var other = `else`
        // Each long jump moves the other target by one, so room for one is kept.
        if count - then.fromEnd > 254 { then = long(then) }
        if count - other.fromEnd > 254 { other = long(other) }
        return append(
            test.rawValue, operand, then: UInt8(count - then.fromEnd), else: UInt8(count - other.fromEnd))
    }

    /// Makes `label` the next instruction executed from here: nothing when it is, else a long jump.
    mutating func fallThrough(to label: Label) {
        if label.fromEnd != count { long(label) }
    }

    /// An unconditional jump.
    @discardableResult
    private mutating func long(_ target: Label) -> Label {
        append(0x05, UInt32(count - target.fromEnd))  // BPF_JMP | BPF_JA
    }

    /// The program as an array of `struct sock_filter`.
    func bytes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count * 8) { buffer, initialized in
            for (index, instruction) in reversed.reversed().enumerated() {
                UnsafeMutableRawPointer(buffer.baseAddress!).storeBytes(
                    of: instruction.littleEndian, toByteOffset: index * 8, as: UInt64.self)
            }
            initialized = count * 8
        }
    }
}
