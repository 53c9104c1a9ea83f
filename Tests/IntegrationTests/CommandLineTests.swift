import Foundation
import Testing

/// The command line as engines and people meet it. What needs no container needs no root either.
@Suite(.enabled(if: Machine.hasBinary, "bin/gantry is missing: run scripts/build"))
struct CommandLineTests {
    private func run(_ program: String, _ words: [String]) async throws -> Outcome {
        let directory = try TemporaryDirectory("cli")
        defer { directory.remove() }
        return try await Command.run(program, ["--root", directory.path + "/state"] + words)
    }

    private func gantry(_ words: String...) async throws -> Outcome {
        try await run(Machine.gantry, words)
    }

    /// runc of Debian 12 is the oracle.
    @Test(
        .enabled(if: Machine.runc != nil && Machine.isRoot, "runc is missing, or no root"),
        arguments: [
            "", "-h", "--help", "-v", "--version", "help", "help kill", "help nope", "kill --help",
            "kill -h", "run -h",
            "foo", "--foo", "-foo list", "--log", "--log-format xml list", "--debug=x list", "-debug list",
            "--debug=0 list", "--log /nonexistent/log list", "--rootless=true list", "--rootless false list",
            "--systemd-cgroup=false list", "list", "list --foo", "list -f", "list -f xml", "list -f json",
            "list --format=table", "list -q", "list -fq", "list --quiet=maybe", "list extra", "state",
            "state a b",
            "state nope", "state -- nope", "state -- nope --x", "start", "start nope", "start -x nope",
            "kill", "kill nope",
            "kill nope KILL", "kill nope FOO", "kill nope 9 --all", "kill -a nope 9", "kill nope 9 x",
            "delete",
            "delete nope", "delete -f nope", "delete nope --force", "delete --force=false nope", "create",
            "create -b",
            "create -b /nonexistent x", "create --preserve-fds x a", "run", "run -b /nonexistent x",
            "exec nope true",
        ])
    func exitCodesAreRuncs(line: String) async throws {
        let words = line.split(separator: " ").map(String.init)
        let ours = try await run(Machine.gantry, words)
        let theirs = try await run(Machine.runc!, words)
        #expect(ours.code == theirs.code, "\(ours)\n\(theirs)")
        // Debug records are on standard error, too.
        #expect(ours.code != 0 || ours.stderr.isEmpty || line.contains("debug"), "\(ours)")
        #expect(ours.code == 0 || !ours.stderr.isEmpty, "\(ours)")
    }

    @Test func versionIsWhatEnginesParse() async throws {
        let lines = try await gantry("--version").lines
        #expect(try #require(lines.first).hasPrefix("gantry version "))
        for (line, key) in zip(lines.dropFirst(), ["commit: ", "spec: ", "libseccomp: "]) {
            #expect(line.hasPrefix(key) && line.utf8.count > key.utf8.count, "\(line)")
        }
        #expect(lines.count == 4)
    }

    @Test func whatIsNotThereYetSaysSo() async throws {
        let commands = try await gantry("help").lines.prefix { !$0.hasPrefix("Global flags") }
            .filter { $0.hasSuffix("(not supported yet)") }.map { $0.split(separator: " ")[0] }.map(
                String.init)
        #expect(commands.contains("checkpoint"))
        for command in commands {
            for words in [[command, "x"], [command, "--help"]] {
                let outcome = try await run(Machine.gantry, words)
                #expect(outcome.code == 1, "\(outcome)")
                #expect(outcome.stderr == "gantry: \(command): not supported yet\n")
                #expect(outcome.stdout.isEmpty)
            }
        }
    }

    /// Engines pass it before every command; only making a container depends on it.
    @Test func contradictoryCgroupManagersAreRefusedWhenAContainerIsMade() async throws {
        let globals = ["--systemd-cgroup", "--cgroup-manager", "disabled"]
        for command in ["create", "run"] {
            let outcome = try await run(Machine.gantry, globals + [command, "x"])
            #expect(outcome.code == 1)
            #expect(
                outcome.stderr.hasPrefix("gantry: --systemd-cgroup: contradicts --cgroup-manager"),
                "\(outcome)")
        }
        let other = try await run(Machine.gantry, globals + ["delete", "--force", "nope"])
        #expect(other.code == 0, "\(other)")
    }

    /// A log file must not become standard error because its number was free.
    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func closedStreamsDoNoHarm(redirection: String) async throws {
        let directory = try TemporaryDirectory("streams")
        defer { directory.remove() }
        let log = directory.path + "/log"
        let outcome = try await Command.run(
            "/bin/bash", ["-c", "\(Machine.gantry) --log \(log) --log-format json kill x FOO \(redirection)"])
        #expect(outcome.code == 1)
        let text = try String(contentsOfFile: log, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 1 && text.hasPrefix("{\"level\":\"error\","), "\(text)")
    }

    @Test func anArgumentThatIsNotUTF8IsRefused() async throws {
        let outcome = try await Command.run("/bin/bash", ["-c", "\(Machine.gantry) state $'a\\xff'"])
        #expect(outcome.code == 1)
        // GANTRY is a script that has added one.
        let number = Machine.usesSystemd ? 3 : 2
        #expect(outcome.stderr == "gantry: argument \(number) of the command line is not valid UTF-8\n")
    }
}

/// `--log` as containerd and Podman read it.
@Suite(.enabled(if: Machine.hasBinary, "bin/gantry is missing: run scripts/build"))
struct LogTests {
    /// Runs gantry with a log file in a new directory.
    private func gantry(
        _ words: String..., globals: [String] = ["--log-format", "json"], times: Int = 1
    ) async throws -> (outcome: Outcome, log: String, mode: Int) {
        let directory = try TemporaryDirectory("log")
        defer { directory.remove() }
        let file = directory.path + "/log"
        var outcome: Outcome?
        for _ in 0..<times {
            outcome = try await Command.run(
                Machine.gantry, ["--root", directory.path + "/state", "--log", file] + globals + words)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        return (outcome!, try String(contentsOfFile: file, encoding: .utf8), mode ?? 0)
    }

    @Test func anErrorIsOneObject() async throws {
        let (outcome, log, mode) = try await gantry("state", "nope")
        let object = try JSONSerialization.jsonObject(with: Data(log.utf8)) as? [String: String]
        #expect(object.map { Set($0.keys) } == ["level", "msg", "time"])
        #expect(object?["level"] == "error")
        #expect(object?["msg"] == "container does not exist")
        #expect(ISO8601DateFormatter().date(from: object?["time"] ?? "") != nil)
        #expect(outcome.stderr == "gantry: container does not exist\n")
        #expect(outcome.code == 1)
        #expect(mode == 0o644)
    }

    @Test func aWrongCommandLineIsLoggedToo() async throws {
        let (outcome, log, _) = try await gantry("list", "--foo")
        let object = try JSONSerialization.jsonObject(with: Data(log.utf8)) as? [String: String]
        #expect(object?["msg"] == "flag provided but not defined: -foo")
        #expect(outcome.stderr.hasPrefix("gantry: flag provided but not defined: -foo\nIncorrect Usage."))
    }

    @Test func aSuccessLeavesAnEmptyFile() async throws {
        let (outcome, log, _) = try await gantry("list")
        #expect(outcome.code == 0)
        #expect(log.isEmpty)
    }

    @Test func recordsAreAppended() async throws {
        let (_, log, _) = try await gantry("state", "nope", times: 3)
        #expect(log.split(separator: "\n").count == 3)
    }

    @Test func textHasTheFormOfRuncs() async throws {
        let (_, log, _) = try await gantry("state", "nope", globals: [])
        #expect(
            log.wholeMatch(of: /time="[0-9TZ:+-]{20,}" level=error msg="container does not exist"\n/) != nil)
    }

    @Test(arguments: [["--debug"], ["--log-level", "debug"]])
    func debugRecordsAreThereWhenAskedFor(globals: [String]) async throws {
        let (outcome, log, _) = try await gantry("state", "nope", globals: globals + ["--log-format=json"])
        let levels = try log.split(separator: "\n").map { line in
            try (JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])?["level"]
        }
        #expect(levels.contains("debug") && levels.contains("error"))
        #expect(outcome.stderr == "gantry: container does not exist\n")
    }

    @Test func withoutAFileJSONGoesToStderr() async throws {
        let outcome = try await Command.run(Machine.gantry, ["--log-format", "json", "list", "--foo"])
        let object = try JSONSerialization.jsonObject(with: Data(outcome.stderr.utf8)) as? [String: String]
        #expect(object?["msg"] == "flag provided but not defined: -foo")
    }
}
