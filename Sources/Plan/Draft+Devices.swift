internal import CPlan
internal import Diagnostics
internal import OCI

/// /dev: the devices that every container has (config-linux.md, "Default Devices"), those of linux.devices,
/// and the links that programs expect.
extension Draft {
    /// A /dev that is bound from somewhere is somebody else's: nothing is made in it.
    var setsUpDev: Bool {
        for mount in spec.mounts where PathText.cleaned(mount.destination).isSame(as: "/dev") {
            return !mount.options.contains { $0.isSame(as: "bind") || $0.isSame(as: "rbind") }
        }
        return true
    }

    mutating func planDevices() throws(Failure) {
        guard setsUpDev else {
            if linux.devices.isEmpty { return }
            throw Failure(
                .invalid, "devices cannot be made in a /dev that is a bind mount; bind them one by one",
                at: "linux.devices")
        }
        steps.origin = .none
        let path = steps.literal("/dev")
        steps.add(.openTarget, flags: UInt32(CPLAN_F_DIRECTORY), dst: Slot.dev, src: Slot.root, str: path)
        var paths: [String] = []
        paths.reserveCapacity(linux.devices.count)
        for device in linux.devices { paths.append(PathText.cleaned(device.path)) }
        addDefault("null", "/dev/null", 1, 3, paths)
        addDefault("zero", "/dev/zero", 1, 5, paths)
        addDefault("full", "/dev/full", 1, 7, paths)
        addDefault("random", "/dev/random", 1, 8, paths)
        addDefault("urandom", "/dev/urandom", 1, 9, paths)
        addDefault("tty", "/dev/tty", 5, 0, paths)
        for index in linux.devices.indices { try planDevice(index, path: paths[index]) }
        planLinks()
    }

    /// A device that every container has, unless the configuration has its own one there.
    private mutating func addDefault(
        _ name: StaticString, _ path: StaticString, _ major: UInt32, _ minor: UInt32, _ given: [String]
    ) {
        for other in given where other.isSame(as: path) { return }
        let text = steps.literal(name)
        steps.add(.mknod, src: Slot.dev, str: text, FileType.character | 0o666, deviceNumber(major, minor))
    }

    private mutating func planDevice(_ index: Int, path: String) throws(Failure) {
        // A link to the devpts mount, see below: a node would be another terminal multiplexer.
        if path.isSame(as: "/dev/ptmx") { return }
        let device = linux.devices[index]
        steps.origin = Origin("linux.devices", index)
        guard !path.isSame(as: "/") else {
            throw Failure(.invalid, "must be the path of a device", at: "linux.devices[\(index)].path")
        }
        let type: UInt64
        switch device.type {
        case .character, .unbuffered: type = FileType.character
        case .block: type = FileType.block
        case .fifo: type = FileType.fifo
        }
        var number: UInt64 = 0
        if device.type != .fifo {
            guard (0..<4096).contains(device.major), (0..<1_048_576).contains(device.minor) else {
                throw Failure(
                    .invalid, "major must be 0…4095 and minor 0…1048575", at: "linux.devices[\(index)]")
            }
            number = deviceNumber(UInt32(device.major), UInt32(device.minor))
        }
        let mode = type | UInt64(device.fileMode ?? 0o666) & 0o7777
        let owner = UInt64(device.uid ?? 0) | UInt64(device.gid ?? 0) << 32

        let (parent, name) = PathText.split(path)
        var slot = Slot.dev
        if !parent.isSame(as: "/dev") {
            slot = Slot.parent
            let text = try steps.text(parent)
            steps.add(
                .openTarget, flags: UInt32(CPLAN_F_DIRECTORY | CPLAN_F_REFUSE_PROC), dst: slot,
                src: Slot.root,
                str: text)
        }
        let text = try steps.text(name)
        steps.add(.mknod, src: slot, str: text, mode, number, owner)
    }

    private mutating func planLinks() {
        steps.origin = .none
        // Of the container's own devpts; an image may have brought a node.
        addLink("ptmx", "pts/ptmx", replaces: true)
        addLink("fd", "/proc/self/fd", replaces: false)
        addLink("stdin", "/proc/self/fd/0", replaces: false)
        addLink("stdout", "/proc/self/fd/1", replaces: false)
        addLink("stderr", "/proc/self/fd/2", replaces: false)
        if facts.hasKcore { addLink("core", "/proc/kcore", replaces: false) }
    }

    private mutating func addLink(_ name: StaticString, _ target: StaticString, replaces: Bool) {
        let link = steps.literal(name)
        let text = steps.literal(target)
        steps.add(
            .symlink, flags: replaces ? UInt32(CPLAN_F_REPLACE) : 0, src: Slot.dev, str: link, str2: text)
    }
}
