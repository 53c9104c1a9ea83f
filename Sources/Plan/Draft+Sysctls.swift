internal import Diagnostics
internal import OCI

/// linux.sysctl: kernel parameters that belong to a namespace (sysctl(8)). The validator knows which ones do.
extension Draft {
    mutating func planSysctls() throws(Failure) {
        for (index, entry) in linux.sysctl.enumerated() {
            steps.origin = Origin("linux.sysctl", index)
            let path = SysctlName.path(of: entry.key)
            try checkSysctl(path, key: entry.key)
            let file = steps.position
            steps.append(literal: "sys/")
            _ = try steps.text(path)
            try write(file, entry.value)
        }
    }

    private func checkSysctl(_ path: String, key: String) throws(Failure) {
        for part in path.utf8.split(separator: PathText.slash, omittingEmptySubsequences: false)
        where part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
            throw Failure(.invalid, "is not the name of a kernel parameter", at: "linux.sysctl.\(key)")
        }
        if facts.joinsOwnNetwork, path.utf8.starts(with: "net/".utf8) {
            throw Failure(
                .invalid, "the network namespace is the host's: it would change the host",
                at: "linux.sysctl.\(key)")
        }
    }
}
