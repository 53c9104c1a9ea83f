public import CKeeper
internal import CLinux
public import Diagnostics
internal import FreestandingInit
public import Linux

/// A connection to the keeper of a supervised container (CKeeper.h, spec/supervisor.md).
///
/// Each request is one message and one answer; the ends of processes that were asked for come in between.
public struct KeeperConnection: ~Copyable {
    public let socket: Descriptor
    /// Ends that came while something else was waited for.
    private var exits: [ckeeper_exit] = []

    static let socketName = "keeper.sock"
    public static let supervisorSocketName = "supervisor.sock"
    /// How long the keeper may take for an answer, in seconds: it has little to do, on a busy machine too.
    private static let patience: CInt = 20

    init(_ socket: consuming Descriptor) throws(Failure) {
        _ = try check(
            clinux_receive_timeout(socket.raw, KeeperConnection.patience), "setsockopt",
            "cannot limit the wait for the keeper")
        self.socket = socket
    }

    /// Starts a keeper, which listens in `directory`. It ends when this connection does, unless a container is watched
    /// by then.
    ///
    /// - Parameter id: the container's, for those who look at the keeper's command line.
    public static func start(id: String, directory: String) throws(Failure) -> KeeperConnection {
        let place = try Descriptor.open(directory, O.directory)
        let listener = try listen(socketName, in: place, shown: directory)
        let supervisors = try listen(supervisorSocketName, in: place, shown: directory)
        let image = try SealedMemory.file("gantry-keeper", FreestandingImage.keeper(), executable: true)
        let nothing = try Descriptor.open("/dev/null", O.readWrite)
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            clinux_seqpacket_pair($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(result, "socketpair", "cannot talk to a keeper")
        let theirs = Descriptor(adopting: ends.1)
        let connection = try KeeperConnection(Descriptor(adopting: ends.0))
        let pid = clinux_spawn(
            image.raw, "gantry-keeper", [listener.raw, theirs.raw, supervisors.raw], 3, id,
            [nothing.raw, nothing.raw, nothing.raw])
        _ = try check(pid, "execveat", "cannot start the keeper")
        return connection
    }

    /// An address of a Unix socket has room for 107 bytes only: it goes through the directory's descriptor.
    private static func listen(
        _ name: String, in directory: borrowing Descriptor, shown: String
    ) throws(Failure) -> Descriptor {
        // What a keeper left that was killed.
        _ = clinux_unlinkat(directory.raw, name, 0)
        let raw = clinux_seqpacket_listen("/proc/self/fd/\(directory.raw)/\(name)", 64)
        return Descriptor(
            adopting: try check(raw, "bind \(shown)/\(name)", "cannot make the keeper's socket"))
    }

    /// Connects to the keeper that listens in `directory`; nil when there is none.
    public static func connect(directory: String) throws(Failure) -> KeeperConnection? {
        guard let socket = try connect(to: socketName, in: directory) else { return nil }
        return try KeeperConnection(socket)
    }

    /// Connects to a socket that a keeper listens at or holds; nil when there is none.
    ///
    /// - Parameter milliseconds: how long its queue may be full.
    public static func connect(
        to name: String, in directory: String, milliseconds: Int = 10_000
    ) throws(Failure) -> Descriptor? {
        let opened = clinux_openat(AT.cwd, directory, O.directory, 0)
        if opened == -Errno.ENOENT { return nil }
        let place = Descriptor(adopting: try check(opened, "openat \(directory)", "cannot reach the keeper"))
        let deadline = clinux_monotonic() + Int64(milliseconds) * 1_000_000
        while true {
            let raw = clinux_seqpacket_connect("/proc/self/fd/\(place.raw)/\(name)")
            if raw == -Errno.ENOENT || raw == -Errno.ECONNREFUSED { return nil }
            if raw == -Errno.EAGAIN, clinux_monotonic() < deadline {
                clinux_sleep(1)
                continue
            }
            return Descriptor(
                adopting: try check(raw, "connect \(directory)/\(name)", "cannot reach the keeper"))
        }
    }

    // MARK: Requests

    /// A process that the keeper has started.
    public struct Spawned: ~Copyable {
        public let pid: Int32
        public let pidfd: Descriptor
    }

    /// Starts a program as a child of the keeper. `%a` in a word becomes the number that the first of `others` has
    /// there, `%b` that of the second.
    ///
    /// - Parameters:
    ///   - words: its argv; no environment.
    ///   - streams: become its descriptors 0, 1, 2 and so on.
    public mutating func spawn(
        executable: CInt, words: [String], streams: [CInt], others: [CInt]
    ) throws(Failure) -> Spawned {
        try send(
            CKEEPER_SPAWN, value: Int64(streams.count), words: words,
            descriptors: [executable] + streams + others)
        var answer = try receiveAnswer("cannot start a program through the keeper")
        guard answer.type == CKEEPER_SPAWNED.rawValue, let pidfd = answer.takeFirst() else { throw disorder }
        return Spawned(pid: answer.pid, pidfd: pidfd)
    }

    /// Gives the keeper the ends of a new run's streams; -1 for those that it has not.
    public mutating func keep(
        stdin: CInt = -1, stdout: CInt = -1, stderr: CInt = -1, terminal: CInt = -1
    ) throws(Failure) {
        let all = [stdin, stdout, stderr, terminal]
        var mask: Int64 = 0
        for slot in 0..<all.count where all[slot] >= 0 { mask |= 1 << Int64(slot) }
        try send(CKEEPER_KEEP, value: mask, descriptors: all.filter { $0 >= 0 })
        try receiveDone("the keeper does not take the container's streams")
    }

    /// Has the keeper close what it holds.
    public mutating func letGo(_ slot: ckeeper_slot) throws(Failure) {
        try send(CKEEPER_KEEP, value: 1 << Int64(slot.rawValue))
        try receiveDone("the keeper does not let go of a descriptor")
    }

    /// Wants to know how a child of the keeper ends: see `waitForExit`.
    public mutating func watch(_ pid: Int32, as kind: ckeeper_kind) throws(Failure) {
        try send(CKEEPER_WATCH, pid: pid, value: Int64(kind.rawValue))
        try receiveDone("the keeper does not watch process \(pid)")
    }

    /// Has the keeper start a supervisor whenever there is none.
    ///
    /// - Parameters:
    ///   - words: its argv, the first an absolute path.
    ///   - environment: `NAME=value`.
    ///   - renew: one that runs is replaced.
    public mutating func supervise(
        words: [String], environment: [String], renew: Bool = false
    ) throws(Failure) {
        try send(CKEEPER_SUPERVISE, value: renew ? 1 : 0, words: words + [""] + environment)
        try receiveDone("the keeper does not start the supervisor")
    }

    /// - Returns: nil when the keeper has ended, which one whose container has ended does at any moment.
    public mutating func ask() throws(Failure) -> ckeeper_state? {
        do throws(Failure) {
            try send(CKEEPER_ASK)
        } catch  where Self.meansEnd(error) {
            return nil
        }
        guard let answer = try receiveAnswerIfThere("the keeper does not tell how things are") else {
            return nil
        }
        guard answer.type == CKEEPER_STATE.rawValue, let state = answer.state else { throw disorder }
        return state
    }

    /// Ends the keeper, whose container has ended: it waits for its supervisor.
    ///
    /// - Parameter milliseconds: how long to wait until it has gone; 0 not at all.
    public mutating func end(milliseconds: Int32 = 20_000) throws(Failure) {
        do throws(Failure) {
            try send(CKEEPER_END)
        } catch  where Self.meansEnd(error) {
            return
        }
        guard milliseconds > 0, try !waitForEnd(milliseconds: milliseconds) else { return }
        throw Failure(.system, "the keeper did not end within \(milliseconds / 1000) s")
    }

    /// Whether something could not be sent since the keeper has gone.
    private static func meansEnd(_ failure: Failure) -> Bool {
        let errno = failure.cause?.errno.rawValue
        return errno == Errno.EPIPE || errno == Errno.ECONNRESET
    }

    /// Waits until the keeper has gone, without asking it to.
    ///
    /// - Returns: false when it is still there after so long.
    public mutating func waitForEnd(milliseconds: Int32) throws(Failure) -> Bool {
        let deadline = clinux_monotonic() + Int64(milliseconds) * 1_000_000
        while true {
            let left = max(0, (deadline - clinux_monotonic()) / 1_000_000)
            guard clinux_wait_readable(socket.raw, -1, Int32(left)) != 0 else { return false }
            let message = try receive(wait: false)
            if message.isEnd { return true }
            if message.type == CKEEPER_REFUSED.rawValue {
                throw Failure.system(CInt(message.value), "END", "the keeper does not end")
            }
        }
    }

    /// Waits for the end of a process that this connection watches.
    ///
    /// - Parameter milliseconds: at most so long; -1 for as long as it takes.
    /// - Returns: nil when the keeper has gone, and nobody can tell, or when time is over.
    public mutating func waitForExit(of pid: Int32, milliseconds: Int32 = -1) throws(Failure) -> ckeeper_exit?
    {
        let deadline = clinux_monotonic() + Int64(milliseconds) * 1_000_000
        while true {
            if let index = exits.firstIndex(where: { $0.pid == pid }) { return exits.remove(at: index) }
            let left = milliseconds < 0 ? -1 : max(0, Int32((deadline - clinux_monotonic()) / 1_000_000))
            if clinux_wait_readable(socket.raw, -1, left) == 0 { return nil }
            let message = try receive(wait: false)
            if message.isEnd { return nil }
            if let exit = message.exit { exits.append(exit) }
        }
    }

    // MARK: The supervisor's side

    /// Says that this process, which the keeper started, is the supervisor. `KeeperEvent.state` follows.
    public func becomeSupervisor() throws(Failure) {
        try send(CKEEPER_SUPERVISOR)
    }

    /// What the keeper has to say; `.nothing` when that is nothing.
    public func nextEvent() throws(Failure) -> KeeperEvent {
        var message = try receive(wait: false)
        switch message.type {
        case 0: return message.isEnd ? .lost : .nothing
        case CKEEPER_LEAVE.rawValue: return .leave
        case CKEEPER_REFUSED.rawValue: return .refused(Errno(rawValue: CInt(message.value)))
        case CKEEPER_EXITED.rawValue:
            guard let exit = message.exit else { throw disorder }
            return .exited(exit)
        case CKEEPER_STATE.rawValue:
            guard let state = message.state else { throw disorder }
            return .state(KeptState(state, &message.descriptors))
        default: return .done
        }
    }

    // MARK: Messages

    private var disorder: Failure {
        Failure(.system, "the keeper answers what this gantry does not understand; is it another version's?")
    }

    private func send(
        _ type: ckeeper_message_type, pid: Int32 = 0, value: Int64 = 0, words: [String] = [],
        descriptors: [CInt] = []
    ) throws(Failure) {
        var payload: [UInt8] = []
        for word in words {
            payload.append(contentsOf: word.utf8)
            payload.append(0)
        }
        guard payload.count <= Int(CKEEPER_PAYLOAD) else {
            throw Failure(.invalid, "the command line for the keeper has more than \(CKEEPER_PAYLOAD) bytes")
        }
        guard descriptors.count <= Int(CKEEPER_DESCRIPTORS) else {
            throw Failure(.invalid, "more than \(CKEEPER_DESCRIPTORS) descriptors for the keeper")
        }
        var head = ckeeper_message()
        head.type = type.rawValue
        head.pid = pid
        head.value = value
        head.length = UInt32(payload.count)
        let sent = payload.withUnsafeBytes { tail in
            clinux_send_many(
                socket.raw, &head, MemoryLayout<ckeeper_message>.size, tail.baseAddress, tail.count,
                descriptors,
                CInt(descriptors.count))
        }
        _ = try check(sent, "sendmsg", "cannot talk to the keeper")
    }

    private mutating func receiveDone(_ what: String) throws(Failure) {
        guard try receiveAnswer(what).type == CKEEPER_DONE.rawValue else { throw disorder }
    }

    /// The next message that is not the end of a process.
    private mutating func receiveAnswer(_ what: String) throws(Failure) -> KeeperMessage {
        guard let answer = try receiveAnswerIfThere(what) else {
            throw Failure(.system, what + ": it has ended")
        }
        return answer
    }

    /// - Returns: nil when the keeper has ended.
    private mutating func receiveAnswerIfThere(_ what: String) throws(Failure) -> KeeperMessage? {
        while true {
            let message = try receive(wait: true)
            if let exit = message.exit {
                exits.append(exit)
                continue
            }
            if message.isEnd { return nil }
            if message.type == CKEEPER_REFUSED.rawValue {
                throw Failure.system(CInt(message.value), "keeper", what)
            }
            return message
        }
    }

    private func receive(wait: Bool) throws(Failure) -> KeeperMessage {
        var message = KeeperMessage()
        let length = message.receive(from: socket.raw, wait: wait)
        if length == -Errno.EAGAIN {
            guard wait else { return message }
            throw Failure(.system, "the keeper did not answer for \(KeeperConnection.patience) s")
        }
        if length == -Errno.ECONNRESET {
            message.isEnd = true
        } else {
            _ = try check(length, "recvmsg", "cannot read from the keeper")
        }
        if length == 0 { message.isEnd = true }
        return message
    }
}
