/// What of a log is wanted, and how.
public struct LogQuery: Sendable {
    /// Go on with what comes, until the container has ended for good.
    public var follows = false
    /// So many lines at the end; nil for all.
    public var tail: Int?
    /// Nanoseconds since the epoch.
    public var since: Int64?
    public var until: Int64?
    /// The time of arrival before each line.
    public var hasTimes = false
    public var hasStdout = true
    public var hasStderr = true

    public init() {}

    func wants(_ stream: Int) -> Bool { stream == 0 ? hasStdout : hasStderr }
}
