internal import Diagnostics
internal import OCI

// Namespaces and what lives in them, paths that are covered, devices, cgroups.
extension Validator {
    static func checkNamespaces(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        let namespaces = linux.namespaces
        for (index, namespace) in namespaces.enumerated() {
            if namespaces[..<index].contains(where: { $0.type == namespace.type }) {
                throw place.failure(
                    "namespaces[\(index)].type", "namespace \(namespace.type.rawValue) is given twice")
            }
            if let path = namespace.path, !isAbsolute(path) {
                throw place.failure("namespaces[\(index)].path", "must be an absolute path")
            }
        }
    }

    /// Longest host or domain name in bytes (`__NEW_UTS_LEN`).
    private static let longestHostName = 64

    static func checkHostNames(_ spec: Spec, _ place: Place) throws(Failure) {
        try checkHostName(spec.hostname, "hostname", spec, place)
        try checkHostName(spec.domainname, "domainname", spec, place)
    }

    private static func checkHostName(
        _ name: String?, _ property: StaticString, _ spec: Spec, _ place: Place
    ) throws(Failure) {
        guard let name else { return }
        if spec.linux?.namespace(.uts) == nil {
            throw place.failure("\(property)", "cannot be set without a uts namespace")
        }
        if name.utf8.count > longestHostName {
            throw place.failure(
                "\(property)", "must have at most \(longestHostName) bytes, has \(name.utf8.count)")
        }
    }

    private static let propagations: [StaticString] = [
        "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
    ]

    static func checkPropagation(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        guard let given = linux.rootfsPropagation else { return }
        if !propagations.contains(where: { given.isSame(as: $0) }) {
            throw place.failure(
                "rootfsPropagation",
                "unknown propagation \(quoted(given)); known are shared, slave, private and unbindable")
        }
    }

    static func checkCoveredPaths(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        try checkCoveredPaths(linux.maskedPaths, "maskedPaths", linux, place)
        try checkCoveredPaths(linux.readonlyPaths, "readonlyPaths", linux, place)
    }

    private static func checkCoveredPaths(
        _ paths: [String], _ property: StaticString, _ linux: Spec.Linux, _ place: Place
    ) throws(Failure) {
        if !paths.isEmpty, linux.namespace(.mount) == nil {
            throw place.failure("\(property)", "cannot be set without a mount namespace")
        }
        for (index, path) in paths.enumerated() where !isAbsolute(path) {
            throw place.failure("\(property)[\(index)]", "must be an absolute path")
        }
    }

    static func checkDevices(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        let devices = linux.devices
        for (index, device) in devices.enumerated() {
            if let (property, message) = problem(of: device) {
                throw place.failure("devices[\(index)].\(property)", message)
            }
        }
        try checkDeviceTwins(devices, place)
    }

    private static func problem(of device: Spec.Linux.Device) -> (property: StaticString, message: String)? {
        if !isAbsolute(device.path) { return ("path", "must be an absolute path") }
        if isRoot(device.path) {
            return ("path", "must not be the container's root")
        }
        if device.uid == noID { return ("uid", "must be less than \(noID)") }
        if device.gid == noID { return ("gid", "must be less than \(noID)") }
        // Engines copy st_mode, with the type in its upper bits.
        if let mode = device.fileMode, mode > 0o177777 { return ("fileMode", "must be at most 07777 (4095)") }
        if device.type == .fifo { return nil }
        // The kernel's dev_t has 12 bits for the major and 20 for the minor number.
        if !(0..<1 << 12).contains(device.major) {
            return ("major", "must be from 0 to 4095, is \(device.major)")
        }
        if !(0..<1 << 20).contains(device.minor) {
            return ("minor", "must be from 0 to 1048575, is \(device.minor)")
        }
        return nil
    }

    /// One path cannot be two devices. The same one twice does no harm.
    private static func checkDeviceTwins(_ devices: [Spec.Linux.Device], _ place: Place) throws(Failure) {
        if devices.count < 2 { return }
        // A privileged container has all devices of its host. Only paths that share a place in this table are
        // compared.
        var seen = [UInt8](repeating: 0, count: 4096)
        for (index, device) in devices.enumerated() {
            let slot = hash(device.path) & 4095
            defer { seen[slot] = 1 }
            if seen[slot] == 0 { continue }
            if devices[..<index].contains(where: { $0.path.isSame(as: device.path) && $0 != device }) {
                throw place.failure(
                    "devices[\(index)].path", "\(quoted(device.path)) is given twice, as different devices")
            }
        }
    }

    /// FNV-1a, 32 bits.
    private static func hash(_ text: String) -> Int {
        var hash: UInt32 = 0x811C_9DC5
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Int(hash)
    }

    static func checkPersonality(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        guard let flag = linux.personality?.flags.first else { return }
        throw place.failure("personality.flags[0]", "unknown flag \(quoted(flag)); none are defined")
    }

    static func checkCgroupsPath(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        if let path = linux.cgroupsPath, climbs(path) {
            throw place.failure("cgroupsPath", "must not contain \"..\"")
        }
    }
}
