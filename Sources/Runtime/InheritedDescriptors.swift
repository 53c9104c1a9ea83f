internal import CLinux
internal import Diagnostics
internal import Linux

/// What the caller left open besides stdio.
enum InheritedDescriptors {
    /// Makes sure that nothing reaches a container that it was not meant to have (CVE-2024-21626):
    /// descriptors above stdio and the `count` preserved ones are closed at every exec. The preserved ones
    /// must exist.
    ///
    /// - Parameter sockets: how many come from socket activation, before those.
    static func seal(preserving count: Int, behind sockets: Int = 0) throws(Failure) {
        let last = 3 + sockets + count
        for number in 3..<last where clinux_fd_exists(CInt(number)) < 0 {
            let isSocket = number < 3 + sockets
            throw Failure(
                .usage,
                "file descriptor \(number) is not open; \(isSocket ? sockets : count) were to be "
                    + (isSocket ? "handed on" : "preserved"), at: isSocket ? "LISTEN_FDS" : "--preserve-fds")
        }
        _ = try check(
            clinux_cloexec_from(UInt32(last)), "close_range", "cannot protect inherited descriptors")
    }
}
