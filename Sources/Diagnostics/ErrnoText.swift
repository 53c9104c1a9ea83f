internal import CLinux
public import SystemPackage

extension Errno {
    /// The C library's text with a small first letter: engines match these strings, and the runtime they were
    /// written against prints them so ("no such file or directory").
    public var sentence: String {
        guard let text = clinux_errno_text(rawValue) else { return "errno \(rawValue)" }
        let whole = String(cString: text)
        return whole.prefix(1).lowercased() + whole.dropFirst()
    }
}
