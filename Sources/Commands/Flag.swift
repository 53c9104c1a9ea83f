/// One flag of the command line. The table of flags drives parsing, errors and help alike.
struct Flag: Sendable {
    /// What a flag takes, and what is an error in it.
    enum Kind: Sendable {
        /// `--force`, `--force=false`.
        case toggle
        /// `--root DIR`; the placeholder is for help.
        case text(String)
        /// A decimal number from 0.
        case count(String)
        /// One of a few words.
        case choice([String])
    }

    /// The long name, without dashes.
    let name: String
    /// A one-letter name, without its dash.
    let short: String?
    let kind: Kind
    /// One line for help, without a full stop.
    let help: String

    init(_ name: String, _ short: String?, _ kind: Kind, _ help: String) {
        self.name = name
        self.short = short
        self.kind = kind
        self.help = help
    }

    /// Whether `--name` stands alone, without a value.
    var isToggle: Bool {
        if case .toggle = kind { return true }
        return false
    }

    /// The value's placeholder in help: `DIR`, `text|json`; empty for a toggle.
    var placeholder: String {
        switch kind {
        case .toggle: return ""
        case .text(let name), .count(let name): return name
        case .choice(let words): return words.joined(separator: "|")
        }
    }
}
