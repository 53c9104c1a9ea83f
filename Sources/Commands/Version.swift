internal import CBuildInfo
internal import CSeccomp
internal import OCI

/// What `gantry --version` tells.
enum Version {
    static let number = "0.1.0"
    /// The runtime-spec that gantry is written against.
    static let specification = Spec.implementedVersion

    /// Lines that engines parse: Docker looks for "version" and "commit:".
    static var text: String {
        """
        gantry version \(number)
        commit: \(String(cString: cbuildinfo_commit()))
        spec: \(specification)
        libseccomp: \(libseccomp)

        """
    }

    /// The library's version; `unknown` when it does not tell.
    static var libseccomp: String {
        guard let version = seccomp_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }
}
