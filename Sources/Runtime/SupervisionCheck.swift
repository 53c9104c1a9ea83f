internal import Diagnostics
internal import Linux
internal import Store

extension SupervisionSettings {
    /// What config.json does not go together with.
    func check(hasTerminal: Bool) throws(Failure) {
        guard hasTerminal, logDriver == .passthrough else { return }
        throw Failure(
            .invalid,
            "a terminal cannot be passed through: its output has to be read; use another --log-driver",
            at: "process.terminal")
    }
}
