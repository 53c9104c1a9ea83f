internal import CLinux
internal import Diagnostics
internal import Linux
internal import Runtime
internal import Store

/// The flags of `run` that say how a container is to be supervised.
enum SupervisionFlags {
    static let supervise = Flag(
        "supervise", nil, .toggle, "Keep output, exit status and restarts; with --detach")
    private static let logDriver = Flag(
        "log-driver", nil, .choice(SupervisionSettings.LogDriver.allCases.map { $0.rawValue }),
        "Where the output goes (default: k8s-file)")
    private static let logPath = Flag(
        "log-path", nil, .text("FILE"), "The log of a file driver (default: container.log in --state-dir)")
    private static let logMaxSize = Flag(
        "log-max-size", nil, .text("SIZE"), "Begin another log file at SIZE bytes, such as 10m")
    private static let logMaxFiles = Flag(
        "log-max-files", nil, .count("N"), "Keep N log files, the current one among them (default: 1)")
    private static let logTag = Flag(
        "log-tag", nil, .text("TAG"), "Tag of each line, for json-file and journald; {{.ID}} is the ID")
    private static let logLabel = Flag(
        "log-label", nil, .text("KEY=VALUE"), "Label of each line, as --log-tag; may be repeated")
    private static let logOverflow = Flag(
        "log-overflow", nil, .choice(SupervisionSettings.Overflow.allCases.map { $0.rawValue }),
        "When the log is slower than the container (default: block)")
    private static let logRateLimit = Flag(
        "log-rate-limit", nil, .text("SIZE"), "Log at most SIZE bytes a second, and say what was dropped")
    private static let logSync = Flag("log-sync", nil, .toggle, "Sync the log to disk all the time")
    private static let restart = Flag(
        "restart", nil, .text("POLICY"),
        "no, on-failure[:N], always or unless-stopped (default: no)")
    private static let exitCommand = Flag(
        "exit-command", nil, .text("COMMAND"), "Run by /bin/sh once the container has ended for good")
    private static let stdin = Flag(
        "stdin", "i", .toggle, "Give it a standard input that `gantry attach` writes to")
    private static let stopTimeout = Flag(
        "stop-timeout", nil, .count("SECONDS"), "Before SIGKILL when its supervisor is ended (default: 10)")

    private static let dependent = [
        logDriver, logPath, logMaxSize, logMaxFiles, logTag, logLabel, logOverflow, logRateLimit, logSync,
        restart,
        exitCommand, stdin, stopTimeout,
    ]
    static let all = [supervise] + dependent + [Flags.stateDir]

    /// nil without `--supervise`. All that is wrong with the flags is told here, before anything is made.
    static func settings(_ invocation: Invocation) throws(Failure) -> SupervisionSettings? {
        let flags = invocation.flags
        guard flags.has(supervise) else {
            for flag in dependent where flags[flag] != nil {
                throw Failure(.usage, "needs --supervise", at: "--" + flag.name)
            }
            return nil
        }
        try checkOthers(flags)
        var settings = SupervisionSettings(
            id: invocation.positionals[0], root: try Paths.absolute(try invocation.globals.stateRoot()),
            bundle: try Paths.absolute(flags.bundle))
        settings.noPivot = flags.has(Flags.noPivot)
        settings.noNewKeyring = flags.has(Flags.noNewKeyring)
        settings.hasInit = flags.has(Flags.initProcess)
        settings.cgroupManager = try invocation.globals.cgroupManager()
        if let path = flags[Flags.pidFile], !path.isEmpty { settings.pidFile = try Paths.absolute(path) }
        settings.hasStdin = flags.has(stdin)
        if let text = flags[restart] {
            guard let policy = SupervisionSettings.RestartPolicy(text) else {
                throw Failure(
                    .usage, "\"\(text)\" must be no, on-failure, on-failure:N, always or unless-stopped",
                    at: "--restart")
            }
            settings.restart = policy
        }
        if let command = flags[exitCommand] {
            if command.isEmpty { throw Failure(.usage, "must not be empty", at: "--exit-command") }
            settings.exitCommand = command
        }
        if flags[stopTimeout] != nil { settings.stopTimeout = flags.count(stopTimeout) }
        try readLog(flags, into: &settings)
        if settings.logDriver.isFile, settings.logPath == nil {
            settings.logPath = try invocation.stateDirectory().path(of: settings.id) + "/container.log"
        }
        return settings
    }

    private static func checkOthers(_ flags: FlagValues) throws(Failure) {
        guard flags.has(Flags.detach) else {
            throw Failure(
                .usage, "needs --detach: in the foreground gantry itself stays with the container",
                at: "--supervise")
        }
        if let socket = flags[Flags.consoleSocket], !socket.isEmpty {
            throw Failure(
                .usage, "cannot be used with --supervise, which keeps the terminal for `gantry attach`",
                at: "--console-socket")
        }
        if flags.count(Flags.preserveFDs) > 0 {
            throw Failure(
                .usage, "cannot be used with --supervise: no restart could hand the descriptors on again",
                at: "--preserve-fds")
        }
        if SocketActivation.count() > 0 {
            throw Failure(
                .usage, "cannot be used with --supervise: no restart could hand the sockets on again",
                at: "LISTEN_FDS")
        }
    }

    private static func readLog(
        _ flags: FlagValues, into settings: inout SupervisionSettings
    ) throws(Failure) {
        if let name = flags[logDriver], let driver = SupervisionSettings.LogDriver(rawValue: name) {
            settings.logDriver = driver
        }
        try checkDriver(settings, flags)
        if let path = flags[logPath] {
            if path.isEmpty || path.utf8.last == UInt8(ascii: "/") {
                throw Failure(.usage, "\"\(path)\" must be the path of a file", at: "--log-path")
            }
            settings.logPath = try Paths.absolute(path)
        }
        if let text = flags[logMaxSize] { settings.logMaxSize = try size(text, logMaxSize) }
        if flags[logMaxFiles] != nil {
            settings.logMaxFiles = flags.count(logMaxFiles)
            guard settings.logMaxFiles > 0 else {
                throw Failure(.usage, "must be at least 1", at: "--log-max-files")
            }
            guard settings.logMaxSize != nil else {
                throw Failure(.usage, "needs --log-max-size", at: "--log-max-files")
            }
        }
        settings.logTag = flags[logTag]
        for label in flags.all(logLabel) { try add(label, to: &settings) }
        if let name = flags[logOverflow], let overflow = SupervisionSettings.Overflow(rawValue: name) {
            settings.logOverflow = overflow
        }
        if let text = flags[logRateLimit] { settings.logRateLimit = try size(text, logRateLimit) }
        settings.logSync = flags.has(logSync)
    }

    /// What a driver has no use for is refused, not ignored.
    private static func checkDriver(
        _ settings: SupervisionSettings, _ flags: FlagValues
    ) throws(Failure) {
        let driver = settings.logDriver
        func refuse(_ list: [Flag], _ reason: String) throws(Failure) {
            for flag in list where flags[flag] != nil {
                throw Failure(.usage, "the log driver \(driver.rawValue) \(reason)", at: "--" + flag.name)
            }
        }
        if !driver.isFile { try refuse([logPath, logMaxSize, logMaxFiles, logSync], "writes no file") }
        switch driver {
        case .k8sFile: try refuse([logTag, logLabel], "has no place for it")
        case .jsonFile: break
        case .journald:
            guard clinux_exists(SupervisionFlags.journalSocket) == 0 else {
                throw Failure(
                    .unsupported, "journald needs systemd's journal: \(journalSocket) is not there",
                    at: "--log-driver")
            }
        case .none: try refuse([logTag, logLabel, logOverflow, logRateLimit], "logs nothing")
        case .passthrough:
            try refuse([logTag, logLabel, logOverflow, logRateLimit], "does not see the output")
            try refuse([stdin], "leaves the container the caller's standard input")
            guard settings.restart == .no else {
                throw Failure(
                    .usage,
                    "cannot be used with --log-driver passthrough: no restart could hand the caller's"
                        + " streams on again", at: "--restart")
            }
        }
    }

    private static let journalSocket = "/run/systemd/journal/socket"

    private static func size(_ text: String, _ flag: Flag) throws(Failure) -> Int64 {
        let place = "--" + flag.name
        let size: Int64
        do throws(Failure) {
            size = try ByteCount.parse(text)
        } catch {
            throw error.located(at: place)
        }
        guard size > 0 else { throw Failure(.usage, "must be more than 0", at: place) }
        return size
    }

    private static func add(_ label: String, to settings: inout SupervisionSettings) throws(Failure) {
        guard let equals = label.utf8.firstIndex(of: UInt8(ascii: "=")), equals != label.utf8.startIndex
        else {
            throw Failure(.usage, "\"\(label)\" must be KEY=VALUE", at: "--log-label")
        }
        let key = String(label[..<equals])
        let value = String(label[label.utf8.index(after: equals)...])
        // As with every flag the last one counts.
        settings.logLabels.removeAll { $0.key.utf8.elementsEqual(key.utf8) }
        settings.logLabels.append((key: key, value: value))
    }
}
