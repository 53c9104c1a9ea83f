// Commands that speak to a container's supervisor.
extension CommandTable {
    static let supervising = [
        Command(
            name: "stop", summary: "End containers: ask first, then kill", arguments: "ID...",
            count: 1...Int.max, flags: [Flags.stopTime, Flags.stopSignal, Flags.stateDir],
            details: """
                Sends the container's stop signal to its first process, and kills all of it
                when it has not ended after some seconds. Returns when it has ended and, of a
                supervised one, its exit code is kept; no restart policy runs it again. The
                signal is --signal, else what the annotation
                org.opencontainers.image.stopSignal in config.json says, else TERM. One that
                is paused goes on, so that it can obey.
                """,
            examples: [
                ("stop web", "ten seconds to end"),
                ("stop --time 60 --signal QUIT web", "more time, another signal"),
                ("stop --time 0 web db", "kill both at once"),
            ],
            action: SupervisionCommands.stop),
        Command(
            name: "restart", summary: "Stop supervised containers and run them again", arguments: "ID...",
            count: 1...Int.max, flags: [Flags.stopTime, Flags.stopSignal, Flags.stateDir],
            details: """
                Stops each container as `gantry stop` does and runs it again in the same
                bundle, as config.json is now, with what it has written before. Returns when
                its program runs. One that has stopped is run, too.
                """,
            examples: [("restart web", "once more")], action: SupervisionCommands.restart),
        Command(
            name: "wait", summary: "Wait for the end of containers and print their exit codes",
            arguments: "ID...", count: 1...Int.max, flags: [Flags.waitExec, Flags.stateDir],
            details: """
                Waits until each supervised container has ended for good: no restart policy
                runs it again. Prints its exit code, a line each; 128 and the number of a
                signal that killed it. One that ended long ago is no different.
                """,
            examples: [
                ("wait web", "its exit code"),
                ("wait --exec 4711 web", "that of a process that `gantry exec` started"),
            ],
            action: SupervisionCommands.wait),
        Command(
            name: "attach", summary: "See what a supervised container prints, and type into it",
            arguments: "ID", count: 1...1,
            flags: [
                Flags.noStdin, Flags.keepStdinOpen, Flags.detachKeys, Flags.sigProxy, Flags.stateDir,
            ],
            details: """
                Shows from now on what the container prints, and passes what is typed to its
                terminal, or to its standard input if it was run with --stdin. Several may do
                so at once. On a terminal Ctrl-P Ctrl-Q leaves the container as it is. The end
                of standard input closes the container's, too, for all, unless
                --keep-stdin-open is given. Without a terminal, signals are passed on.

                A restart policy may run the container again meanwhile; attach goes on.
                """,
            examples: [
                ("attach web", "see it, and type"),
                ("attach --no-stdin web", "see it"),
                ("attach --detach-keys ctrl-x,x web", "leave it by other keys"),
            ],
            exitCodes: [
                ("N", "what the container's process exited with"), ("0", "it was left as it is"),
            ], action: SupervisionCommands.attach),
    ]

    /// What keepers call; in no list.
    static let supervisor = [
        Command(
            name: "supervise", summary: "Supervise a container", arguments: "ID", count: 1...1,
            flags: [Flags.stateDir], details: "For keepers, which call it.",
            action: SupervisionCommands.supervise)
    ]
}
