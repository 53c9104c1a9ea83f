/// The eBPF program by which a cgroup of version 2 decides about devices (BPF_PROG_TYPE_CGROUP_DEVICE). Pure.
///
/// The kernel calls it with `struct bpf_cgroup_dev_ctx { access_type, major, minor }`, whose access_type is
/// `access << 16 | type`, and allows what it answers with 1. Rules are tried from the last to the first. Each
/// takes the kinds of access that it is about from those that were asked for: a denial of any is the answer,
/// and so is the moment when all have been allowed.
struct DeviceProgram: Equatable, Sendable {
    /// struct bpf_insn: opcode 8 bits, dst 4, src 4, offset 16, immediate 32.
    private(set) var instructions: [UInt64] = []

    init(_ policy: DevicePolicy) {
        load(.kind, offset: 0)
        load(.access, offset: 0)
        emit(.and, .kind, immediate: 0xffff)
        emit(.shiftRight, .access, immediate: 16)
        load(.major, offset: 4)
        load(.minor, offset: 8)
        for rule in policy.rules.reversed() { add(rule) }
        answer(policy.allowsByDefault)
    }

    private mutating func add(_ rule: DevicePolicy.Rule) {
        var jumps: [Int] = []
        jumps.append(jumpUnlessEqual(.kind, rule.kind.rawValue))
        if let major = rule.major { jumps.append(jumpUnlessEqual(.major, major)) }
        if let minor = rule.minor { jumps.append(jumpUnlessEqual(.minor, minor)) }
        let isAboutAll = rule.access == .all
        if rule.allow {
            if !isAboutAll {
                emit(.and, .access, immediate: ~rule.access.rawValue & 7)
                jumps.append(jumpUnlessEqual(.access, 0))
            }
        } else if !isAboutAll {
            // Over the answer when none of the denied kinds is asked for.
            emit(.jumpIfAnyBit, .access, offset: 1, immediate: rule.access.rawValue)
            jumps.append(instructions.count)
            emit(.jump, .result, immediate: 0)
        }
        answer(rule.allow)
        for jump in jumps { land(jump) }
    }

    /// The context's registers on entry; r2…r5 hold what was read from it.
    private enum Register: UInt64 {
        case result = 0
        case context = 1
        case kind = 2
        case access = 3
        case major = 4
        case minor = 5
    }

    /// linux/bpf_common.h and linux/bpf.h.
    private enum Opcode: UInt64 {
        case loadWord = 0x61  // LDX | MEM | W
        case and = 0x54  // ALU | AND | K
        case shiftRight = 0x74  // ALU | RSH | K
        case move = 0xb7  // ALU64 | MOV | K
        case jump = 0x05  // JMP | JA
        case jumpUnlessEqual = 0x56  // JMP32 | JNE | K, Linux 5.1
        case jumpIfAnyBit = 0x45  // JMP | JSET | K
        case exit = 0x95  // JMP | EXIT
    }

    private mutating func load(_ register: Register, offset: UInt64) {
        instructions.append(
            Opcode.loadWord.rawValue | register.rawValue << 8 | Register.context.rawValue << 12 | offset << 16
        )
    }

    private mutating func emit(_ opcode: Opcode, _ register: Register, offset: UInt64 = 0, immediate: UInt32)
    {
        instructions.append(
            opcode.rawValue | register.rawValue << 8 | offset << 16 | UInt64(immediate) << 32)
    }

    private mutating func jumpUnlessEqual(_ register: Register, _ value: UInt32) -> Int {
        emit(.jumpUnlessEqual, register, immediate: value)
        return instructions.count - 1
    }

    /// Makes the jump go to the next instruction.
    private mutating func land(_ jump: Int) {
        instructions[jump] |= UInt64(instructions.count - jump - 1) << 16
    }

    private mutating func answer(_ allow: Bool) {
        emit(.move, .result, immediate: allow ? 1 : 0)
        emit(.exit, .result, immediate: 0)
    }
}
