internal import CLinux
internal import Diagnostics
internal import Linux

extension CgroupPlan {
    /// By the devices controller where it is mounted, else by an eBPF program on the version 2 directory.
    ///
    /// - Parameter made: the directories that are new.
    func limitDevices(_ part: Part, _ made: [String]) throws(Failure) {
        if let exceptions = deviceExceptions {
            if part == .unified { return }
            let directory = cgroup.directories.first { $0.has("devices") }!
            return try Self.apply(exceptions, to: directory, isNew: made.contains(directory.path))
        }
        if devices.allowsByDefault && devices.rules.isEmpty { return }
        // With the directory it is attached to; without one the first part tells.
        if part == .legacy && cgroup.unified != nil { return }
        guard let directory = cgroup.unified else {
            throw Failure(
                .unsupported, "needs the cgroup controller devices, which is not mounted",
                at: "linux.resources.devices")
        }
        try Self.attach(DeviceProgram(devices), to: directory)
    }

    /// A new cgroup starts with what its parent may use. Each line is a write of its own.
    private static func apply(
        _ policy: DeviceExceptions, to directory: Cgroup.Directory, isNew: Bool
    ) throws(Failure) {
        let exceptionFile: String
        if policy.allowsByDefault {
            if !isNew { try resetDevices(directory.path + "/devices.allow") }
            exceptionFile = directory.path + "/devices.deny"
        } else {
            try resetDevices(directory.path + "/devices.deny")
            exceptionFile = directory.path + "/devices.allow"
        }
        guard !policy.exceptions.isEmpty else { return }
        let file = try Descriptor.open(exceptionFile, O.writeOnly)
        for exception in policy.exceptions {
            var line = exception.line
            let result = line.withUTF8 { clinux_write_all(file.raw, $0.baseAddress!, $0.count) }
            if result == 0 { continue }
            // What everybody may use, but the parent forbids, stays forbidden.
            if result == -CgroupErrno.permission && exception.place == nil { continue }
            throw Failure.system(
                -result, "write \(line) to \(exceptionFile)", "cannot allow or deny the device \(line)"
            ).located(at: exception.place ?? "linux.resources.devices")
        }
    }

    private static func resetDevices(_ path: String) throws(Failure) {
        let result = CgroupFile.write("a", to: path)
        guard result < 0 else { return }
        throw Failure.system(-result, "write a to \(path)", "cannot set which devices may be used")
            .located(at: "linux.resources.devices")
    }

    private static func attach(_ program: DeviceProgram, to directory: Cgroup.Directory) throws(Failure) {
        let place = "linux.resources.devices"
        var result: CInt = 0
        let log = [CChar](unsafeUninitializedCapacity: 4096) { log, count in
            result = clinux_bpf_load_device(
                program.instructions, program.instructions.count, log.baseAddress!, log.count)
            count = log.count
        }
        if result < 0 {
            let said = log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let lastLine = said.split(separator: UInt8(ascii: "\n")).last.map {
                ": " + String(decoding: $0, as: UTF8.self)
            }
            throw Failure.system(
                -result, "bpf BPF_PROG_LOAD",
                "cannot load the program that decides about devices\(lastLine ?? "")"
            ).located(at: place)
        }
        let loaded = Descriptor(adopting: result)
        let target = try Descriptor.open(directory.path, O.readOnly | O.directory)
        let attached = clinux_bpf_attach_device(loaded.raw, target.raw)
        if attached < 0 {
            throw Failure.system(
                -attached, "bpf BPF_PROG_ATTACH to \(directory.path)", "cannot set which devices may be used"
            ).located(at: place)
        }
    }
}
