import Testing

@testable import Commands

/// Rules that the table of commands must keep.
@Suite struct TableTests {
    @Test func namesAreUnique() {
        let names = CommandTable.all.map(\.name)
        #expect(Set(names).count == names.count)
        for command in CommandTable.all {
            let spellings = (command.flags + [Flags.help]).flatMap {
                [$0.name] + ($0.short.map { [$0] } ?? [])
            }
            #expect(Set(spellings).count == spellings.count, "\(command.name)")
        }
    }

    /// The words that runc, crun and the engines use.
    @Test func everyCommandOfThePeersIsKnown() {
        let words = [
            "checkpoint", "completion", "create", "delete", "events", "exec", "features", "help", "kill",
            "list", "pause",
            "plan",
            "ps", "restore", "resume", "run", "spec", "start", "state", "update",
        ]
        #expect(Set(CommandTable.all.map(\.name)).isSuperset(of: words))
    }

    @Test func whatIsThereIsExplained() {
        for command in CommandTable.all where command.action != nil {
            let text = Help.text(of: command)
            #expect(text.contains(Help.usage(of: command)))
            for flag in command.flags { #expect(text.contains("--\(flag.name)")) }
            for heading in ["Usage:", "Flags:", "Examples:", "Exit status:"] {
                #expect(text.contains(heading), "\(command.name)")
            }
            #expect(text.utf8.last == 0x0a)
        }
    }

    @Test func examplesAreCommandLinesThatParse() throws {
        for command in CommandTable.all {
            for example in command.examples {
                let words = example.line.split(separator: " ").map(String.init)
                let named = try #require(CommandTable.command(named: words[0]))
                var parser = Parser(Array(words.dropFirst()), from: 0, flags: named.flags)
                let next = try parser.parse(named.order)
                let count = parser.positionals.count + words.dropFirst(1 + next).count
                #expect(named.count.contains(count), "\(example.line)")
            }
        }
    }

    @Test func helpFitsAScreen() {
        let texts = CommandTable.all.map(Help.text) + [Help.overview()]
        for line in texts.flatMap({ $0.split(separator: "\n") }) {
            #expect(line.unicodeScalars.count <= 100, "\(line)")
        }
    }
}
