import Diagnostics
import Testing

@testable import Commands

/// The expectations are what Debian 12's runc does with the same words.
@Suite struct ParserTests {
    private let flags = [Flags.bundle, Flags.force, Flags.preserveFDs, Flags.format, Flags.noSubreaper]

    private func parse(
        _ words: [String], _ order: Parser.Order = .mixed
    ) throws -> (values: FlagValues, positionals: [String], next: Int) {
        var parser = Parser(words, from: 0, flags: flags)
        let next = try parser.parse(order)
        return (parser.values, parser.positionals, next)
    }

    private func message(_ words: [String]) -> String? {
        do {
            _ = try parse(words)
            return nil
        } catch {
            return (error as? Failure)?.description
        }
    }

    @Test(arguments: [
        ["--bundle", "/b", "id"], ["--bundle=/b", "id"], ["-bundle", "/b", "id"], ["-bundle=/b", "id"],
        ["-b", "/b", "id"], ["-b=/b", "id"], ["--b", "/b", "id"], ["id", "-b", "/b"], ["id", "--bundle=/b"],
        ["-b", "/other", "--bundle", "/b", "id"],
    ])
    func spellingsOfAFlag(words: [String]) throws {
        let parsed = try parse(words)
        #expect(parsed.values[Flags.bundle] == "/b")
        #expect(parsed.positionals == ["id"])
    }

    @Test(arguments: [
        (["--force"], true), (["-f"], true), (["--force=true"], true), (["-f=1"], true),
        (["--force=T"], true),
        (["--force=false"], false), (["-force=0"], false), ([], false), (["-f", "--force=false"], false),
    ])
    func toggles(words: [String], isOn: Bool) throws {
        // Without format, whose short name is -f as well.
        var parser = Parser(words, from: 0, flags: [Flags.force])
        _ = try parser.parse(.mixed)
        #expect(parser.values.has(Flags.force) == isOn)
    }

    @Test func aToggleDoesNotTakeTheNextWord() throws {
        let parsed = try parse(["--no-subreaper", "false"])
        #expect(parsed.values.has(Flags.noSubreaper))
        #expect(parsed.positionals == ["false"])
    }

    @Test func containerdsSingleDashIsUnderstood() throws {
        #expect(try parse(["-no-subreaper", "id"]).values.has(Flags.noSubreaper))
    }

    @Test func twoDashesEndTheFlags() throws {
        let parsed = try parse(["--force", "--", "id", "--force=false", "--", "-x"])
        #expect(parsed.values.has(Flags.force))
        #expect(parsed.positionals == ["id", "--force=false", "--", "-x"])
    }

    @Test func aLoneDashIsAValue() throws {
        let parsed = try parse(["-b", "-", "-"])
        #expect(parsed.values[Flags.bundle] == "-")
        #expect(parsed.positionals == ["-"])
    }

    @Test func aValueMayBeginWithADash() throws {
        #expect(try parse(["--bundle", "--force"]).values[Flags.bundle] == "--force")
    }

    @Test func anEmptyValueIsAValue() throws {
        #expect(try parse(["--bundle="]).values[Flags.bundle] == "")
        #expect(try parse(["--bundle", ""]).values[Flags.bundle] == "")
        #expect(try parse(["--bundle=a=b"]).values[Flags.bundle] == "a=b")
    }

    @Test func flagsFirstStopsAtTheFirstPositional() throws {
        let parsed = try parse(["--force", "exec", "--unknown"], .flagsFirst)
        #expect(parsed.values.has(Flags.force))
        #expect(parsed.next == 1)
        #expect(try parse(["--", "exec"], .flagsFirst).next == 1)
    }

    @Test(arguments: [
        (["--foo"], "flag provided but not defined: -foo"),
        (["-foo=1"], "flag provided but not defined: -foo"),
        (["-fb"], "flag provided but not defined: -fb"), (["id", "-9"], "flag provided but not defined: -9"),
        (["--bundle"], "flag needs an argument: -bundle"), (["-b"], "flag needs an argument: -b"),
        (["--force=maybe"], "invalid boolean value \"maybe\" for -force: parse error"),
        (["--preserve-fds", "x"], "invalid value \"x\" for flag -preserve-fds: parse error"),
        (["--preserve-fds", ""], "invalid value \"\" for flag -preserve-fds: parse error"),
        (["--preserve-fds=-1"], "invalid value \"-1\" for flag -preserve-fds: parse error"),
        (["--preserve-fds=4294967296"], "invalid value \"4294967296\" for flag -preserve-fds: parse error"),
        (["--format", "xml"], "invalid value \"xml\" for flag -format: must be table or json"),
        (["---force"], "bad flag syntax: ---force"), (["--=x"], "bad flag syntax: --=x"),
    ])
    func errors(words: [String], expected: String) {
        #expect(message(words) == expected)
    }

    @Test func countsAreNumbers() throws {
        #expect(try parse(["--preserve-fds", "3"]).values.count(Flags.preserveFDs) == 3)
        #expect(try parse([]).values.count(Flags.preserveFDs) == 0)
    }
}
