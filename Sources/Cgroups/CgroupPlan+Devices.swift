internal import Diagnostics

extension CgroupPlan {
    /// By the devices controller where it is mounted, else by an eBPF program on the version 2 directory.
    ///
    /// - Parameter made: the directories that are new.
    func limitDevices(_ part: Part, _ made: [String]) throws(Failure) {
        if let exceptions = deviceExceptions {
            if part == .unified { return }
            let directory = cgroup.directories.first { $0.has("devices") }!
            return try exceptions.write(to: directory.path, isNew: made.contains(directory.path))
        }
        // With the directory it is attached to; without one the first part tells.
        if part == .legacy && cgroup.unified != nil { return }
        guard let directory = cgroup.unified else {
            if devices.isUnlimited { return }
            throw Failure(
                .unsupported, "needs the cgroup controller devices, which is not mounted",
                at: "linux.resources.devices")
        }
        let isNew = made.contains(directory.path)
        if isNew && devices.isUnlimited { return }
        let attachment = try DeviceAttachment(directory.path)
        if isNew {
            try attachment.add(DeviceProgram(devices))
        } else {
            // An earlier container may have left its own.
            try attachment.set(devices.isUnlimited ? nil : DeviceProgram(devices))
        }
    }
}
