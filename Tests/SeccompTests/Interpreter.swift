/// What a filter reads: `struct seccomp_data` without the instruction pointer (linux/seccomp.h).
struct Call: CustomStringConvertible {
    var architecture: UInt32
    var number: UInt32
    var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

    static let x86_64: UInt32 = 0xc000_003e
    static let i386: UInt32 = 0x4000_0003
    static let aarch64: UInt32 = 0xc000_00b7
    static let arm: UInt32 = 0x4000_0028

    func word(at offset: UInt32) -> UInt32? {
        switch offset {
        case 0: number
        case 4: architecture
        case 16..<64 where offset % 4 == 0:
            UInt32(truncatingIfNeeded: arguments[Int(offset - 16) / 8] >> (offset % 8 == 0 ? 0 : 32))
        default: nil
        }
    }

    var description: String {
        let list = arguments.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
        return
            "arch 0x\(String(architecture, radix: 16)) nr \(number) (0x\(String(number, radix: 16))) (\(list))"
    }
}

/// Runs the part of classic BPF that filters use, with the kernel's rules: what it would refuse is an error.
struct Interpreter {
    struct Instruction {
        var code: UInt16
        var then: UInt8
        var other: UInt8
        var k: UInt32
    }
    enum Fault: Error {
        case badLength(Int)
        case badInstruction(Int, UInt16)
        case outside(Int)
        case badLoad(Int)
    }

    let program: [Instruction]

    init(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty, bytes.count % 8 == 0, bytes.count / 8 <= 4096 else {
            throw Fault.badLength(bytes.count)
        }
        var program: [Instruction] = []
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let code = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            let low = UInt32(bytes[at + 4]) | UInt32(bytes[at + 5]) << 8
            let high = UInt32(bytes[at + 6]) | UInt32(bytes[at + 7]) << 8
            program.append(
                Instruction(code: code, then: bytes[at + 2], other: bytes[at + 3], k: low | high << 16))
        }
        self.program = program
        for (index, instruction) in program.enumerated() {
            let targets: [Int]
            switch instruction.code {
            case 0x05: targets = [index + 1 + Int(instruction.k)]
            case 0x15, 0x25, 0x35, 0x45:
                targets = [index + 1 + Int(instruction.then), index + 1 + Int(instruction.other)]
            case 0x06: targets = []
            default: targets = [index + 1]
            }
            if targets.contains(where: { $0 >= program.count }) { throw Fault.outside(index) }
        }
    }

    func run(_ call: Call) throws -> UInt32 {
        var accumulator: UInt32 = 0
        var index = 0
        while true {
            let instruction = program[index]
            index += 1
            func jump(_ taken: Bool) { index += Int(taken ? instruction.then : instruction.other) }
            switch instruction.code {
            case 0x20:
                guard let word = call.word(at: instruction.k) else { throw Fault.badLoad(index - 1) }
                accumulator = word
            case 0x05: index += Int(instruction.k)
            case 0x15: jump(accumulator == instruction.k)
            case 0x25: jump(accumulator > instruction.k)
            case 0x35: jump(accumulator >= instruction.k)
            case 0x45: jump(accumulator & instruction.k != 0)
            case 0x54: accumulator &= instruction.k
            case 0x06: return instruction.k
            default: throw Fault.badInstruction(index - 1, instruction.code)
            }
        }
    }
}
