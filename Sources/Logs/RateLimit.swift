/// How much may be logged: so many bytes a second, and those of one second at once.
///
/// Time is when lines arrived, so it costs no look at the clock and comes out the same when a batch is made again.
struct RateLimit: Sendable {
    /// Bytes a second; 0 for any number.
    let limit: Int64
    /// Bytes that may be logged now. Below 0 after a line that was longer than what was left.
    private var left: Int64
    private var last = Int64.min

    init(_ limit: Int64?) {
        // Half of the largest number is no limit either, and leaves room to add to it.
        self.limit = min(limit ?? 0, .max / 2)
        left = self.limit
    }

    /// Whether so many bytes may be logged; if so they are counted. What could never pass, since it is longer than a
    /// second's share, passes when that share is untouched.
    mutating func take(_ count: Int, time: Int64) -> Bool {
        if time > last {
            // A clock that was set, and the first line, count as a second.
            let passed = last == .min ? 1_000_000_000 : min(time - last, 1_000_000_000)
            let (product, overflow) = limit.multipliedReportingOverflow(by: passed)
            left = overflow ? limit : min(limit, left + product / 1_000_000_000)
            // Parts of a byte are not lost when lines come faster than bytes are granted.
            if overflow || product >= 1_000_000_000 || last == .min { last = time }
        } else if time < last {
            last = time
        }
        guard Int64(count) <= left || left == limit else { return false }
        left -= Int64(count)
        return true
    }
}
