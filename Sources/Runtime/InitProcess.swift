internal import CKeeper
internal import CLinux
internal import Diagnostics
internal import FreestandingInit
internal import Linux

/// The processes of a start: stage 1, then stage 2, both children of this process or of a keeper.
struct InitProcess: ~Copyable {
    let channel: InitChannel
    /// Their parent, who reaps them; nil when that is this process.
    let keeper: KeptParent?
    /// Stage 1 until FORKED, then stage 2.
    private(set) var pid: Int32
    /// Of a process that the keeper may reap: its number may become another one's at any time.
    private var held: Descriptor?
    /// Whether it has ended and its wait status has been taken.
    private(set) var reaped = false

    /// Starts stage 1 from a sealed memfd.
    ///
    /// - Parameters:
    ///   - door: what the init gets in slot START or CONTAINER: the listening socket for `gantry start`, or a
    ///     pidfd of the container that an exec joins; or -1.
    ///   - cgroup: cgroup v2 directory that stage 2 is to be made in, or -1.
    ///   - mark: the last word of its command line (`InitMark`).
    ///   - streams: what become its standard streams; gantry's own when nil.
    ///   - hasInit: the plan's exec is that of the reaper.
    ///   - hasNeighbours: other processes are in the pid namespace that stage 2 gets into.
    ///   - keeper: is to start it, and needs to be told all of its streams, those behind 2 among them.
    static func spawn(
        plan: [UInt8], door: CInt, cgroup: CInt, mark: String? = nil, streams: [CInt]? = nil,
        hasInit: Bool = false, hasNeighbours: Bool, keeper: KeptParent? = nil
    ) throws(Failure) -> InitProcess {
        let image = try SealedMemory.file("gantry-init", FreestandingImage.initProgram(), executable: true)
        let program = try SealedMemory.file("gantry-plan", plan, executable: false)
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            clinux_seqpacket_pair($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(result, "socketpair", "cannot talk to an init")
        let theirs = Descriptor(adopting: ends.1)
        let channel = try InitChannel(Descriptor(adopting: ends.0), knowsSenders: hasNeighbours)
        var reaper: Descriptor?
        if hasInit {
            reaper = try SealedMemory.file("gantry-reaper", FreestandingImage.reaper(), executable: true)
        }
        let handed = [theirs.raw, door, cgroup, program.raw] + (hasInit ? [reaper.rawOrNone] : [])
        if let keeper {
            let pid = try keeper.spawn(
                image.raw, "gantry-init", handed, mark: mark, streams: streams ?? [0, 1, 2])
            return InitProcess(channel: channel, pid: pid, keeper: keeper)
        }
        let pid = clinux_spawn(image.raw, "gantry-init", handed, CInt(handed.count), mark, streams)
        if pid == -Errno.EACCES || pid == -Errno.EPERM {
            throw Failure.system(
                -pid, "execveat",
                "cannot execute the init from memory; vm.memfd_noexec or a security module forbids it")
        }
        _ = try check(pid, "execveat", "cannot start the init")
        return InitProcess(channel: channel, pid: pid, keeper: nil)
    }

    private init(channel: consuming InitChannel, pid: Int32, keeper: KeptParent?) {
        self.channel = channel
        self.pid = pid
        self.keeper = keeper
    }

    /// As many messages of somebody else may come before that is told.
    private static let mostForged = 100

    /// Waits for the next message of stage 1 or, once it is adopted, stage 2.
    ///
    /// A neighbour with CAP_SYS_PTRACE in the pid namespace can see stage 2 before stage 1 has told of it, take its
    /// end of the socket and speak up first: it would have us record and kill a process of its choice. The kernel
    /// tells who has sent a message; others are not heard.
    ///
    /// - Parameter deadline: on CLOCK_MONOTONIC, in nanoseconds; not waited for much longer than that.
    func receive(until deadline: Int64 = .max) throws(Failure) -> InitChannel.Received {
        for _ in 0...InitProcess.mostForged {
            let received = try channel.receive(until: deadline)
            // The end of file has no sender.
            guard let sender = received.sender, sender >= 0, sender != pid else { return received }
        }
        throw Failure(.system, "a process of the container speaks in the init's name")
    }

    /// Stage 2 exists: stage 1 is reaped, and `pid` is the container's from now on. A keeper reaps it when it is told
    /// what becomes of stage 2.
    mutating func adopt(_ stage2: Int32) {
        if keeper == nil {
            var status: CInt = 0
            _ = clinux_waitpid(pid, &status, 0)
        }
        pid = stage2
    }

    /// From now on its keeper, if it has one, reaps the process and remembers how it ended.
    mutating func leaveToKeeper(as kind: ckeeper_kind) throws(Failure) {
        guard let keeper else { return }
        held = try open()
        try keeper.watch(pid, as: kind)
    }

    /// A descriptor of the process, which may have ended.
    func open() throws(Failure) -> Descriptor {
        let raw = held.rawOrNone >= 0 ? clinux_duplicate(held.rawOrNone) : clinux_pidfd_open(pid)
        return Descriptor(adopting: try check(raw, "pidfd_open", "cannot watch the container"))
    }

    /// How long a killed init may take to die, in milliseconds. In a frozen cgroup of version 1 it does not.
    private static let deathPatience: CInt = 10_000

    /// After so long, in milliseconds, it is looked whether it is frozen.
    private static let freezerPatience: CInt = 100

    /// Ends what is left of the start and returns its wait status; 0 when it has not ended in time.
    ///
    /// - Parameter thaw: lets the process go on when it is frozen.
    @discardableResult
    mutating func kill(thaw: (Int32) -> Void = { _ in }) -> WaitStatus {
        guard !reaped else { return WaitStatus(raw: 0) }
        let raw = held.rawOrNone >= 0 ? clinux_duplicate(held.rawOrNone) : clinux_pidfd_open(pid)
        let process = raw >= 0 ? Descriptor(adopting: raw) : nil
        if held.rawOrNone < 0 {
            // From here on the keeper reaps it, and tells us alone.
            try? keeper?.watch(pid, as: CKEEPER_FAILED)
        }
        _ = raw >= 0 && keeper != nil ? clinux_pidfd_signal(raw, 9) : clinux_kill(pid, 9)
        guard raw >= 0 else { return (try? wait()) ?? WaitStatus(raw: 0) }
        if clinux_wait_readable(process.rawOrNone, -1, InitProcess.freezerPatience) == 0 {
            thaw(pid)
            if clinux_wait_readable(process.rawOrNone, -1, InitProcess.deathPatience) == 0 {
                return WaitStatus(raw: 0)
            }
        }
        return waitOrGiveUp()
    }

    /// Takes the status of a process that has ended; 0 when that cannot be had. A zombie that somebody in the container
    /// traces stays that one's until it lets go (ptrace(2)).
    private mutating func waitOrGiveUp() -> WaitStatus {
        if let keeper {
            guard let end = try? keeper.end(of: pid, milliseconds: InitProcess.deathPatience) else {
                return WaitStatus(raw: 0)
            }
            reaped = true
            return WaitStatus(raw: end.status)
        }
        var status: CInt = 0
        guard clinux_waitpid(pid, &status, Wait.noHang) != 0 else { return WaitStatus(raw: 0) }
        reaped = true
        return WaitStatus(raw: status)
    }

    /// Reaps the process: returns only when it has ended. A keeper, who must watch it, has reaped it.
    mutating func wait() throws(Failure) -> WaitStatus {
        if let keeper {
            guard let end = try keeper.end(of: pid) else {
                throw Failure(
                    .system, "the container's keeper has been killed: how the process ended is lost")
            }
            reaped = true
            return WaitStatus(raw: end.status)
        }
        var status: CInt = 0
        _ = clinux_waitpid(pid, &status, 0)
        reaped = true
        return WaitStatus(raw: status)
    }
}

/// How a process ended (wait(2)).
struct WaitStatus {
    let raw: CInt

    /// The signal that killed it, or nil.
    var signal: CInt? {
        let signal = raw & 0x7f
        return signal != 0 && signal != 0x7f ? signal : nil
    }

    /// The exit code as a shell tells it: 128 + signal for a killed process.
    var code: CInt {
        signal.map { 128 + $0 } ?? (raw >> 8) & 0xff
    }
}
