public import OCI

extension Validator {
    /// What is allowed and probably not meant. The container starts all the same.
    ///
    /// - Returns: one sentence each, with its JSON path.
    public static func warnings(_ spec: Spec) -> [String] {
        var warnings: [String] = []
        if let (major, minor) = version(spec.ociVersion), major == newestVersion.major,
            minor > newestVersion.minor
        {
            warnings.append(
                "ociVersion: \(spec.ociVersion) is newer than \(newestVersion.major).\(newestVersion.minor);"
                    + " what it added is ignored")
        }
        for (index, mount) in spec.mounts.enumerated() where !isAbsolute(mount.destination) {
            warnings.append("mounts[\(index)].destination: is not absolute, taken as /\(mount.destination)")
        }
        return warnings
    }
}
