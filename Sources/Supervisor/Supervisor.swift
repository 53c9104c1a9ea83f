internal import CKeeper
internal import CLinux
internal import Cgroups
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Logs
internal import Store

/// One supervisor at work: carries out what its core decides. One thread, one loop on epoll; nothing in it waits for
/// anything but the log's disk.
final class Supervisor {
    let settings: SupervisionSettings
    let arguments: SupervisorArguments
    let container: SupervisedContainer
    var core: SupervisorCore

    var poller: Poller
    var keeper: KeeperConnection
    let ring: OutputRing
    let output: Descriptor
    let listener: Descriptor
    let signals: Descriptor
    var log: LogHolder?
    let notes: CoreNotes

    // What the keeper has told last (Supervisor+Keeper.swift).
    var run: UInt32 = 0
    var keeperPid: Int32 = 0
    var stdin: Descriptor?
    var terminal: Descriptor?
    var stdout: Descriptor?
    var stderr: Descriptor?
    /// A pidfd.
    var process: Descriptor?
    var keeperIsLost = false
    /// Of a cgroup that does not wait to be asked after the end.
    var memoryWatch: OOMWatch?
    var memoryRanOut = false

    // Output (Supervisor+Output.swift).
    var seen: [UInt64] = [0, 0]
    var streams = [StreamState](repeating: StreamState(), count: 2)
    /// Clients that were attached to a supervisor that was killed are waited for until then, so that they miss nothing;
    /// 0 for nobody.
    var holdUntil: Int64 = 0
    /// CLOCK_MONOTONIC: when the log gives back memory unless more comes before; 0 for never.
    var restAt: Int64 = 0
    var expected: UInt32 = 0

    // Input (Supervisor+Input.swift).
    var input: [UInt8] = []
    var inputStart = 0
    var inputEnds = false
    /// The container has been told that; between two runs there is none that could be.
    var inputIsClosed = false
    var stdinIsWatched = false
    var terminalSize: UInt32 = 0

    // Supervisor+Clients.swift.
    var clients: [Client?] = []
    var generation: UInt32 = 0
    var listens = true

    /// Events for the core, in their order.
    var events: [SupervisorCore.Event] = []
    var storedMemory = CoreMemory()

    // What could not be written yet (Supervisor+Store.swift).
    var statusIsDue = false
    var untold: [Message] = []
    /// CLOCK_MONOTONIC: when that is tried again; 0 for there is nothing.
    var storeRetryAt: Int64 = 0

    var child: ChildProgram?
    var childIsLauncher = false

    /// When timers are due, by CLOCK_MONOTONIC; 0 for not armed.
    var deadlines = [Int64](repeating: 0, count: SupervisorCore.Timer.allCases.count)
    var childDeadline: Int64 = 0
    var logRetryAt: Int64 = 0
    /// The core is done; what clients are still to be told is waited for until then.
    var leaveBy: Int64 = 0
    var leaveAtLast: Int64 = 0
    var isLeaving = false
    /// SIGTERM came meanwhile: nothing is waited for any more.
    var isImpatient = false
    /// Another supervisor takes over.
    var isReplaced = false
    /// As soon as the exit command has ended.
    var leavesAfterChild = false

    init(
        _ arguments: SupervisorArguments, _ container: consuming SupervisedContainer,
        _ settings: SupervisionSettings, _ keeper: consuming KeeperConnection,
        _ first: consuming KeptState, signals: consuming Descriptor
    ) throws(Failure) {
        guard let memory = first.memory.take(), let output = first.output.take(),
            let listener = first.listener.take()
        else {
            throw Failure(.system, "the keeper does not share its memory; is it another version's?")
        }
        self.settings = settings
        self.arguments = arguments
        ring = try OutputRing(memory: memory, room: first.room.take())
        notes = CoreNotes(ring.notes)
        core = SupervisorCore(settings, status: try container.status(), memory: notes.load())
        poller = try Poller()
        self.output = output
        self.listener = listener
        self.signals = signals
        self.keeper = keeper
        self.container = container
        takeOver(first)
    }
}

/// What a supervisor is told on its command line.
public struct SupervisorArguments: Sendable {
    public var id: String
    /// `--root`.
    public var root: String
    /// `--state-dir`.
    public var stateDirectory: String
    /// The gantry that launchers are started from: an absolute path.
    public var program: String
    /// When this build's commit was made; 0 for unknown.
    public var build: UInt64

    public init(id: String, root: String, stateDirectory: String, program: String, build: UInt64) {
        self.id = id
        self.root = root
        self.stateDirectory = stateDirectory
        self.program = program
        self.build = build
    }

    /// Where the container's record and sockets are.
    var directory: String { root + "/" + id }
}
