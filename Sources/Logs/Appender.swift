internal import CLinux
internal import Diagnostics
internal import Linux

/// A thread that appends to the log for a loop that must not wait for the disk.
struct Appender: ~Copyable {
    private let thread: OpaquePointer?

    /// - Parameter isWanted: otherwise there is none.
    init(_ isWanted: Bool) throws(Failure) {
        var error: CInt = 0
        thread = isWanted ? clinux_appender_start(&error) : nil
        if isWanted, thread == nil { throw Failure.system(-error, "pthread_create", "cannot write the log") }
    }

    deinit {
        if let thread { _ = clinux_appender_stop(thread) }
    }

    var isThere: Bool { thread != nil }

    /// Readable when the job is done; -1 for no thread.
    var event: CInt { thread.map { clinux_appender_event($0) } ?? -1 }

    /// See clinux_append. The bytes stay where they are until `result` is there.
    func submit(_ bytes: UnsafeRawPointer, _ count: Int, to file: CInt, size: Int64, sync: Bool) {
        guard let thread else { return }
        clinux_appender_submit(thread, file, bytes, count, size, sync ? 1 : 0)
    }

    /// 0 or -errno, and whether half a line is left in the file; nil while it is not done.
    func result() -> (code: CInt, isTorn: Bool)? {
        var code: CInt = 0
        var isTorn: CInt = 0
        guard let thread, clinux_appender_result(thread, &code, &isTorn) != 0 else { return nil }
        return (code, isTorn != 0)
    }
}
