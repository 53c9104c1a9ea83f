/// Names of capabilities as people write them.
public enum CapabilityName {
    /// `CAP_KILL` for `CAP_KILL`, `cap_kill` and `kill`; nil for a name that nobody knows.
    public static func canonical(_ text: String) -> String? {
        let upper = text.utf8.map { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") ? $0 - 32 : $0 }
        let name = String(decoding: upper, as: UTF8.self)
        for candidate in [name, "CAP_" + name] where NameTable.capabilities.number(of: candidate) != nil {
            return candidate
        }
        return nil
    }
}
