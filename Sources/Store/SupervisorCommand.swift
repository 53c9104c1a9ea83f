internal import CLinux

/// How a keeper starts a container's supervisor.
public enum SupervisorCommand {
    /// - Parameters:
    ///   - program: gantry's own file, absolute.
    ///   - root: absolute.
    public static func words(
        program: String, root: String, states: StateDirectory, id: String
    ) -> [String] {
        [program, "--root", root, "--state-dir", states.root, "supervise", id]
    }

    /// What exit commands and later starts may need of the environment of who starts it.
    private static let inherited = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
    ]

    public static var environment: [String] {
        var entries: [String] = []
        for name in inherited {
            guard let value = clinux_getenv(name) else { continue }
            entries.append(name + "=" + String(cString: value))
        }
        return entries
    }

    /// Whether a command line is that of the supervisor of a container.
    public static func isMeant(_ words: [ArraySlice<UInt8>], root: String, id: String) -> Bool {
        words.count == 7 && words[1].elementsEqual("--root".utf8) && words[2].elementsEqual(root.utf8)
            && words[5].elementsEqual("supervise".utf8) && words[6].elementsEqual(id.utf8)
    }
}
