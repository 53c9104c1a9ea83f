internal import Diagnostics
internal import Linux

/// What gantry prints: each text in one write(2), so that lines of several processes do not mix.
enum Output {
    /// Writes to standard output.
    static func standard(_ text: String) throws(Failure) {
        let descriptor = Descriptor(adopting: 1)
        let result = Result { () throws(Failure) in try descriptor.write(text, name: "standard output") }
        _ = descriptor.release()
        try result.get()
    }

    /// Writes to standard error. Nobody is left to be told when that fails.
    static func error(_ text: String) {
        let descriptor = Descriptor(adopting: 2)
        do {
            try descriptor.write(text, name: "standard error")
        } catch {}
        _ = descriptor.release()
    }
}
