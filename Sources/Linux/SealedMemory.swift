internal import CLinux
public import Diagnostics

/// Files in memory that nobody can change any more (memfd_create(2), F_ADD_SEALS).
public enum SealedMemory {
    /// - Parameter executable: it is to be executed (MFD_EXEC, Linux 6.3).
    public static func file(
        _ name: String, _ bytes: [UInt8], executable: Bool
    ) throws(Failure) -> Descriptor {
        let raw = try check(
            clinux_memfd(name, executable ? 1 : 0), "memfd_create", "cannot hold the \(name) in memory")
        let file = Descriptor(adopting: raw)
        try file.write(bytes, name: name)
        _ = try check(clinux_memfd_seal(raw), "fcntl F_ADD_SEALS", "cannot seal the \(name)")
        return file
    }
}
