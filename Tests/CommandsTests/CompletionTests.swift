import Testing

@testable import Commands

/// What is made from the table of commands has all that is in it.
@Suite struct CompletionTests {
    @Test(arguments: Completion.Shell.allCases)
    func everyCommandAndFlag(shell: Completion.Shell) {
        let text = Completion.text(shell)
        for command in CommandTable.all {
            #expect(text.contains(command.name), "\(command.name)")
            for flag in command.flags {
                let word = shell == .fish ? "-l \(flag.name)" : "--\(flag.name)"
                #expect(text.contains(word), "\(command.name) \(flag.name)")
            }
        }
        for flag in Flags.globals {
            #expect(text.contains(shell == .fish ? "-l \(flag.name)" : "--\(flag.name)"), "\(flag.name)")
        }
        #expect(text.utf8.last == 0x0a)
    }

    @Test func theManualPage() {
        let text = ManualPage.text()
        #expect(text.hasPrefix(".TH GANTRY 1 "))
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        for command in CommandTable.all where command.action != nil {
            #expect(text.contains("\n.SS gantry " + command.name), "\(command.name)")
            for flag in command.flags {
                #expect(text.contains("\\-\\-" + flag.name.replacing("-", with: "\\-")), "\(flag.name)")
            }
        }
    }

    /// Of these the ID is a new one: nothing to choose from.
    @Test func argumentsThatAreIDs() {
        let named = CommandTable.all.filter {
            if case .id = Completion.argument(of: $0) { return true }
            return false
        }.map(\.name)
        #expect(
            Set(named).isSuperset(of: [
                "start", "kill", "delete", "exec", "pause", "state", "ps", "events", "update",
            ]))
        #expect(Set(named).isDisjoint(with: ["run", "create", "plan", "list", "help", "spec"]))
    }
}
