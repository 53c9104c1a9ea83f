internal import Diagnostics

/// `gantry help`, `gantry help COMMAND` and `--help`, rendered from the tables.
enum Help {
    @Sendable static func run(_ invocation: Invocation) throws(Failure) -> CInt {
        if invocation.flags.has(Flags.manual) {
            try Output.standard(ManualPage.text())
            return 0
        }
        guard let name = invocation.positionals.first else {
            try Output.standard(overview())
            return 0
        }
        guard let command = CommandTable.command(named: name) else {
            invocation.log.error(UsageError.unknownCommand(name).description)
            return Gantry.unknownCommandCode
        }
        try Output.standard(text(of: command))
        return 0
    }

    /// What `gantry` alone prints.
    static func overview() -> String {
        let commands = CommandTable.all.map { command in
            [
                "  " + command.name,
                command.action == nil ? command.summary + " (not supported yet)" : command.summary,
            ]
        }
        return """
            gantry \(Version.number): runs OCI containers on Linux

            Usage:
              gantry [global flags] COMMAND [flags] [arguments]

            Commands:
            \(TextTable.render(commands, minimumWidth: 0, gap: 3))
            Global flags, which go before the command:
            \(table(of: Flags.globals))
            A first container, from a bundle (a directory with config.json and a root
            filesystem):
              gantry run --bundle ./hello hello

            Exit status:
              0    done
              1    gantry failed, or the command line is wrong; exec: 255
              3    the command is not known
              run gives the exit status of the container's process.

            `gantry help COMMAND` explains a command.

            """
    }

    /// Everything about one command.
    static func text(of command: Command) -> String {
        if command.action == nil {
            return "gantry \(command.name): \(command.summary) (not supported yet)\n"
        }
        var text = "gantry \(command.name): \(command.summary)\n\nUsage:\n  \(usage(of: command))\n"
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        text += "\nFlags:\n" + table(of: command.flags + [Flags.help])
        let examples = command.examples.map { ["  gantry " + $0.line, $0.meaning] }
        if !examples.isEmpty {
            text += "\nExamples:\n" + TextTable.render(examples, minimumWidth: 0, gap: 3)
        }
        return text + "\nExit status:\n" + TextTable.render(exitCodes(of: command), minimumWidth: 0, gap: 3)
    }

    /// The synopsis: `gantry kill [flags] ID [SIGNAL]`.
    static func usage(of command: Command) -> String {
        let flags = command.flags.isEmpty ? "" : " [flags]"
        return "gantry \(command.name)\(flags)\(command.arguments.isEmpty ? "" : " ")\(command.arguments)"
    }

    private static func exitCodes(of command: Command) -> [[String]] {
        let own = command.exitCodes.map { ["  " + $0.code, $0.meaning] }
        return (own.isEmpty ? [["  0", "done"]] : own)
            + [["  \(command.failureCode)", "gantry failed, or the command line is wrong"]]
    }

    /// Flags and what they mean; the meaning goes below a flag that is too long to stand beside it.
    private static func table(of flags: [Flag]) -> String {
        let column = 30
        var text = ""
        for flag in flags {
            let short = flag.short.map { "-\($0), " } ?? "    "
            let spelling = "  \(short)--\(flag.name)" + (flag.isToggle ? "" : " \(flag.placeholder)")
            let length = spelling.utf8.count
            text += spelling
            text += length + 2 > column ? "\n" : ""
            text += String(repeating: " ", count: length + 2 > column ? column : column - length)
            text += flag.help + "\n"
        }
        return text
    }
}
