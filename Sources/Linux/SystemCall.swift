public import Diagnostics

/// Turns the result of a `clinux_` function (a value >= 0, or -errno) into a value or a `Failure`.
///
/// - Parameters:
///   - what: the system call and what it was about, evaluated only when it failed.
///   - message: the sentence for people.
@inline(__always)
public func check<Value: FixedWidthInteger & SignedInteger>(
    _ result: Value, _ what: @autoclosure () -> String, _ message: @autoclosure () -> String
) throws(Failure) -> Value {
    if result < 0 {
        throw Failure.system(Int32(truncatingIfNeeded: -result), what(), message())
    }
    return result
}

extension Failure {
    /// A refusal of the kernel: `message: call: errno text`.
    @inline(never)
    public static func system(_ errno: Int32, _ call: String, _ message: String) -> Failure {
        Failure(.system, message, cause: Cause(call: call, errno: Errno(rawValue: errno)))
    }
}
