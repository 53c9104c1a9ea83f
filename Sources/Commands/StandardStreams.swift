internal import CLinux

/// Descriptors 0, 1 and 2.
enum StandardStreams {
    /// Opens /dev/null in place of those that the caller left closed. Otherwise the next file that is opened takes
    /// the number, and what is meant for standard output, or the container's own output, goes into that file.
    static func ensureOpen() {
        clinux_open_missing_stdio()
    }
}
