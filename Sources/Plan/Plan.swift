internal import CPlan
public import Diagnostics

/// What the init is going to do: a value without any system call in it. spec/plan.md explains the format.
public struct Plan: Sendable, CustomStringConvertible {
    /// The steps in their order.
    public private(set) var ops: [Op]
    /// Strings and bytes; offset 0 means "none".
    var blob: [UInt8]
    /// Descriptors from this number on never reach the container: 3 + preserved ones.
    let firstPrivate: UInt32
    /// Index of the op that loads the system-call filter; `nil` when the configuration has no filter.
    let filterOp: Int?
    /// What the configuration has that this host cannot do and that is no error, a sentence each.
    public let warnings: [String]

    init(
        _ builder: consuming PlanBuilder, firstPrivate: UInt32, filterOp: Int?, warnings: [String]
    ) {
        ops = builder.ops
        blob = builder.blob
        self.firstPrivate = firstPrivate
        self.filterOp = filterOp
        self.warnings = warnings
    }

    /// Whether `attach(filter:)` must be called before `encode()`.
    public var needsFilter: Bool {
        guard let filterOp else { return false }
        return ops[filterOp].code == .seccomp && ops[filterOp].raw.len == 0
    }

    /// Whether the environment has no `HOME`, or an empty one: the reply to READY must bring it.
    public var wantsHome: Bool {
        ops.contains { $0.code == .sync && UInt32($0.raw.flags) & UInt32(CPLAN_F_ENV_VALUE) != 0 }
    }

    /// How many processes the init becomes, one after the other.
    public var forks: Int { ops.reduce(0) { $0 + ($1.code == .fork ? 1 : 0) } }

    /// Whether the step enters a cgroup of version 2.
    public func entersCgroup(at index: Int) -> Bool {
        ops.indices.contains(index) && ops[index].code == .fork && ops[index].raw.src == Slot.cgroup
    }

    /// Adds the compiled system-call filter, an array of `struct sock_filter` (seccomp(2)). An empty one
    /// means that nothing is filtered. Without a filter in the configuration this does nothing.
    ///
    /// - Throws: `invalid` when the filter is longer than the 4096 instructions that the kernel takes.
    public mutating func attach(filter: [UInt8]) throws(Failure) {
        guard let filterOp else { return }
        if filter.isEmpty {
            ops[filterOp].raw.code = Op.Code.nop.rawValue
            return
        }
        guard filter.count % 8 == 0, filter.count <= 4096 * 8 else {
            throw Failure(
                .invalid, "compiles to \(filter.count / 8) instructions; the kernel takes 4096",
                at: "linux.seccomp")
        }
        while blob.count & 7 != 0 { blob.append(0) }
        ops[filterOp].raw.str = UInt32(truncatingIfNeeded: blob.count)
        ops[filterOp].raw.len = UInt32(truncatingIfNeeded: filter.count)
        blob.append(contentsOf: filter)
    }

    /// The buffer that the init interprets.
    ///
    /// - Throws: `invalid` when the configuration is beyond what the format holds (65,535 ops, 4 GiB), or
    ///   when the
    ///   filter has not been attached.
    public func encode() throws(Failure) -> [UInt8] {
        let base = MemoryLayout<cplan_header>.size + ops.count * MemoryLayout<cplan_op>.stride
        guard ops.count <= Int(UInt16.max) else {
            throw Failure(.invalid, "the configuration needs \(ops.count) steps; at most 65535 are possible")
        }
        guard let total = UInt32(exactly: base + blob.count) else {
            throw Failure(.invalid, "the configuration is longer than 4 GiB")
        }
        guard !needsFilter else {
            throw Failure(.invalid, "the filter is not compiled yet", at: "linux.seccomp")
        }
        let header = cplan_header(
            magic: UInt32(CPLAN_MAGIC), version: UInt16(CPLAN_VERSION), op_count: UInt16(ops.count),
            total_size: total,
            first_private: firstPrivate, reserved: (0, 0))
        return [UInt8](unsafeUninitializedCapacity: Int(total)) { buffer, count in
            let memory = UnsafeMutableRawBufferPointer(buffer)
            memory.storeBytes(of: header, as: cplan_header.self)
            UnsafeMutableRawBufferPointer(rebasing: memory[base...]).copyBytes(from: blob)
            var at = MemoryLayout<cplan_header>.size
            for op in ops {
                memory.storeBytes(
                    of: Plan.relocated(op.raw, by: UInt32(base)), toByteOffset: at, as: cplan_op.self)
                at += MemoryLayout<cplan_op>.stride
                guard op.code == .exec else { continue }
                Plan.relocateVector(at: base + Int(op.raw.str), by: UInt64(base), in: memory)
                Plan.relocateVector(at: base + Int(op.raw.str2), by: UInt64(base), in: memory)
            }
            count = Int(total)
        }
    }

    /// Offsets count from the start of the buffer, not of the blob.
    private static func relocated(_ raw: cplan_op, by base: UInt32) -> cplan_op {
        var raw = raw
        if raw.str != 0 { raw.str += base }
        if raw.str2 != 0 { raw.str2 += base }
        return raw
    }

    private static func relocateVector(
        at start: Int, by base: UInt64, in memory: UnsafeMutableRawBufferPointer
    ) {
        let count = Int(memory.load(fromByteOffset: start, as: UInt64.self))
        for index in 0..<count {
            let at = start + 8 + index * 8
            memory.storeBytes(
                of: memory.load(fromByteOffset: at, as: UInt64.self) + base, toByteOffset: at, as: UInt64.self
            )
        }
    }
}

/// Reading what ops point to.
extension Plan {
    /// The string at an offset of the blob; empty for "none".
    func text(_ offset: UInt32) -> String {
        let start = Int(offset)
        guard start > 0, start < blob.count else { return "" }
        let end = blob[start...].firstIndex(of: 0) ?? blob.count
        return String(decoding: blob[start..<end], as: UTF8.self)
    }

    /// NUL-separated strings in `length` bytes.
    func texts(_ offset: UInt32, length: UInt32) -> [String] {
        let start = Int(offset)
        guard start > 0, length > 0, start + Int(length) <= blob.count else { return [] }
        // Each string ends with a NUL, the last one too.
        return blob[start..<(start + Int(length) - 1)].split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    func word(_ offset: Int) -> UInt64 {
        blob.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    func half(_ offset: Int) -> UInt32 {
        blob.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }

    /// How many words stand before the program's own when the reaper executes it.
    static let reaperWords = 2

    /// The program's own words, its name among them.
    func arguments(_ exec: Op) -> [String] {
        let words = vector(exec.raw.str)
        return exec.raw.src == Slot.reaper ? Array(words.dropFirst(Plan.reaperWords)) : words
    }

    /// The strings of a `struct cplan_vector`.
    func vector(_ offset: UInt32) -> [String] {
        let start = Int(offset)
        return (0..<Int(word(start))).map { text(UInt32(word(start + 8 + $0 * 8))) }
    }
}
