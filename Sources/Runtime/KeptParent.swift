internal import CKeeper
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

/// The keeper of a supervised container (spec/supervisor.md) as the one who starts its processes, and reaps them.
///
/// A class, since a start and the processes that it makes share the connection.
final class KeptParent {
    private var connection: KeeperConnection

    init(_ connection: consuming KeeperConnection) {
        self.connection = connection
    }

    /// The one that listens in a container's entry; nil when there is none.
    static func find(_ entry: borrowing StoredContainer) throws(Failure) -> KeptParent? {
        guard let connection = try KeeperConnection.connect(directory: entry.path) else { return nil }
        return KeptParent(connection)
    }

    /// As many descriptors can become a process's 0, 1, 2 and so on.
    static let mostStreams = Int(CKEEPER_DESCRIPTORS) - 6

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - handed: descriptors whose numbers stand in the second word of its command line, `-` for -1.
    ///   - streams: become its 0, 1, 2 and so on.
    func spawn(
        _ executable: CInt, _ name: String, _ handed: [CInt], mark: String?, streams: [CInt]
    ) throws(Failure) -> Int32 {
        // The numbers are the keeper's: it puts them in for `%a`, `%b` and so on.
        var numbers = ""
        var others: [CInt] = []
        for descriptor in handed {
            if !numbers.isEmpty { numbers += "," }
            guard descriptor >= 0 else {
                numbers += "-"
                continue
            }
            numbers += "%"
            numbers.unicodeScalars.append(Unicode.Scalar(UInt8(ascii: "a") + UInt8(others.count)))
            others.append(descriptor)
        }
        let words = [name, numbers] + (mark.map { [$0] } ?? [])
        return try connection.spawn(executable: executable, words: words, streams: streams, others: others)
            .pid
    }

    /// Has it keep the ends of a run's streams; -1 for none.
    func keep(_ streams: borrowing KeptStreams) throws(Failure) {
        try connection.keep(
            stdin: streams.input.rawOrNone, stdout: streams.output.rawOrNone,
            stderr: streams.errors.rawOrNone)
    }

    func keep(terminal: CInt) throws(Failure) {
        try connection.keep(terminal: terminal)
    }

    /// From now on it reaps the process, and remembers how it ended.
    func watch(_ pid: Int32, as kind: ckeeper_kind) throws(Failure) {
        try connection.watch(pid, as: kind)
    }

    /// How a process ended that was watched before; waits for it.
    ///
    /// - Parameter milliseconds: at most so long; -1 for as long as it takes.
    /// - Returns: nil when nobody can tell: the keeper has gone, or time is over.
    func end(of pid: Int32, milliseconds: Int32 = -1) throws(Failure) -> ckeeper_exit? {
        try connection.waitForExit(of: pid, milliseconds: milliseconds)
    }

    func supervise(words: [String], environment: [String]) throws(Failure) {
        try connection.supervise(words: words, environment: environment)
    }

    /// - Returns: nil when it has ended.
    func ask() throws(Failure) -> ckeeper_state? {
        try connection.ask()
    }

    /// Ends it and its supervisor, and waits until both have.
    func end() throws(Failure) {
        try connection.end()
    }

    /// Waits until it has gone by itself.
    ///
    /// - Returns: false when it has not.
    func waitForEnd(milliseconds: Int32) throws(Failure) -> Bool {
        try connection.waitForEnd(milliseconds: milliseconds)
    }
}
