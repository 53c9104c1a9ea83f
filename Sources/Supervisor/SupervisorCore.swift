public import Store

/// What a supervisor does, without doing it: events in, actions out (spec/supervisor.md, "States"). No clock, no system
/// call; the event loop carries the actions out.
public struct SupervisorCore: Sendable {
    public enum State: Equatable, Sendable {
        /// A launcher is about to make the container run: `run --supervise` or `start`, which is not our child, or our
        /// own.
        case starting(isOwn: Bool)
        case running
        /// It has ended; what it has printed is not all in the log yet, or the launcher still has something to do.
        case draining
        /// The restart policy's pause.
        case waiting
        /// It has ended for good, and the exit command runs.
        case finishing
        case finished
    }

    /// Why nothing is to run it again. The later of two that are asked for counts, but nothing counts over `released`.
    public enum Halt: UInt32, Sendable {
        case none = 0
        /// `gantry stop`.
        case user = 1
        /// The supervisor itself was told to end.
        case terminated = 2
        /// Its log cannot follow, and `--log-overflow stop`.
        case log = 3
        /// `gantry delete`.
        case released = 4
    }

    public enum Timer: Int, Sendable, CaseIterable {
        case backOff, grace, drain
    }

    /// A moment by two clocks, in nanoseconds: CLOCK_MONOTONIC for how long things take, CLOCK_REALTIME to be shown.
    public struct Moment: Equatable, Sendable {
        public var monotonic: Int64
        public var real: Int64

        public init(monotonic: Int64, real: Int64) {
            self.monotonic = monotonic
            self.real = real
        }
    }

    /// Stop it with `signal`, and kill it when it has not ended after `grace` milliseconds; below 0: never.
    public struct StopOrder: Equatable, Sendable {
        /// 0: the container's own stop signal.
        public var signal: Int32
        public var grace: Int32

        public init(signal: Int32 = 0, grace: Int32) {
            self.signal = signal
            self.grace = grace
        }
    }

    public enum Event: Equatable, Sendable {
        /// The keeper watches the container's process: its program runs. `run` counts from the keeper's start.
        case launched(run: UInt32, pid: Int32, started: Int64)
        /// Our own launcher has ended: with 0, or with what it said.
        case launcherEnded(code: Int32, message: String)
        /// The container's process has ended; nil when nobody can tell how.
        case exited(SupervisionStatus.End?)
        /// All that it has printed is in the log.
        case drained
        case timer(Timer)
        case stop(client: UInt32, StopOrder)
        case restart(client: UInt32, StopOrder)
        case wait(client: UInt32)
        case waitForExec(client: UInt32, pid: Int32, lives: Bool)
        case release(client: UInt32)
        case clientGone(UInt32)
        case execEnded(SupervisionStatus.Exec)
        /// SIGTERM.
        case terminate
        case outOfMemory
        case keeperLost
        /// The log cannot follow, and the container must not go on without one.
        case logOverflow(String)
        case exitCommandEnded(problem: String)
    }

    public enum Answer: Equatable, Sendable {
        case done
        /// It has ended; nil when nobody could tell how.
        case ended(SupervisionStatus.End?)
        case failed(String)
    }

    public enum Action: Equatable, Sendable {
        case launch
        /// SIGTERM, or SIGKILL, to our own launcher.
        case endLauncher(force: Bool)
        /// A signal to the container's first process, which is thawed; 0: its stop signal.
        case signal(Int32)
        /// SIGKILL to all of its processes, which are thawed.
        case kill
        /// `after` nanoseconds.
        case arm(Timer, after: Int64)
        case disarm(Timer)
        case writeStatus
        /// A line for `messages`.
        case note(String)
        case answer(client: UInt32, Answer)
        /// Attached clients are told that it has ended for good.
        case tellEnd
        case runExitCommand
        /// Leave, and let the keeper end.
        case finish
    }

    enum Request: Equatable, Sendable {
        case stop, restart, wait, release, exec(Int32)
    }

    /// What of the settings counts here.
    public let policy: SupervisionSettings.RestartPolicy
    let stopTimeout: Int
    let hasExitCommand: Bool

    public internal(set) var state = State.starting(isOwn: false)
    public internal(set) var status: SupervisionStatus
    public internal(set) var memory: CoreMemory
    /// Our own launcher has not ended.
    var launcherLives = false
    /// It has been told to take the start back: that it fails is no failure.
    var launcherIsEnding = false
    var isDrained = false
    /// `drain` is over: the status says that it has ended although the log does not have everything.
    var isOverdue = false
    var keeperIsLost = false
    /// What is to be done to a container that is not up yet.
    var pendingStop: StopOrder?
    var requests: [(client: UInt32, request: Request)] = []
    var actions: [Action] = []

    public init(_ settings: SupervisionSettings, status: SupervisionStatus, memory: CoreMemory) {
        policy = settings.restart
        stopTimeout = settings.stopTimeout
        hasExitCommand = settings.exitCommand != nil
        self.status = status
        self.memory = memory
    }

    public var halt: Halt {
        get { Halt(rawValue: memory.halt) ?? .none }
        set { memory.halt = newValue.rawValue }
    }

    /// Whether the container's process lives, as far as we know.
    public var isUp: Bool { state == .running }

    /// Whether everybody has been told that it has ended for good.
    public var hasTold: Bool {
        state == .finishing || state == .finished || (state == .draining && isOverdue)
    }

    /// What is to be done because of an event, in this order.
    public mutating func handle(_ event: Event, at now: Moment) -> [Action] {
        actions.removeAll(keepingCapacity: true)
        switch event {
        case .launched(let run, let pid, let started): launched(run, pid, started, now)
        case .launcherEnded(let code, let message): launcherEnded(code, message, now)
        case .exited(let end): exited(end, lasted: now.monotonic &- memory.runBegan)
        case .drained: drained(now)
        case .timer(.backOff): if state == .waiting { launch() }
        case .timer(.grace): killAfterGrace()
        case .timer(.drain): overdue()
        case .stop(let client, let order): stop(client, order, now)
        case .restart(let client, let order): restart(client, order, now)
        case .wait(let client): wait(client)
        case .waitForExec(let client, let pid, let lives): waitForExec(client, pid, lives)
        case .release(let client): release(client)
        case .clientGone(let client): requests.removeAll { $0.client == client }
        case .execEnded(let exec): execEnded(exec)
        case .terminate: terminate(now)
        case .outOfMemory: ranOutOfMemory()
        case .keeperLost: loseKeeper()
        case .logOverflow(let message): logOverflow(message, now)
        case .exitCommandEnded(let problem): exitCommandEnded(problem)
        }
        return actions
    }

    /// Answers those who wait for one of these.
    mutating func answer(_ which: [Request], _ answer: Answer) {
        for (client, request) in requests where which.contains(request) {
            actions.append(.answer(client: client, answer))
        }
        requests.removeAll { which.contains($0.request) }
    }

    private mutating func ranOutOfMemory() {
        status.oomKilled = true
        actions.append(.note("memory ran out: the kernel killed a process of the container"))
    }

    mutating func note(_ problem: String) {
        status.problem = problem
        actions.append(.note(problem))
    }
}
