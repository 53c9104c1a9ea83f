internal import Diagnostics

/// `gantry completion SHELL`: what a shell needs to complete gantry's words, made from the table of commands.
///
/// The scripts hold nothing but lists. What stands behind a command are IDs, which `gantry list -q` gives, with the
/// --root of the line that is being typed.
enum Completion {
    enum Shell: String, CaseIterable {
        case bash, zsh, fish
    }

    @Sendable static func run(_ invocation: Invocation) throws(Failure) -> CInt {
        guard let shell = Shell(rawValue: invocation.positionals[0]) else {
            let known = Shell.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw Failure(
                .usage, "unknown shell \"\(invocation.positionals[0])\"; known are \(known)", at: "completion"
            )
        }
        try Output.standard(text(shell))
        return 0
    }

    static func text(_ shell: Shell) -> String {
        switch shell {
        case .bash: return bash()
        case .zsh: return zsh()
        case .fish: return fish()
        }
    }

    /// What an argument of a command may be.
    enum Argument {
        case none, id, words([String])
    }

    static func argument(of command: Command) -> Argument {
        switch command.name {
        case "help": return .words(CommandTable.all.map { $0.name })
        case "completion": return .words(Shell.allCases.map { $0.rawValue })
        // Of these the ID is a new one.
        case "run", "create", "plan", "restore": return .none
        default: return command.arguments.utf8.starts(with: "ID".utf8) ? .id : .none
        }
    }

    /// What the value of a flag may be.
    enum Value {
        case nothing, words([String]), directory, file, any
    }

    static func value(of flag: Flag) -> Value {
        switch flag.kind {
        case .toggle: return .nothing
        case .count: return .any
        case .choice(let words): return .words(words)
        case .text(let name):
            switch name {
            case "DIR": return flag.name.utf8.elementsEqual("cwd".utf8) ? .any : .directory
            case "FILE", "SOCKET": return .file
            default: return .any
            }
        }
    }

    /// `--name`, and `-n` if there is one.
    static func spellings(of flag: Flag) -> [String] {
        ["--" + flag.name] + (flag.short.map { ["-" + $0] } ?? [])
    }

    static func flags(of command: Command) -> [Flag] { command.flags + [Flags.help] }

    /// Without what would end a word in single quotes.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "'") { bytes.append(contentsOf: "'\\'".utf8) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "'"))
        return String(decoding: bytes, as: UTF8.self)
    }
}

// bash
extension Completion {
    private static func bash() -> String {
        var flagLists = ""
        var argumentLists = ""
        for command in CommandTable.all {
            let words = flags(of: command).flatMap { spellings(of: $0) }.joined(separator: " ")
            flagLists += "    \(command.name)) flags=\(quoted(words)) ;;\n"
            switch argument(of: command) {
            case .none: break
            case .id: argumentLists += "    \(command.name)) ids=1 ;;\n"
            case .words(let words):
                argumentLists += "    \(command.name)) words=\(quoted(words.joined(separator: " "))) ;;\n"
            }
        }
        let names = CommandTable.all.map { $0.name }.joined(separator: " ")
        let globals = Flags.globals.flatMap { spellings(of: $0) }.joined(separator: " ")
        return """
            # bash completion for gantry: source <(gantry completion bash)

            # What the value of the flag $1 may be, of the command $2: sets words, or kind to file, dir or any;
            # fails for a flag without a value.
            __gantry_value() {
                case "$2:$1" in
            \(bashValues())    *) return 1 ;;
                esac
            }

            _gantry() {
                local cur=${COMP_WORDS[COMP_CWORD]} i=1 command='' given=0 root='' word words='' kind='' ids='' flags=''
                COMPREPLY=()
                while [ $i -lt $COMP_CWORD ]; do
                    word=${COMP_WORDS[i]}
                    words='' kind=''
                    if [[ $word == -* ]]; then
                        if __gantry_value "$word" "$command"; then
                            i=$((i + 1))
                            # --root=DIR comes as three words.
                            [ "${COMP_WORDS[i]}" != = ] || i=$((i + 1))
                            [ "$command:$word" != :--root ] || root=${COMP_WORDS[i]}
                            if [ $i -ge $COMP_CWORD ]; then
                                [ "$cur" != = ] || cur=''
                                case $kind in
                                file) COMPREPLY=($(compgen -f -- "$cur")) ;;
                                dir) COMPREPLY=($(compgen -d -- "$cur")) ;;
                                any) ;;
                                *) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
                                esac
                                return
                            fi
                        fi
                    elif [ -z "$command" ]; then
                        command=$word
                    else
                        given=$((given + 1))
                    fi
                    i=$((i + 1))
                done
                words=''
                if [ -z "$command" ]; then
                    flags=\(quoted(globals))
                    words=\(quoted(names))
                else
                    case $command in
            \(flagLists)    esac
                    if [ $given = 0 ]; then
                        case $command in
            \(argumentLists)    esac
                    fi
                fi
                if [[ $cur == -* ]]; then
                    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
                elif [ -n "$ids" ]; then
                    words=$("${COMP_WORDS[0]}" ${root:+--root "$root"} list -q 2>/dev/null)
                    COMPREPLY=($(compgen -W "$words" -- "$cur"))
                else
                    COMPREPLY=($(compgen -W "$words" -- "$cur"))
                fi
            }

            complete -F _gantry gantry

            """
    }

    /// Rows of a `case` over `command:flag`; the command is empty for flags before it.
    private static func bashValues() -> String {
        var rows = ""
        let all = [("", Flags.globals)] + CommandTable.all.map { ($0.name, flags(of: $0)) }
        for (name, flags) in all {
            for flag in flags {
                let what: String
                switch value(of: flag) {
                case .nothing: continue
                case .words(let words): what = "words=\(quoted(words.joined(separator: " ")))"
                case .directory: what = "kind=dir"
                case .file: what = "kind=file"
                case .any: what = "kind=any"
                }
                rows +=
                    "    \(spellings(of: flag).map { name + ":" + $0 }.joined(separator: " | "))) \(what) ;;\n"
            }
        }
        return rows
    }
}
