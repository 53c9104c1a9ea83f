import Foundation
import TestSupport
import Testing

/// `completion` and the manual page, by the programs that they are for.
@Suite(
    .enabled(if: Machine.hasBinary, "the binary under test is not there: run scripts/build"),
    .timeLimit(minutes: 5))
struct ShellCompletionTests {
    private func write(_ words: [String], to path: String) async throws {
        let outcome = try await Command.run(Machine.gantry, words)
        #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
        try outcome.stdout.write(toFile: path, atomically: false, encoding: .utf8)
    }

    private func withScript(_ shell: String, _ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("completion")
        defer { directory.remove() }
        try await write(["completion", shell], to: directory.path + "/script")
        try await body(directory.path + "/script")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func syntax(shell: String) async throws {
        // Those that are not installed here are left out; scripts/test installs them.
        guard let program = Machine.find(shell) else { return }
        try await withScript(shell) { script in
            let outcome = try await Command.run(program, [shell == "fish" ? "--no-execute" : "-n", script])
            #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
        }
    }

    private static let lines: [(line: [String], words: [String])] = [
        (["st"], ["start", "state", "stop"]), (["--roo"], ["--root", "--rootless"]),
        (["--log-format", ""], ["json", "text"]), (["list", "--format", "j"], ["json"]),
        (["list", "-f", ""], ["json", "table"]), (["help", "ru"], ["run"]),
        (["completion", ""], ["bash", "fish", "zsh"]), (["--root", "/tmp", "pau"], ["pause"]),
        (["run", "--pid"], ["--pid-file", "--pidfd-socket"]), (["run", "x", ""], []),
    ]

    @Test(.enabled(if: Machine.find("bash") != nil, "bash is not installed"))
    func bash() async throws {
        try await withScript("bash") { script in
            for (line, words) in Self.lines {
                let driver =
                    "source \(script); COMP_WORDS=(gantry \"$@\"); COMP_CWORD=$#; _gantry; "
                    + "printf '%s\\n' \"${COMPREPLY[@]}\""
                let outcome = try await Command.run(Machine.find("bash")!, ["-c", driver, "bash"] + line)
                #expect(outcome.lines.sorted() == words, "\(outcome)")
            }
        }
    }

    @Test(.enabled(if: Machine.find("fish") != nil, "fish is not installed"))
    func fish() async throws {
        try await withScript("fish") { script in
            for (line, words) in Self.lines where !words.isEmpty {
                let text = (["gantry"] + line).joined(separator: " ")
                let outcome = try await Command.run(
                    Machine.find("fish")!, ["--no-config", "-c", "source \(script); complete -C '\(text)'"])
                let found = outcome.lines.map { String($0.split(separator: "\t")[0]) }
                #expect(found.sorted() == words, "\(outcome)")
            }
        }
    }

    @Test(.needsContainers, .enabled(if: Machine.find("bash") != nil, "bash is not installed"))
    func containersOfTheRootThatIsTyped() async throws {
        try await TestContainer.with { container in
            try await container.create()
            try await withScript("bash") { script in
                for root in [["--root", container.root], ["--root", "=", container.root]] {
                    let driver =
                        "source \(script); COMP_WORDS=(\(Machine.gantry) \"$@\"); COMP_CWORD=$#; _gantry; "
                        + "printf '%s\\n' \"${COMPREPLY[@]}\""
                    let outcome = try await Command.run(
                        Machine.find("bash")!, ["-c", driver, "bash"] + root + ["state", "test-"])
                    #expect(outcome.lines == [container.id], "\(outcome)")
                }
            }
        }
    }

    @Test func anotherShell() async throws {
        let outcome = try await Command.run(Machine.gantry, ["completion", "csh"])
        #expect(outcome.code == 1)
        #expect(
            outcome.stderr.hasPrefix("gantry: completion: unknown shell \"csh\"; known are "), "\(outcome)")
    }

    @Test(.enabled(if: Machine.find("groff") != nil, "groff is not installed"))
    func theManualPage() async throws {
        let directory = try TemporaryDirectory("manual")
        defer { directory.remove() }
        let page = directory.path + "/gantry.1"
        try await write(["help", "--man"], to: page)
        let outcome = try await Command.run(Machine.find("groff")!, ["-man", "-Tutf8", "-ww", page])
        #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
        #expect(outcome.stdout.contains("GANTRY(1)"))
    }
}
