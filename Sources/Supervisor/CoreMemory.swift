/// What the supervisor must not forget when it is killed, besides its status on disk: a part of the notes in the memory
/// that it shares with the keeper (spec/supervisor.md, "States"). Of fixed layout, and only ever extended.
public struct CoreMemory: Equatable, Sendable {
    public static let currentVersion: UInt32 = 1

    /// 0 while nothing has been written.
    public var version: UInt32 = 0
    /// The container's runs before this keeper: its first run is the next one.
    public var runBase: UInt32 = 0
    /// `SupervisorCore.Halt`.
    public var halt: UInt32 = 0
    /// 1: run it again once it has ended, since somebody asked for a restart.
    public var restartRequested: UInt32 = 0
    /// How often the policy has run it again without a good run between.
    public var retries: UInt32 = 0
    /// Clients that were attached.
    public var attached: UInt32 = 0
    /// 1: the exit command has ended.
    public var exitCommandDone: UInt32 = 0
    /// 1: the run that is next, or going on, was begun by the policy.
    public var isPolicyRun: UInt32 = 0
    /// When the present run began; CLOCK_MONOTONIC, nanoseconds.
    public var runBegan: Int64 = 0
    /// When the processes are to be killed, or the next run is to begin; 0 for never.
    public var killAt: Int64 = 0
    public var launchAt: Int64 = 0

    /// Processes that had been killed for lack of memory in the container's cgroup when the present run began.
    public var memoryKills: UInt64 = 0
    /// The supervisor at work; 0 once it has left by itself.
    public var supervisor: UInt32 = 0

    public init() {}
}
