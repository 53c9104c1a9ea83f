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
        if let sets = spec.process?.capabilities { warn(sets, &warnings) }
        for (index, mount) in spec.mounts.enumerated() where !isAbsolute(mount.destination) {
            warnings.append("mounts[\(index)].destination: is not absolute, taken as /\(mount.destination)")
        }
        return warnings
    }

    private static func warn(_ sets: Spec.Process.Capabilities, _ warnings: inout [String]) {
        let all: [(name: StaticString, names: [String])] = [
            ("bounding", sets.bounding), ("effective", sets.effective), ("inheritable", sets.inheritable),
            ("permitted", sets.permitted), ("ambient", sets.ambient),
        ]
        for set in all {
            for (index, name) in set.names.enumerated() where NameTable.capabilities.number(of: name) == nil {
                warnings.append(
                    "process.capabilities.\(set.name)[\(index)]: unknown capability \(quoted(name)), ignored")
            }
        }
    }
}
