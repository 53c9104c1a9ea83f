/// Every command, in the order in which help shows them. Parsing, help and errors all come from these rows.
enum CommandTable {
    static let all: [Command] = making + using + supervising + looking + others

    /// Looks through the parts in turn: those behind the command are not even made.
    static func command(named name: String) -> Command? {
        func find(_ part: [Command]) -> Command? { part.first { $0.name.utf8.elementsEqual(name.utf8) } }
        return find(making) ?? find(using) ?? find(looking) ?? find(supervising) ?? find(others) ?? find(
            hidden)
            ?? find(supervisor)
    }

    /// What gantry calls itself; in no list.
    private static let hidden = [
        Command(
            name: "relaunch", summary: "Run a supervised container that has ended again", arguments: "ID",
            count: 1...1, flags: [Flags.stateDir],
            details: "For supervisors, which call it.", action: CreateCommand.relaunch)
    ]

    private static let containerExit: [(code: String, meaning: String)] = [
        ("N", "what the container's process exited with (with --detach: 0)"),
        ("128+N", "it was killed by signal N"),
    ]

    private static let making = [
        Command(
            name: "run", summary: "Create a container, start it and wait for it", arguments: "ID",
            count: 1...1,
            flags: Flags.creating + [Flags.detach, Flags.keep, Flags.noSubreaper] + SupervisionFlags.all,
            details: """
                Makes a container from a bundle and runs process.args of its config.json in
                it. A bundle is a directory that holds config.json and the container's root
                filesystem. ID is a name of your choice, unique on this host: letters,
                digits and "_+-.".

                In the foreground, gantry passes signals on, waits until the process exits,
                deletes the container and exits as the process did. With --detach it returns
                as soon as the process runs; the container is then deleted with
                `gantry delete`.

                With --init the container's PID 1 is a small process of gantry's. It runs
                process.args as its child, passes signals on to it, reaps what else ends and
                exits as it does.

                With process.terminal the process has a terminal of its own. In the
                foreground every key goes there; with --detach, --console-socket says who
                gets it.
                """,
            examples: [
                ("run --bundle ./hello hello", "run the bundle in ./hello"),
                ("run -d -b ./web --pid-file web.pid web", "leave it running, its pid in web.pid"),
            ],
            exitCodes: containerExit, action: CreateCommand.run),
        Command(
            name: "create", summary: "Create a container without starting its process", arguments: "ID",
            count: 1...1, flags: Flags.creating + [Flags.detachTolerated],
            details: """
                Makes everything that the container's process will find: namespaces, cgroups,
                mounts, devices and limits. The process itself waits until `gantry start`.
                What goes wrong with the configuration, a missing executable among it, is
                told here.
                """,
            examples: [
                ("create --bundle ./web web", "make the container"),
                ("start web", "run its process"),
            ],
            action: CreateCommand.create),
        Command(
            name: "start", summary: "Run the process of a created container", arguments: "ID", count: 1...1,
            details: """
                Lets the process of a container that `gantry create` made run, and returns
                once it does. A container is started once: what has stopped is deleted and
                created anew. When a startContainer or poststart hook fails the container is
                killed and deleted.
                """,
            examples: [("start web", "start the container")], action: LifecycleCommands.start),
        Command(
            name: "plan", summary: "Show what starting a bundle would do, step by step", arguments: "[ID]",
            count: 0...1,
            flags: [
                Flags.bundle, Flags.json, Flags.initProcess, Flags.noPivot, Flags.noNewKeyring,
                Flags.preserveFDs,
            ],
            details: """
                Prints every step that a start of the bundle would take, in order, and the
                property of config.json that asks for it. Nothing is started or changed.
                """,
            examples: [
                ("plan --bundle ./web", "read the steps"),
                ("plan --bundle ./web --json", "hand them to a program"),
            ],
            action: PlanCommand.plan),
    ]

    private static let using = [
        Command(
            name: "kill", summary: "Send a signal to a container", arguments: "ID [SIGNAL]", count: 1...2,
            flags: [Flags.killAll],
            details: """
                Sends SIGNAL to the container's first process, or with --all to every process
                in it. SIGNAL is a name with or without SIG, in either case, a number, or a
                real-time signal such as RTMIN+3. Without SIGNAL it is TERM.
                """,
            examples: [
                ("kill web", "ask it to end"),
                ("kill web KILL", "end it"),
                ("kill --all web HUP", "tell every process"),
            ],
            action: LifecycleCommands.kill),
        Command(
            name: "delete", summary: "Remove a container that has stopped, or was never started",
            arguments: "ID", count: 1...1, flags: [Flags.force],
            details: """
                Removes what the container leaves on the host: its cgroups and its state. The
                bundle stays. A container that runs is refused, unless --force kills it
                first. With --force an ID that does not exist is no error. Then poststop
                hooks run; one that fails is a warning.
                """,
            examples: [
                ("delete web", "remove what has stopped"),
                ("delete --force web", "remove it in any case"),
            ],
            action: LifecycleCommands.delete),
        Command(
            name: "exec", summary: "Run one more process in a container",
            arguments: "ID COMMAND [ARGUMENT...]", count: 1...Int.max, order: .flagsFirst,
            flags: Flags.executing,
            details: """
                Runs a program in the namespaces and cgroups of a container, with its
                system-call filter. The program gets the environment, user, groups,
                capabilities and limits of the container's own process, as far as flags do
                not change them. What follows COMMAND is the program's. With --process the
                whole process comes from a file, and no COMMAND is given.

                In the foreground, gantry passes signals on and exits as the program does.
                With --tty the program has a terminal, and every key goes there; with
                --detach, --console-socket says who gets it.
                """,
            examples: [
                ("exec web ps", "run ps in the container"),
                ("exec -t web sh", "work in it"),
                ("exec -u 1000:1000 --cwd /tmp web sh -c 'id; pwd'", "as another user, elsewhere"),
                ("exec -d --process process.json --pid-file job.pid web", "as an engine does"),
            ],
            exitCodes: [
                ("N", "what the process exited with (with --detach: 0)"),
                ("128+N", "it was killed by signal N"),
            ], failureCode: 255, action: ExecCommandLine.exec),
        Command(
            name: "pause", summary: "Freeze all processes of a container", arguments: "ID", count: 1...1,
            details: """
                Stops every process of a container where it is, and returns once all have
                stopped. Signals but KILL wait until `gantry resume`.
                """,
            examples: [("pause web", "stop it for a while")], action: LifecycleCommands.pause),
        Command(
            name: "resume", summary: "Let a paused container go on", arguments: "ID", count: 1...1,
            details: """
                Lets the processes of a container that `gantry pause` stopped go on.
                """,
            examples: [("resume web", "go on")], action: LifecycleCommands.resume),
        Command(
            name: "update", summary: "Change a container's limits", arguments: "ID", count: 1...1,
            flags: [Flags.resources] + UpdateFlags.all.map { $0.flag },
            details: """
                Changes limits of a container that was created, runs or is paused: all that
                are given, or none when one of them is refused. What is not given stays.
                FILE holds a JSON document as linux.resources of config.json, - is standard
                input. Sizes may have a unit: k, m, g, t or p.
                """,
            examples: [
                ("update --memory 512m --pids-limit 100 web", "two new limits"),
                ("update --cpu-quota -1 web", "no limit of CPU time any more"),
                ("update --resources limits.json web", "from a file"),
            ],
            action: UpdateCommand.update),
    ]

    private static let looking = [
        Command(
            name: "state", summary: "Show a container's state as JSON", arguments: "ID", count: 1...1,
            details: """
                Prints the state document of the runtime-spec: id, pid (0 when stopped),
                status (creating, created, running, paused or stopped), bundle, rootfs, when
                it was created, and its annotations.
                """,
            examples: [("state web", "show it")], action: ReportCommands.state),
        Command(
            name: "list", summary: "List the containers on this host",
            flags: [Flags.format, Flags.quiet],
            details: """
                Lists the containers whose state is kept under --root, those that have
                stopped but are not deleted among them.
                """,
            examples: [
                ("list", "a table"),
                ("list --format json", "the same for a program"),
                ("list -q", "IDs alone, one a line"),
            ],
            action: ReportCommands.list),
        Command(
            name: "logs", summary: "Show what a supervised container has printed", arguments: "ID",
            count: 1...1, flags: LogsCommand.flags,
            details: """
                Prints what a container that was started with `run --supervise` has printed,
                byte by byte: its standard output to standard output, its standard error to
                standard error. It works while the container runs, after it has ended and
                over rotated files. With --follow it goes on until the container has ended for
                good. TIME without an offset is the local one.
                """,
            examples: [
                ("logs web", "all of it"),
                ("logs -f -n 10 web", "the last ten lines, and what comes"),
                ("logs --since 10m --timestamps --stderr web", "the errors of the last ten minutes"),
            ],
            action: LogsCommand.logs),
        Command(
            name: "ps", summary: "Show the processes of a container", arguments: "ID [PS-OPTION ...]",
            count: 1...Int.max, order: .flagsFirst, flags: [Flags.format],
            details: """
                Shows the processes of a container, those in cgroups of its own making among
                them. The table is made by the host's ps(1): what stands behind the ID are
                its options, instead of -ef. Its output must have a column PID.
                """,
            examples: [
                ("ps web", "a table, as of ps -ef"),
                ("ps web -o pid,rss,cmd", "other columns"),
                ("ps --format json web", "pids alone, as a JSON array"),
            ],
            action: ProcessCommands.ps),
        Command(
            name: "events", summary: "Show a container's resource use and out-of-memory kills",
            arguments: "ID", count: 1...1, flags: [Flags.interval, Flags.stats],
            details: """
                Prints what a container uses of the machine, one JSON document a line, again
                and again until it ends, and besides a document of type "oom" each time the
                kernel finds no memory for it. With --stats once.
                """,
            examples: [
                ("events --stats web", "once"),
                ("events --interval 1s web", "each second"),
            ],
            action: EventsCommand.events),
        Command(
            name: "features", summary: "Show what gantry supports, as JSON",
            details: """
                Prints the features document of the runtime-spec: which hooks, mount options,
                namespaces, capabilities and parts of a system-call filter a config.json may
                use. What is not in it is refused by this build.
                """,
            examples: [("features", "show it")], action: FeaturesCommand.features),
    ]

    private static let others = [
        Command(
            name: "spec", summary: "Write a config.json to start from",
            flags: [Flags.specBundle, Flags.rootlessSpec],
            details: """
                Writes config.json for a shell with a terminal in a read-only root filesystem
                that is expected in rootfs beside it. An existing config.json is never
                overwritten.
                """,
            examples: [
                ("spec", "write ./config.json"),
                ("spec --bundle ./web", "write ./web/config.json"),
            ],
            action: SpecCommand.spec),
        Command.pending("checkpoint", "Save a running container to disk"),
        Command.pending("restore", "Go on with a container that was saved"),
        Command(
            name: "completion", summary: "Print what a shell needs to complete gantry's words",
            arguments: "bash|zsh|fish", count: 1...1,
            details: """
                Prints a script for a shell, by which it completes commands, flags, their
                values and the IDs of containers.
                """,
            examples: [
                ("completion bash", "for `source` in ~/.bashrc"),
                ("completion zsh", "for a file _gantry in a directory of $fpath"),
                ("completion fish", "for ~/.config/fish/completions/gantry.fish"),
            ],
            action: Completion.run),
        Command(
            name: "help", summary: "Explain gantry or one of its commands", arguments: "[COMMAND]",
            count: 0...1, flags: [Flags.manual],
            examples: [("help run", "explain `gantry run`")], action: Help.run),
    ]
}
