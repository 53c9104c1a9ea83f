internal import CLinux
internal import Diagnostics
internal import Linux

/// `gantry spec`: a config.json to start from.
enum SpecCommand {
    @Sendable static func spec(_ invocation: Invocation) throws(Failure) -> CInt {
        var template = SpecTemplate()
        if invocation.flags.has(Flags.rootlessSpec) {
            template.rootless = SpecTemplate.Rootless(
                uid: clinux_effective_uid(), gid: clinux_effective_gid())
        }
        try write(template.text, to: invocation.flags.bundle + "/config.json")
        return 0
    }

    /// What is there already, be it a link that leads nowhere, stays as it is.
    private static func write(_ text: String, to path: String) throws(Failure) {
        let raw = clinux_openat(AT.cwd, path, O.writeOnly | O.create | O.exclusive | O.noFollow, 0o666)
        if raw == -Errno.EEXIST { throw Failure(.exists, "File config.json exists. Remove it first") }
        let file = Descriptor(adopting: try check(raw, "openat", "cannot write \(path)"))
        do {
            try file.write(text, name: path)
        } catch {
            _ = clinux_unlinkat(AT.cwd, path, 0)
            throw error
        }
    }
}
