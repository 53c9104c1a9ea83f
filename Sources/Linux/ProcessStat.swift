internal import CLinux
public import Diagnostics

/// What /proc/PID/stat tells (proc(5)).
public struct ProcessStat: Sendable {
    /// R, S, D, T, Z, X …
    public let state: UInt8
    /// Field 4.
    public let parent: Int32
    /// Field 22, in clock ticks since the boot.
    public let startTime: UInt64
    /// Field 9, PF_* of the kernel.
    let flags: UInt64
    /// Field 52: how a zombie has ended, as wait(2) tells it; 0 for others, and for those we may not look into.
    public let exitStatus: Int32
    /// Field 2 without its parentheses: the process's own choice, at most 15 bytes.
    let name: [UInt8]

    /// Whether it has ended, or is about to: its files are closed then (PF_EXITING).
    public var isEnding: Bool { !isAlive || flags & 4 != 0 }

    public func isNamed(_ text: String) -> Bool { name.elementsEqual(text.utf8) }

    /// Whether the process still runs: a zombie has ended, only nobody has asked for its status yet.
    public var isAlive: Bool { state != UInt8(ascii: "Z") && state != UInt8(ascii: "X") }

    /// nil when there is no such process.
    public static func read(_ pid: Int32) throws(Failure) -> ProcessStat? {
        let path = "/proc/\(pid)/stat"
        let raw = clinux_openat(AT.cwd, path, O.readOnly, 0)
        if raw == -Errno.ENOENT { return nil }
        let file = Descriptor(adopting: try check(raw, "openat \(path)", "cannot look at process \(pid)"))
        // It may end between open and read: ESRCH.
        guard let bytes = try? file.readAll(limit: 4096, name: path) else { return nil }
        return parse(bytes)
    }

    /// The name in parentheses is the process's own choice and may contain anything, also `) Z 1`: fields count from
    /// the last parenthesis.
    static func parse(_ bytes: [UInt8]) -> ProcessStat? {
        guard let parenthesis = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(parenthesis + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        guard fields.count >= 20, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let start = UInt64(String(decoding: fields[19], as: UTF8.self)),
            let flags = UInt64(String(decoding: fields[6], as: UTF8.self)),
            let open = bytes.firstIndex(of: UInt8(ascii: "(")), open < parenthesis
        else { return nil }
        return ProcessStat(
            state: state, parent: parent, startTime: start, flags: flags,
            exitStatus: fields.count > 49 ? Int32(String(decoding: fields[49], as: UTF8.self)) ?? 0 : 0,
            name: Array(bytes[(open + 1)..<parenthesis]))
    }
}
