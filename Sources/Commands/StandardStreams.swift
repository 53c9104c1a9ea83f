internal import Glibc

/// Descriptors 0, 1 and 2.
enum StandardStreams {
    /// Opens /dev/null in place of those that the caller left closed. Otherwise the next file that is opened takes
    /// the number, and what is meant for standard output, or the container's own output, goes into that file.
    static func ensureOpen() {
        var streams: (pollfd, pollfd, pollfd) = (
            pollfd(fd: 0, events: 0, revents: 0), pollfd(fd: 1, events: 0, revents: 0),
            pollfd(fd: 2, events: 0, revents: 0)
        )
        let closed = withUnsafeMutableBytes(of: &streams) { bytes in
            let streams = bytes.bindMemory(to: pollfd.self)
            // One call asks after all three.
            _ = poll(streams.baseAddress, nfds_t(streams.count), 0)
            return streams.filter { $0.revents & Int16(POLLNVAL) != 0 }.count
        }
        // The lowest free number is the lowest closed stream.
        for _ in 0..<closed { _ = open("/dev/null", O_RDWR) }
    }
}
