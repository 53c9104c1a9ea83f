internal import CLinux
internal import Diagnostics

extension FlagValues {
    /// The bundle's directory: `--bundle`, or the current one.
    var bundle: String {
        guard let given = self[Flags.bundle], !given.isEmpty else { return "." }
        return given
    }

    /// Where the state of all containers is kept.
    func stateRoot() throws(Failure) -> String {
        if let root = self[Flags.root] {
            if root.isEmpty { throw Failure(.usage, "must not be empty", at: "--root") }
            return root
        }
        if clinux_effective_uid() == 0 { return "/run/gantry" }
        guard let directory = clinux_getenv("XDG_RUNTIME_DIR").map({ String(cString: $0) }),
            !directory.isEmpty
        else {
            throw Failure(
                .usage, "XDG_RUNTIME_DIR is not set: tell with --root where to keep the containers' state")
        }
        return directory + "/gantry"
    }
}

/// What the environment says.
enum Settings {
    /// The service manager's socket (sd_notify(3)), if there is one.
    static var notifySocket: String? {
        guard let value = clinux_getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !value.isEmpty else {
            return nil
        }
        return value
    }
}
