internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

extension FlagValues {
    /// The bundle's directory: `--bundle`, or the current one.
    var bundle: String {
        guard let given = self[Flags.bundle], !given.isEmpty else { return "." }
        return given
    }

    /// Who makes cgroups. `--systemd-cgroup` is what engines say.
    func cgroupManager() throws(Failure) -> CgroupManager {
        let named = self[Flags.cgroupManager].flatMap { CgroupManager(rawValue: $0) }
        guard has(Flags.systemdCgroup) else { return named ?? .cgroupfs }
        guard named ?? .systemd == .systemd else {
            throw Failure(.usage, "contradicts --cgroup-manager", at: "--systemd-cgroup")
        }
        return .systemd
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

extension Invocation {
    /// Where supervised containers leave what outlives a reboot.
    func stateDirectory() throws(Failure) -> StateDirectory {
        guard let given = flags[Flags.stateDir] ?? globals[Flags.stateDir] else {
            return StateDirectory(root: Settings.defaultStateDirectory)
        }
        if given.isEmpty { throw Failure(.usage, "must not be empty", at: "--state-dir") }
        return StateDirectory(root: try Paths.absolute(given))
    }
}

/// What the environment says.
enum Settings {
    /// The service manager's socket (sd_notify(3)), if there is one.
    static var notifySocket: String? { variable("NOTIFY_SOCKET") }

    /// `/var/lib/gantry`; of other users than root the place for what their programs keep (XDG Base Directory
    /// Specification).
    static var defaultStateDirectory: String {
        if clinux_effective_uid() == 0 { return "/var/lib/gantry" }
        if let given = variable("XDG_STATE_HOME"), given.utf8.first == UInt8(ascii: "/") {
            return given + "/gantry"
        }
        return (variable("HOME") ?? "/") + "/.local/state/gantry"
    }

    private static func variable(_ name: String) -> String? {
        guard let value = clinux_getenv(name).map({ String(cString: $0) }), !value.isEmpty else {
            return nil
        }
        return value
    }
}
