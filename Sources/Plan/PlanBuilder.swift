internal import CPlan
internal import Diagnostics

/// Collects ops and what they point to. All strings go straight into one blob: a plan costs a handful of
/// allocations.
struct PlanBuilder {
    private(set) var ops: [Op] = []
    /// Begins with eight zero bytes: offset 0 means "none", and what must be aligned starts at a multiple of
    /// 8.
    private(set) var blob: [UInt8]
    /// The property of config.json that the next ops come from.
    var origin = Origin.none

    init() {
        ops.reserveCapacity(160)
        blob = []
        blob.reserveCapacity(8192)
        blob.append(contentsOf: repeatElement(0, count: 8))
    }

    /// Adds an op. Operands mean what CPlan.h says for the opcode.
    mutating func add(
        _ code: Op.Code, flags: UInt32 = 0, dst: Int16 = Slot.none, src: Int16 = Slot.none,
        aux: Int16 = Slot.none,
        ok: (UInt16, UInt16) = (0, 0), skip: UInt16 = 0, str: UInt32 = 0, str2: UInt32 = 0, len: UInt32 = 0,
        _ arg0: UInt64 = 0, _ arg1: UInt64 = 0, _ arg2: UInt64 = 0
    ) {
        let raw = cplan_op(
            code: code.rawValue, flags: UInt16(truncatingIfNeeded: flags), dst: dst, src: src, aux: aux,
            ok_errno: ok,
            skip: skip, str: str, str2: str2, len: len, reserved: 0, arg0: arg0, arg1: arg1, arg2: arg2)
        ops.append(Op(raw: raw, origin: origin))
    }

    /// Where the next bytes go.
    var position: UInt32 { UInt32(truncatingIfNeeded: blob.count) }

    /// Puts a string and its NUL into the blob.
    ///
    /// - Throws: `invalid` when it contains a NUL: the kernel would read something shorter than what was
    ///   written.
    mutating func text(_ text: String) throws(Failure) -> UInt32 {
        let offset = position
        try append(text)
        blob.append(0)
        return offset
    }

    mutating func literal(_ text: StaticString) -> UInt32 {
        let offset = position
        append(literal: text)
        blob.append(0)
        return offset
    }

    /// Puts bytes and a NUL into the blob.
    mutating func text(bytes: ArraySlice<UInt8>) throws(Failure) -> UInt32 {
        let offset = position
        try append(bytes: bytes)
        blob.append(0)
        return offset
    }

    mutating func append(_ text: String) throws(Failure) {
        let start = blob.count
        blob.append(contentsOf: text.utf8)
        try refuseNUL(from: start)
    }

    mutating func append(_ text: Substring) throws(Failure) {
        let start = blob.count
        blob.append(contentsOf: text.utf8)
        try refuseNUL(from: start)
    }

    mutating func append(bytes: ArraySlice<UInt8>) throws(Failure) {
        let start = blob.count
        blob.append(contentsOf: bytes)
        try refuseNUL(from: start)
    }

    mutating func append(literal text: StaticString) {
        blob.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(byte: UInt8) {
        blob.append(byte)
    }

    /// Puts raw memory into the blob, at a multiple of 8.
    mutating func data(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        align()
        let offset = position
        blob.append(contentsOf: bytes)
        return offset
    }

    /// A `struct cplan_vector`: the count, the offsets, and room for two more entries.
    mutating func vector(_ offsets: [UInt32]) -> UInt32 {
        align()
        let start = position
        append(word: UInt64(offsets.count))
        for offset in offsets { append(word: UInt64(offset)) }
        append(word: 0)
        append(word: 0)
        return start
    }

    private mutating func append(word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { blob.append(contentsOf: $0) }
    }

    private mutating func align() {
        while blob.count & 7 != 0 { blob.append(0) }
    }

    private func refuseNUL(from start: Int) throws(Failure) {
        let clean = blob.withUnsafeBufferPointer { bytes in
            var index = start
            while index < bytes.count, bytes[index] != 0 { index += 1 }
            return index == bytes.count
        }
        if !clean { throw Failure(.invalid, "must not contain a NUL byte", at: origin.path) }
    }
}
