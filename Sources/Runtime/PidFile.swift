internal import CLinux
internal import Diagnostics
internal import Linux

/// `--pid-file`: the pid in digits without a newline, written beside its place and renamed into it, so that
/// whoever polls for it never reads half.
enum PidFile {
    static func write(_ pid: Int32, to path: String) throws(Failure) {
        let absolute = try Paths.absolute(path)
        let slash = absolute.utf8.lastIndex(of: UInt8(ascii: "/"))!
        let directory = absolute[...slash]
        let temporary = directory + "." + absolute[absolute.utf8.index(after: slash)...]
        var raw = exclusive(String(temporary))
        if raw == -Errno.EEXIST {
            // What a killed gantry left. Removed and not reused: it may be somebody else's link.
            _ = clinux_unlinkat(AT.cwd, String(temporary), 0)
            raw = exclusive(String(temporary))
        }
        _ = try check(raw, "openat \(temporary)", "cannot write the pid file \(absolute)")
        let file = Descriptor(adopting: raw)
        do {
            try file.write(String(pid), name: String(temporary))
            _ = try check(
                clinux_renameat(AT.cwd, String(temporary), AT.cwd, absolute), "rename \(temporary)",
                "cannot write the pid file \(absolute)")
        } catch {
            _ = clinux_unlinkat(AT.cwd, String(temporary), 0)
            throw error
        }
    }

    private static func exclusive(_ path: String) -> CInt {
        clinux_openat(AT.cwd, path, O.writeOnly | O.create | O.exclusive | O.noFollow, 0o666)
    }
}
