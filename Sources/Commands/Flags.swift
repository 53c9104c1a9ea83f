internal import Store

/// Every flag that gantry knows, each once. `CommandTable` says which command takes which.
enum Flags {
    static let help = Flag("help", "h", .toggle, "Show help and exit")

    // Before the command.
    static let version = Flag("version", "v", .toggle, "Show gantry's version and exit")
    static let debug = Flag("debug", nil, .toggle, "Log what gantry does, not errors alone")
    static let log = Flag("log", nil, .text("FILE"), "Append errors to FILE too, not to stderr alone")
    static let logFormat = Flag(
        "log-format", nil, .choice(["text", "json"]), "Format of the log (default: text)")
    static let logLevel = Flag(
        "log-level", nil, .choice(["error", "warning", "info", "debug"]),
        "Least severe record to log; debug is --debug (default: error)")
    static let root = Flag(
        "root", nil, .text("DIR"),
        "Keep state in DIR (default: /run/gantry, or $XDG_RUNTIME_DIR/gantry)")
    static let stateDir = Flag(
        "state-dir", nil, .text("DIR"),
        "Keep logs of supervised containers in DIR (default: /var/lib/gantry)")
    static let systemdCgroup = Flag(
        "systemd-cgroup", nil, .toggle, "Let systemd make the cgroups: --cgroup-manager systemd")
    static let cgroupManager = Flag(
        "cgroup-manager", nil, .choice(CgroupManager.allCases.map { $0.rawValue }),
        "Who makes the cgroups (default: cgroupfs)")
    static let rootless = Flag(
        "rootless", nil, .choice(["true", "false", "auto"]),
        "Accepted for engines and not needed")
    static let globals = [
        debug, log, logFormat, logLevel, root, stateDir, systemdCgroup, cgroupManager, rootless, help,
        version,
    ]

    // Making a container.
    static let bundle = Flag(
        "bundle", "b", .text("DIR"), "Directory that holds config.json (default: the current one)")
    static let consoleSocket = Flag(
        "console-socket", nil, .text("SOCKET"),
        "Unix socket that gets the terminal of a process left to itself")
    static let pidFile = Flag("pid-file", nil, .text("FILE"), "Write the process id of the container to FILE")
    static let pidfdSocket = Flag(
        "pidfd-socket", nil, .text("SOCKET"), "Socket that gets a pidfd of the process")
    static let noPivot = Flag(
        "no-pivot", nil, .toggle, "Do not use pivot_root; for a rootfs on a ramdisk")
    static let noNewKeyring = Flag("no-new-keyring", nil, .toggle, "Keep the caller's session keyring")
    static let preserveFDs = Flag(
        "preserve-fds", nil, .count("N"), "Hand N descriptors from 3 on to the container (default: 0)")
    static let detach = Flag("detach", "d", .toggle, "Do not wait for the container")
    static let detachTolerated = Flag(
        "detach", "d", .toggle, "Accepted for engines; create never waits for the container")
    static let keep = Flag("keep", nil, .toggle, "Do not delete the container once it has stopped")
    static let noSubreaper = Flag(
        "no-subreaper", nil, .toggle, "Do not adopt orphans of the container")
    static let initProcess = Flag(
        "init", nil, .toggle, "Run under an init of gantry's that forwards signals and reaps zombies")
    static let creating = [
        bundle, consoleSocket, pidFile, pidfdSocket, initProcess, noPivot, noNewKeyring, preserveFDs,
    ]

    // One more process.
    static let cwd = Flag("cwd", nil, .text("DIR"), "Working directory in the container")
    static let env = Flag("env", "e", .text("NAME=VALUE"), "Add to the environment; may be repeated")
    static let tty = Flag("tty", "t", .toggle, "Give the process a terminal")
    static let user = Flag(
        "user", "u", .text("UID[:GID]"), "User and group, as numbers (without GID: group 0)")
    static let additionalGids = Flag(
        "additional-gids", "g", .text("GID"), "One more group, as a number; may be repeated")
    static let process = Flag(
        "process", "p", .text("FILE"), "Take the process from FILE: the \"process\" of a config.json")
    static let cap = Flag("cap", "c", .text("CAP"), "Add a capability, such as CAP_KILL; may be repeated")
    static let noNewPrivs = Flag("no-new-privs", nil, .toggle, "Let no exec gain privileges")
    static let processLabel = Flag("process-label", nil, .text("LABEL"), "SELinux label of the process")
    static let apparmor = Flag("apparmor", nil, .text("PROFILE"), "AppArmor profile of the process")
    static let ignorePaused = Flag(
        "ignore-paused", nil, .toggle, "Go on with a paused container; the process runs when it is resumed")
    static let execCgroup = Flag(
        "cgroup", nil, .text("[CONTROLLERS:]PATH"),
        "Run in this cgroup below the container's; may be repeated")
    static let executing = [
        cwd, env, tty, user, additionalGids, process, detach, pidFile, consoleSocket, pidfdSocket,
        processLabel,
        apparmor, noNewPrivs, cap, preserveFDs, execCgroup, ignorePaused,
    ]

    // Supervised containers.
    static let stopTime = Flag(
        "time", "t", .text("SECONDS"), "Kill it after so many seconds; -1: never (default: 10)")
    static let stopSignal = Flag("signal", "s", .text("SIGNAL"), "Signal that asks it to end")
    static let waitExec = Flag("exec", nil, .text("PID"), "Wait for a process that `gantry exec` started")
    static let noStdin = Flag("no-stdin", nil, .toggle, "Pass nothing to the container's standard input")
    static let keepStdinOpen = Flag(
        "keep-stdin-open", nil, .toggle, "Leave the container's standard input open when ours ends")
    static let detachKeys = Flag(
        "detach-keys", nil, .text("KEYS"), "Keys that leave the container (default: ctrl-p,ctrl-q)")
    static let sigProxy = Flag(
        "sig-proxy", nil, .toggle, "Pass signals to the container's process (default: true)")

    // The other commands.
    static let manual = Flag("man", nil, .toggle, "Print the manual page gantry(1), for man(1)")
    static let interval = Flag(
        "interval", nil, .text("TIME"), "Time between two documents: 500ms, 1m30s … (default: 5s)")
    static let stats = Flag("stats", nil, .toggle, "Print one document and exit")
    static let resources = Flag(
        "resources", "r", .text("FILE"), "Read the limits from FILE, or with - from standard input")
    static let specBundle = Flag(
        "bundle", "b", .text("DIR"), "Directory to write config.json to (default: the current one)")
    static let rootlessSpec = Flag(
        "rootless", nil, .toggle, "For a user other than root: with a user namespace for the caller")
    static let killAll = Flag(
        "all", "a", .toggle, "Signal every process of the container, not its first alone")
    static let force = Flag(
        "force", "f", .toggle, "Kill the container first if it runs; no error if there is none")
    static let format = Flag("format", "f", .choice(["table", "json"]), "Output format (default: table)")
    static let quiet = Flag("quiet", "q", .toggle, "Print the IDs alone")
    static let json = Flag("json", nil, .toggle, "Print JSON")
}
