internal import CLinux

/// An error number of the kernel (errno(3)).
public struct Errno: Equatable, Sendable {
    public let rawValue: CInt

    public init(rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// The C library's text with a small first letter: engines match these strings, and the runtime they were
    /// written against prints them so ("no such file or directory").
    public var sentence: String {
        guard let text = clinux_errno_text(rawValue) else { return "errno \(rawValue)" }
        var bytes = Array(String(cString: text).utf8)
        if let first = bytes.first, first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z") {
            bytes[0] = first | 0x20
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The numbers that callers tell apart, the same on x86-64 and arm64 (asm-generic/errno.h).
extension Errno {
    public static let EPERM: CInt = 1
    public static let ENOENT: CInt = 2
    public static let ESRCH: CInt = 3
    public static let EIO: CInt = 5
    public static let ENOEXEC: CInt = 8
    public static let EAGAIN: CInt = 11
    public static let EACCES: CInt = 13
    public static let EBUSY: CInt = 16
    public static let EEXIST: CInt = 17
    public static let ENODEV: CInt = 19
    public static let ENOTDIR: CInt = 20
    public static let EISDIR: CInt = 21
    public static let EMFILE: CInt = 24
    public static let EPIPE: CInt = 32
    public static let ENOTEMPTY: CInt = 39
    public static let EOPNOTSUPP: CInt = 95
    public static let ECONNRESET: CInt = 104
    public static let ECONNREFUSED: CInt = 111
}
