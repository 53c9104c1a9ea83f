/// The name of a kernel parameter (sysctl(8)).
enum SysctlName {
    /// Its path below `/proc/sys`: `net/ipv4/ip_forward`. The first separator of the name decides which of
    /// `.` and `/` separates in it; the other one stands for the opposite, so that
    /// `net.ipv4.conf.eth0/1.forwarding` and `net/ipv4/conf/eth0.1/forwarding` are the same.
    static func path(of name: String) -> String {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard name.utf8.first(where: { $0 == dot || $0 == slash }) == dot else { return name }
        let bytes = name.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
