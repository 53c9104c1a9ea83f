internal import CLinux
internal import Diagnostics
internal import Linux

// devices.allow and devices.deny (Documentation/admin-guide/cgroup-v1/devices.rst). Each line is a write of its own.
extension DeviceExceptions {
    /// Sets default and exceptions.
    ///
    /// - Parameter isNew: the directory starts with what its parent may use.
    func write(to directory: String, isNew: Bool) throws(Failure) {
        if !allowsByDefault || !isNew {
            let path = directory + (allowsByDefault ? "/devices.allow" : "/devices.deny")
            let result = CgroupFile.write("a", to: path)
            if result < 0 {
                throw Failure.system(-result, "write a to \(path)", "cannot set which devices may be used")
                    .located(at: "linux.resources.devices")
            }
        }
        try Self.write(exceptions, to: directory, allow: !allowsByDefault)
    }

    /// Sets the exceptions where others from the same default are, what allows before what denies.
    func write(to directory: String, over old: DeviceExceptions) throws(Failure) {
        let gone = old.exceptions(without: self)
        if allowsByDefault { try Self.write(gone, to: directory, allow: true) }
        // All of them: the kernel merges what it has already.
        try Self.write(exceptions, to: directory, allow: !allowsByDefault)
        if !allowsByDefault { try Self.write(gone, to: directory, allow: false) }
    }

    private static func write(_ lines: [Exception], to directory: String, allow: Bool) throws(Failure) {
        guard !lines.isEmpty else { return }
        let path = directory + (allow ? "/devices.allow" : "/devices.deny")
        let file = try Descriptor.open(path, O.writeOnly)
        for exception in lines {
            var line = exception.line
            let result = line.withUTF8 { clinux_write_all(file.raw, $0.baseAddress!, $0.count) }
            if result == 0 { continue }
            // What everybody may use, but the parent forbids, stays forbidden.
            if result == -CgroupErrno.permission && exception.place == nil { continue }
            throw Failure.system(
                -result, "write \(line) to \(path)", "cannot allow or deny the device \(line)"
            )
            .located(at: exception.place ?? "linux.resources.devices")
        }
    }
}
