internal import Diagnostics
internal import JSON
internal import Linux
internal import Runtime

/// `gantry ps`: the processes of a container.
enum ProcessCommands {
    @Sendable static func ps(_ invocation: Invocation) throws(Failure) -> CInt {
        let pids = try Operations.processes(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot())
        if invocation.flags[Flags.format] == "json" {
            try Output.standard(json(pids))
            return 0
        }
        let given = invocation.positionals.dropFirst()
        let (text, code) = try HostProgram.output(of: ["ps"] + (given.isEmpty ? ["-ef"] : Array(given)))
        let output = String(decoding: text, as: UTF8.self)
        guard code == 0 else {
            // Several lines would be several records to whoever reads the log.
            let lines = output.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
            let said = lines.joined(separator: "; ")
            throw Failure(.system, said.isEmpty ? "failed with exit code \(code)" : said, at: "ps")
        }
        try Output.standard(try rows(of: output, only: pids))
        return 0
    }

    static func json(_ pids: [Int32]) -> String {
        var json = JSONWriter(.compact)
        json.beginArray()
        for pid in pids { json.value(pid) }
        json.endArray()
        return json.text + "\n"
    }

    /// The heading of a table of ps(1), and its rows about some processes.
    static func rows(of table: String, only pids: [Int32]) throws(Failure) -> String {
        let lines = table.utf8.split(separator: UInt8(ascii: "\n"))
        guard let heading = lines.first,
            let column = words(heading).firstIndex(where: { $0.elementsEqual("PID".utf8) })
        else {
            throw Failure(.usage, "couldn't find PID field in ps output", at: "ps")
        }
        var text = String(Substring(heading)) + "\n"
        for line in lines.dropFirst() {
            let cells = words(line)
            guard column < cells.count, let pid = Int32(String(Substring(cells[column]))) else {
                throw Failure(
                    .usage,
                    "no pid in column \(column + 1) of \"\(Substring(line))\"; PID must stand before"
                        + " columns with spaces in them", at: "ps")
            }
            if pids.contains(pid) { text += String(Substring(line)) + "\n" }
        }
        return text
    }

    private static func words(_ line: Substring.UTF8View) -> [Substring.UTF8View] {
        line.split(separator: UInt8(ascii: " "))
    }
}
