internal import Diagnostics

/// `gantry help --man`: gantry(1) in the language of man(7), made from what makes `help`.
enum ManualPage {
    static func text() -> String {
        var page = Roff()
        page.line(".TH GANTRY 1 \"\" \"gantry \(Version.number)\" \"User Commands\"")
        page.section("NAME")
        page.text("gantry - runs OCI containers on Linux")
        page.section("SYNOPSIS")
        page.line(".B gantry")
        page.text("[global flags] COMMAND [flags] [arguments]")
        page.section("DESCRIPTION")
        page.text(
            "gantry makes containers from bundles (a directory with config.json and a root filesystem) as the OCI "
                + "runtime specification \(Version.specification) says. Engines call it as they call runc; people may "
                + "as well.")
        page.section("GLOBAL FLAGS")
        page.text("They go before the command.")
        for flag in Flags.globals { page.flag(flag) }
        page.section("COMMANDS")
        for command in CommandTable.all where command.action != nil { page.command(command) }
        page.section("EXIT STATUS")
        for (code, meaning) in [
            ("0", "done"), ("1", "gantry failed, or the command line is wrong; exec: 255"),
            ("3", "the command is not known"),
        ] {
            page.tagged(code, meaning)
        }
        page.section("SEE ALSO")
        page.line(".BR runc (8),")
        page.line(".BR crun (1),")
        page.line(".BR cgroups (7),")
        page.line(".BR namespaces (7)")
        return page.text
    }
}

/// Text in the language of man(7).
private struct Roff {
    private(set) var text = ""

    mutating func line(_ line: String) {
        text += line
        text += "\n"
    }

    mutating func section(_ name: String) { line(".SH " + name) }

    mutating func text(_ words: String) { line(Roff.escaped(words)) }

    /// A paragraph with a tag before it.
    mutating func tagged(_ tag: String, _ words: String) {
        line(".TP")
        line(".B " + Roff.escaped(tag))
        text(words)
    }

    mutating func flag(_ flag: Flag) {
        let names = (flag.short.map { ["-" + $0] } ?? []) + ["--" + flag.name]
        tagged(names.joined(separator: ", ") + (flag.isToggle ? "" : " " + flag.placeholder), flag.help)
    }

    mutating func command(_ command: Command) {
        line(".SS " + Roff.escaped(Help.usage(of: command)))
        text(command.summary + ".")
        for paragraph in command.details.paragraphs {
            line(".PP")
            text(paragraph)
        }
        for flag in command.flags { self.flag(flag) }
        for example in command.examples { tagged("gantry " + example.line, example.meaning) }
        for (code, meaning) in command.exitCodes { tagged("exit status " + code, meaning) }
    }

    /// A hyphen that is typed, a backslash, what is not ASCII, and a point or quote at the beginning of a line, which
    /// would begin a request.
    static func escaped(_ words: String) -> String {
        var text = ""
        for scalar in words.unicodeScalars {
            switch scalar {
            case "-": text += "\\-"
            case "\\": text += "\\e"
            case "\"": text += "\\(dq"
            case ".", "'": text += (text.isEmpty ? "\\&" : "") + String(scalar)
            default:
                if scalar.isASCII {
                    text.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    text +=
                        "\\[u" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits + "]"
                }
            }
        }
        return text
    }
}

extension String {
    /// What empty lines separate, each in one line.
    fileprivate var paragraphs: [String] {
        var paragraphs: [String] = []
        var current: [String] = []
        for line in utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty {
                if !current.isEmpty { paragraphs.append(current.joined(separator: " ")) }
                current = []
            } else {
                current.append(String(Substring(line)))
            }
        }
        if !current.isEmpty { paragraphs.append(current.joined(separator: " ")) }
        return paragraphs
    }
}
