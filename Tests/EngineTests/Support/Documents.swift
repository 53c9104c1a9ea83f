import Foundation

/// What README.md tells people to write into an engine's configuration.
enum Readme {
    private static let text =
        (try? String(contentsOfFile: Machine.repository + "/README.md", encoding: .utf8)) ?? ""

    /// The code block after the line that names the file in bold: **`FILE`**.
    static func block(_ file: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let title = lines.firstIndex(where: { $0.contains("**`\(file)`**") }),
            let start = lines[title...].firstIndex(where: { $0.hasPrefix("```") }),
            let end = lines[(start + 1)...].firstIndex(where: { $0.hasPrefix("```") })
        else { fatalError("README.md has no code block for \(file)") }
        return lines[(start + 1)..<end].joined(separator: "\n") + "\n"
    }

    /// The command lines that begin with the program.
    static func commands(of program: String) -> [[String]] {
        text.split(separator: "\n").filter { $0.hasPrefix("    \(program) ") }
            .map { $0.split(separator: " ").map(String.init) }
    }
}

/// The rows of spec/engines.md: what engines call and parse.
enum Contract {
    static let rows: [String: String] = {
        let path = Machine.repository + "/spec/engines.md"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        var rows: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            rows[cells[0].replacing("`", with: "")] = cells.dropFirst().joined(separator: ": ")
        }
        return rows
    }()
}
