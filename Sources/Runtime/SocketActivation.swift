internal import CLinux

/// Sockets that somebody has opened for the program and hands on from descriptor 3 on (sd_listen_fds(3)).
public enum SocketActivation {
    /// How many there are. LISTEN_PID says for whom they are: what is meant for another process is none of ours, nor
    /// are numbers that are none.
    public static func count() -> Int {
        guard let fds = clinux_getenv("LISTEN_FDS"), let pid = clinux_getenv("LISTEN_PID"),
            let count = Int32(String(cString: fds)), count > 0, Int32(String(cString: pid)) == clinux_pid()
        else { return 0 }
        return Int(count)
    }

    /// What the container's process is told: in its pid namespace it has number 1.
    static func environment(_ count: Int) -> [String] {
        count > 0 ? ["LISTEN_FDS=\(count)", "LISTEN_PID=1"] : []
    }
}
