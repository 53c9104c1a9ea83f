internal import Diagnostics
internal import OCI

/// `linux.resources` as files and values. Pure.
///
/// Zero means "not set" wherever the property has no use for it, since engines write zeros for what they do
/// not set. Devices are apart (`DevicePolicy`): they are no values of files on cgroup v2.
struct ResourceSettings: Equatable, Sendable {
    enum Version: Sendable { case v1, v2 }

    /// In the order in which they are to be written into a new cgroup.
    private(set) var settings: [Setting] = []
    /// Sentences about what is left out, with their place.
    private(set) var warnings: [String] = []
    let version: Version

    /// - Throws: `invalid` or `unsupported`, at the property's JSON path.
    init(_ resources: Spec.Linux.Resources?, _ version: Version) throws(Failure) {
        self.version = version
        guard let resources else { return }
        if let memory = resources.memory { try add(memory) }
        if let cpu = resources.cpu { try add(cpu) }
        if let pids = resources.pids { add(pids) }
        if let blockIO = resources.blockIO { try add(blockIO) }
        add(resources.hugepageLimits)
        if let network = resources.network { try add(network) }
        add(resources.rdma)
        // Last: what names a file knows better.
        try add(unified: resources.unified)
    }

    mutating func add(_ setting: Setting) {
        settings.append(setting)
    }

    mutating func warn(_ place: String, _ message: String) {
        warnings.append(place + ": " + message)
    }
}
