internal import Diagnostics
internal import OCI

// Namespaces and what lives in them, paths that are covered, devices, cgroups.
extension Validator {
    static func checkNamespaces(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let namespaces = spec.linux?.namespaces else { return }
        for (index, namespace) in namespaces.enumerated() {
            if namespaces[..<index].contains(where: { $0.type == namespace.type }) {
                throw place.failure(
                    "linux.namespaces[\(index)].type", "namespace \(namespace.type.rawValue) is given twice")
            }
            if let path = namespace.path, !isAbsolute(path) {
                throw place.failure("linux.namespaces[\(index)].path", "must be an absolute path")
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
        _ name: String?, _ property: String, _ spec: Spec, _ place: Place
    ) throws(Failure) {
        guard let name else { return }
        if spec.linux?.namespace(.uts) == nil {
            throw place.failure(property, "cannot be set without a uts namespace")
        }
        if name.utf8.count > longestHostName {
            throw place.failure(property, "must have at most \(longestHostName) bytes, has \(name.utf8.count)")
        }
    }

    private static let propagations: [StaticString] = [
        "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
    ]

    static func checkPropagation(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let given = spec.linux?.rootfsPropagation else { return }
        if !propagations.contains(where: { given.isSame(as: $0) }) {
            throw place.failure(
                "linux.rootfsPropagation",
                "unknown propagation \(quoted(given)); known are shared, slave, private and unbindable")
        }
    }

    static func checkCoveredPaths(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let linux = spec.linux else { return }
        let hasMountNamespace = linux.namespace(.mount) != nil
        for (property, paths) in [("maskedPaths", linux.maskedPaths), ("readonlyPaths", linux.readonlyPaths)] {
            if !paths.isEmpty, !hasMountNamespace {
                throw place.failure("linux.\(property)", "cannot be set without a mount namespace")
            }
            for (index, path) in paths.enumerated() where !isAbsolute(path) {
                throw place.failure("linux.\(property)[\(index)]", "must be an absolute path")
            }
        }
    }

    static func checkDevices(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let devices = spec.linux?.devices else { return }
        for (index, device) in devices.enumerated() {
            let path = "linux.devices[\(index)]"
            if !isAbsolute(device.path) { throw place.failure(path + ".path", "must be an absolute path") }
            if PathText.cleaned(device.path).utf8.count == 1 {
                throw place.failure(path + ".path", "must not be the container's root")
            }
            if device.uid == noID { throw place.failure(path + ".uid", "must be less than \(noID)") }
            if device.gid == noID { throw place.failure(path + ".gid", "must be less than \(noID)") }
            // Engines copy st_mode, with the type in its upper bits.
            if let mode = device.fileMode, mode > 0o177777 {
                throw place.failure(path + ".fileMode", "must be at most 07777 (4095)")
            }
            if device.type != .fifo { try checkNumbers(device, path, place) }
        }
        try checkDeviceTwins(devices, place)
    }

    /// The kernel's dev_t has 12 bits for the major and 20 for the minor number.
    private static func checkNumbers(_ device: Spec.Linux.Device, _ path: String, _ place: Place) throws(Failure) {
        if !(0..<1 << 12).contains(device.major) {
            throw place.failure(path + ".major", "must be from 0 to 4095, is \(device.major)")
        }
        if !(0..<1 << 20).contains(device.minor) {
            throw place.failure(path + ".minor", "must be from 0 to 1048575, is \(device.minor)")
        }
    }

    /// One path cannot be two devices. The same one twice does no harm.
    private static func checkDeviceTwins(_ devices: [Spec.Linux.Device], _ place: Place) throws(Failure) {
        for (index, device) in devices.enumerated() {
            let isTwin = devices[..<index].contains { other in
                other.path.utf8.count == device.path.utf8.count && other.path.isSame(as: device.path)
                    && other != device
            }
            if isTwin {
                throw place.failure(
                    "linux.devices[\(index)].path", "\(quoted(device.path)) is given twice, as different devices")
            }
        }
    }

    static func checkPersonality(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let flags = spec.linux?.personality?.flags, let flag = flags.first else { return }
        throw place.failure("linux.personality.flags[0]", "unknown flag \(quoted(flag)); none are defined")
    }

    static func checkCgroupsPath(_ spec: Spec, _ place: Place) throws(Failure) {
        if let path = spec.linux?.cgroupsPath, climbs(path) {
            throw place.failure("linux.cgroupsPath", "must not contain \"..\"")
        }
    }
}
