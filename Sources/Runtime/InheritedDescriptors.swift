internal import CLinux
internal import Diagnostics
internal import Linux

/// What the caller left open besides stdio.
enum InheritedDescriptors {
    /// Makes sure that nothing reaches a container that it was not meant to have (CVE-2024-21626):
    /// descriptors above stdio and the `count` preserved ones are closed at every exec. The preserved ones
    /// must exist.
    static func seal(preserving count: Int) throws(Failure) {
        for number in 0..<count where clinux_fd_exists(CInt(3 + number)) < 0 {
            throw Failure(
                .usage, "file descriptor \(3 + number) is not open; \(count) were to be preserved",
                at: "--preserve-fds")
        }
        _ = try check(
            clinux_cloexec_from(UInt32(3 + count)), "close_range", "cannot protect inherited descriptors")
    }
}
