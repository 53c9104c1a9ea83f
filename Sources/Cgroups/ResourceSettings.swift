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
    }

    mutating func add(_ setting: Setting) {
        settings.append(setting)
    }

    mutating func warn(_ place: String, _ message: String) {
        warnings.append(place + ": " + message)
    }
}

extension ResourceSettings {
    /// A number of 0 and more is written as it is, so that 0 is no more than the process itself: the kernel
    /// charges forks, not what is there. A version 2 cgroup with 0 could not even be entered by clone3(2), so
    /// 0 becomes 1, which allows the same.
    private mutating func add(_ pids: Spec.Linux.Resources.Pids) {
        guard let limit = pids.limit else { return }
        add(
            Setting(
                controller: "pids", file: "pids.max", value: limit < 0 ? "max" : String(max(limit, 1)),
                place: "linux.resources.pids.limit"))
    }
}
