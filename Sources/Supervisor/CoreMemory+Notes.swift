internal import CLinux

/// The core's part of the shared notes: two places, so that a kill -9 in the middle of writing one leaves the other.
struct CoreNotes {
    private let base: UnsafeMutableRawPointer

    /// Where it begins, behind the log's part; bytes of each place.
    private static let offset = 1024
    private static let place = 256

    /// - Parameter notes: the ring's.
    init(_ notes: UnsafeMutableRawPointer) {
        base = notes + CoreNotes.offset
    }

    /// Which place counts.
    private var index: UnsafeMutablePointer<UInt32> { base.assumingMemoryBound(to: UInt32.self) }

    private func place(_ index: UInt32) -> UnsafeMutableRawPointer {
        base + 64 + Int(index & 1) * CoreNotes.place
    }

    func load() -> CoreMemory {
        place(clinux_load32(index)).load(as: CoreMemory.self)
    }

    func store(_ memory: CoreMemory) {
        let next = clinux_load32(index) ^ 1
        place(next).storeBytes(of: memory, as: CoreMemory.self)
        clinux_store32(index, next)
    }
}
