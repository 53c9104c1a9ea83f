public import Store

/// A container's status (runtime-spec, runtime.md "State"), derived each time it is asked for.
public enum Status: String, Sendable {
    case creating, created, running, paused, stopped
}

/// What `state` and `list` tell of a container: runtime-spec, "State", and what runc adds to it.
public struct ContainerReport: Sendable {
    public let id: String
    /// 0 when stopped.
    public let pid: Int32
    public let status: Status
    /// Absolute.
    public let bundle: String
    /// Absolute.
    public let rootfs: String
    /// Nanoseconds since the epoch.
    public let created: Int64
    /// The user that made the container.
    public let ownerUID: UInt32
    public let annotations: [(key: String, value: String)]
    /// nil for a container without a supervisor.
    public var supervision: SupervisionReport?
}

/// What `state` and `list` tell of a supervised container, besides.
public struct SupervisionReport: Sendable {
    /// nil when somebody removed them.
    public let settings: SupervisionSettings?
    public let status: SupervisionStatus
    /// As it is now: what has been written may be older.
    public let phase: SupervisionStatus.Phase
    /// Process numbers; 0 when there is none.
    public let keeper: Int32
    public let supervisor: Int32
    /// What is wrong, one sentence; empty for nothing.
    public let problem: String
}
