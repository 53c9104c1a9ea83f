// zsh and fish, which show what a word means beside it.
extension Completion {
    static func zsh() -> String {
        var commands = ""
        var cases = ""
        for command in CommandTable.all {
            commands += "        \(quoted(command.name + ":" + escaped(command.summary)))\n"
            cases += "            \(command.name))\n                _arguments -S \\\n"
            for flag in flags(of: command) { cases += "                    \(zsh(flag)) \\\n" }
            switch argument(of: command) {
            case .none: cases += "                    '*:argument:'\n"
            case .id: cases += "                    '1:container:__gantry_ids' '*:argument:'\n"
            case .words(let words):
                cases += "                    \(quoted("1:word:(" + words.joined(separator: " ") + ")"))\n"
            }
            cases += "                ;;\n"
        }
        let globals = Flags.globals.map { "        \(zsh($0)) \\\n" }.joined()
        return """
            #compdef gantry
            # zsh completion for gantry: gantry completion zsh >_gantry, in a directory of $fpath

            __gantry_ids() {
                local -a ids
                ids=(${(f)"$(_call_program ids $words_all[1] ${root:+--root} $root list -q 2>/dev/null)"})
                _describe container ids
            }

            _gantry() {
                local curcontext=$curcontext state root
                local -a line words_all commands
                local -A opt_args
                words_all=($words)
                commands=(
            \(commands)    )
                _arguments -C -S \\
            \(globals)        '1:command:->command' '*::argument:->argument'
                root=${opt_args[--root]}
                case $state in
                command) _describe command commands ;;
                argument)
                    case $line[1] in
            \(cases)        esac
                    ;;
                esac
            }

            if [ "$funcstack[1]" = _gantry ]; then
                _gantry "$@"
            else
                compdef _gantry gantry
            fi

            """
    }

    /// `'(-f --force)'{-f,--force}'[help]'`, with what the value may be behind it.
    private static func zsh(_ flag: Flag) -> String {
        let spellings = spellings(of: flag)
        var tail = "[" + escaped(flag.help) + "]"
        switch value(of: flag) {
        case .nothing: break
        case .words(let words): tail += ":" + flag.name + ":(" + words.joined(separator: " ") + ")"
        case .directory: tail += ":" + flag.name + ":_files -/"
        case .file: tail += ":" + flag.name + ":_files"
        case .any: tail += ":" + flag.name + ":"
        }
        let takesValue = !flag.isToggle
        let names = spellings.map { name in
            // A long name takes its value behind a space or "=".
            takesValue && name.utf8.starts(with: "--".utf8) ? name + "=" : name
        }
        if names.count == 1 { return quoted(names[0] + tail) }
        return quoted("(" + spellings.joined(separator: " ") + ")") + "{" + names.joined(separator: ",") + "}"
            + quoted(tail)
    }

    /// What means something in a specification of zsh's gets a backslash.
    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if [UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: "\\")].contains(byte) {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func fish() -> String {
        let withValue = Flags.globals.filter { !$0.isToggle }.flatMap { spellings(of: $0) }.joined(
            separator: " ")
        var text = """
            # fish completion for gantry: gantry completion fish >~/.config/fish/completions/gantry.fish

            # The words behind the global flags: the command first. Prints them, one a line.
            function __gantry_rest
                set -l words (commandline -opc)
                set -e words[1]
                while set -q words[1]
                    switch $words[1]
                        case \(withValue)
                            set -e words[1]
                        case '-*'
                        case '*'
                            break
                    end
                    set -q words[1]; and set -e words[1]
                end
                printf '%s\\n' $words
            end

            function __gantry_without_command
                test -z (__gantry_rest)[1]
            end

            function __gantry_command
                test "$argv[1]" = (__gantry_rest)[1]
            end

            function __gantry_ids
                set -l words (commandline -opc)
                set -l root
                set -l at (contains -i -- --root $words); and set root --root $words[(math $at + 1)]
                string match -q -r '^--root=' -- $words; and set root (string match -r '^--root=.*' -- $words)[1]
                command gantry $root list -q 2>/dev/null
            end

            complete -c gantry -f

            """
        for flag in Flags.globals { text += fish(flag, "__gantry_without_command") }
        for command in CommandTable.all {
            text +=
                "complete -c gantry -n __gantry_without_command -a \(command.name) -d \(quoted(command.summary))\n"
            let condition = "__gantry_command " + command.name
            for flag in flags(of: command) { text += fish(flag, condition) }
            switch argument(of: command) {
            case .none: break
            case .id: text += "complete -c gantry -n \(quoted(condition)) -a '(__gantry_ids)'\n"
            case .words(let words):
                text +=
                    "complete -c gantry -n \(quoted(condition)) -a \(quoted(words.joined(separator: " ")))\n"
            }
        }
        return text
    }

    private static func fish(_ flag: Flag, _ condition: String) -> String {
        var line = "complete -c gantry -n \(quoted(condition)) -l \(flag.name)"
        if let short = flag.short { line += " -s " + short }
        switch value(of: flag) {
        case .nothing: break
        case .words(let words): line += " -x -a \(quoted(words.joined(separator: " ")))"
        case .directory: line += " -x -a '(__fish_complete_directories)'"
        case .file: line += " -r -F"
        case .any: line += " -x"
        }
        return line + " -d \(quoted(flag.help))\n"
    }
}
