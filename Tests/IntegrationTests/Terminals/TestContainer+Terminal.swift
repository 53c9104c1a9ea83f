import Foundation
import Testing

extension TestContainer {
    /// A container whose process has a terminal.
    static func withTerminal<Value>(
        _ script: String, _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        try await with { container in
            try container.setScript(script)
            try container.set("process.terminal", true)
            return try await body(container)
        }
    }

    /// `gantry run` in the foreground, as words of a command line.
    func runWords(_ flags: String...) -> [String] {
        [Machine.gantry, "--root", root, "run", "--bundle", bundle] + flags + [id]
    }

    /// `gantry exec -t`, likewise.
    func execWords(_ words: String...) -> [String] {
        [Machine.gantry, "--root", root, "exec", "-t", id] + words
    }

    /// `gantry run` with somebody before its terminal.
    func runOnTerminal(rows: UInt16 = 24, columns: UInt16 = 80) throws -> Terminal {
        try Terminal(runWords(), rows: rows, columns: columns)
    }
}
