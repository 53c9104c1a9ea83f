internal import CLinux
internal import Diagnostics

/// A signal that asks gantry to end while it is busy with a start, which it has blocked (`Foreground`): a wait that
/// takes long looks for one. Afterwards signals are the container's.
enum Interruption {
    /// The signal, which stays pending; nil when there is none.
    static var signal: CInt? {
        let signal = clinux_pending_end()
        return signal == 0 ? nil : signal
    }

    /// - Throws: `interrupted` when there is one.
    static func check() throws(Failure) {
        guard let signal else { return }
        throw Failure(.interrupted, "signal \(signal) ended the start")
    }
}
