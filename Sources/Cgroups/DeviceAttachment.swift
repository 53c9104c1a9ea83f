internal import CLinux
internal import Diagnostics
internal import Linux

/// The program of a version 2 directory that decides about devices. Others may be attached beside it, systemd's or an
/// engine's: all of them have to allow what is to be allowed.
struct DeviceAttachment: ~Copyable {
    private let path: String
    private let directory: Descriptor

    init(_ path: String) throws(Failure) {
        self.path = path
        directory = try Descriptor.open(path, O.readOnly | O.directory)
    }

    /// Attaches a program to a directory that has none of ours.
    func add(_ program: DeviceProgram) throws(Failure) {
        let loaded = try Self.load(program)
        try attach(loaded.raw, inPlaceOf: -1)
    }

    /// Puts a program in the place of ours, if there is one: no access is ever decided by none, or by both. nil takes
    /// ours away.
    func set(_ program: DeviceProgram?) throws(Failure) {
        let present = try identifiers()
        var isPlaced = true
        var fresh: CInt = -1
        if let program {
            fresh = try Self.load(program).release()
            isPlaced = false
        }
        defer { if fresh >= 0 { _ = clinux_close(fresh) } }
        for identifier in present {
            let raw = clinux_bpf_open_program(identifier)
            if raw == -CgroupErrno.notFound { continue }
            let found = Descriptor(
                adopting: try check(raw, "bpf BPF_PROG_GET_FD_BY_ID", "cannot look at a program of \(path)"))
            guard clinux_bpf_is_own(found.raw) == 1 else { continue }
            if isPlaced {
                _ = try check(
                    clinux_bpf_detach_device(found.raw, directory.raw), "bpf BPF_PROG_DETACH from \(path)",
                    "cannot take away the program that decides about devices")
            } else {
                try attach(fresh, inPlaceOf: found.raw)
                isPlaced = true
            }
        }
        if !isPlaced { try attach(fresh, inPlaceOf: -1) }
    }

    /// The kernel allows 64 programs on one directory (BPF_CGROUP_MAX_PROGS).
    private static let capacity = 64

    private func identifiers() throws(Failure) -> [UInt32] {
        var count: CInt = 0
        let raw = directory.raw
        let list = [UInt32](unsafeUninitializedCapacity: Self.capacity) { buffer, used in
            count = clinux_bpf_query_devices(raw, buffer.baseAddress!, buffer.count)
            used = Int(max(count, 0))
        }
        _ = try check(count, "bpf BPF_PROG_QUERY of \(path)", "cannot tell which devices may be used")
        return list
    }

    private func attach(_ program: CInt, inPlaceOf replaced: CInt) throws(Failure) {
        let attached = clinux_bpf_attach_device(program, directory.raw, replaced)
        guard attached < 0 else { return }
        throw Failure.system(
            -attached, "bpf BPF_PROG_ATTACH to \(path)", "cannot set which devices may be used"
        ).located(at: Self.place)
    }

    private static let place = "linux.resources.devices"

    private static func load(_ program: DeviceProgram) throws(Failure) -> Descriptor {
        var result: CInt = 0
        let log = [CChar](unsafeUninitializedCapacity: 4096) { log, count in
            result = clinux_bpf_load_device(
                program.instructions, program.instructions.count, log.baseAddress!, log.count)
            count = log.count
        }
        guard result < 0 else { return Descriptor(adopting: result) }
        let said = log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let lastLine = said.split(separator: UInt8(ascii: "\n")).last.map {
            ": " + String(decoding: $0, as: UTF8.self)
        }
        throw Failure.system(
            -result, "bpf BPF_PROG_LOAD",
            "cannot load the program that decides about devices\(lastLine ?? "")"
        ).located(at: place)
    }
}
