internal import CLinux
public import Diagnostics
internal import JSON
internal import Keeper
internal import Linux
internal import Logs
internal import Store

/// `gantry supervise`, which a keeper starts.
public enum SupervisorProcess {
    /// Milliseconds that the keeper may take to say how things are.
    private static let patience: CInt = 20_000

    /// Returns when the container has ended for good, or another supervisor takes over.
    public static func run(_ arguments: SupervisorArguments) throws(Failure) {
        _ = clinux_set_undumpable()
        clinux_long_life()
        let container = try StateDirectory(root: arguments.stateDirectory).open(arguments.id)
        do throws(Failure) {
            try serve(arguments, StateDirectory(root: arguments.stateDirectory).open(arguments.id))
        } catch {
            // Standard error is /dev/null.
            container.note("the supervisor failed: \(error.description)")
            throw error
        }
    }

    /// A container among the host's processes sees us, and could reach gantry's own file through /proc/PID/exe: it
    /// sees a sealed copy instead (CVE-2019-5736). Does not return when this process becomes one.
    static func hide(_ settings: SupervisionSettings) throws(Failure) {
        guard sharesProcesses(settings) else { return }
        _ = try check(
            clinux_execute_sealed_copy(), "execveat", "cannot run the supervisor from memory")
    }

    /// What config.json says now is what the next run will be. There may be no record of it yet.
    private static func sharesProcesses(_ settings: SupervisionSettings) -> Bool {
        let path = settings.bundle + "/config.json"
        guard let file = try? Descriptor.open(path, O.readOnly),
            let bytes = try? file.readAll(limit: 64 << 20, name: path),
            let document = try? JSONDocument(bytes, name: path),
            let namespaces = try? document.root["linux"]?["namespaces"]?.elements()
        else { return true }
        return !namespaces.contains { namespace in
            // One that is joined may be the host's.
            let isJoined = namespace["path"] != nil
            let type = (try? namespace["type"]?.string()) ?? ""
            return type.utf8.elementsEqual("pid".utf8) && !isJoined
        }
    }

    private static func serve(
        _ arguments: SupervisorArguments, _ container: consuming SupervisedContainer
    ) throws(Failure) {
        let settings = try container.settings()
        guard settings.root.utf8.elementsEqual(arguments.root.utf8) else {
            throw Failure(.usage, "the container belongs to \(settings.root)", at: "--root")
        }
        try hide(settings)
        let signals = Descriptor(
            adopting: try check(clinux_signalfd_all(), "signalfd", "cannot receive signals"))
        guard let keeper = try KeeperConnection.connect(directory: arguments.directory) else {
            throw Failure(.notFound, "the container has no keeper")
        }
        try keeper.becomeSupervisor()
        _ = clinux_wait_readable(keeper.socket.raw, -1, patience)
        switch try keeper.nextEvent() {
        case .state(let kept):
            try Supervisor(arguments, container, settings, keeper, kept, signals: signals).work()
        case .refused(let errno) where errno.rawValue == Errno.EBUSY:
            throw Failure(.state, "another supervisor works for the container")
        case .leave: return
        case .lost: return
        default: throw Failure(.system, "the keeper does not take this supervisor")
        }
    }
}
