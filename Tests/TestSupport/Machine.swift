import Foundation

/// What the tests need of the machine, and where things are.
package enum Machine {
    /// The repository.
    package static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The static binary under test.
    package static let gantry = ProcessInfo.processInfo.environment["GANTRY"] ?? repository + "/bin/gantry"

    /// The same; where GANTRY is a script that calls it, GANTRY_PROGRAM says what it calls.
    package static let program = ProcessInfo.processInfo.environment["GANTRY_PROGRAM"] ?? gantry

    /// By how much time limits against hangs are longer than on a common machine: an emulated one is slow.
    package static let patience =
        Double(ProcessInfo.processInfo.environment["GANTRY_TEST_PATIENCE"] ?? "") ?? 1

    /// Who makes cgroups where a test does not say so: GANTRY_TEST_CGROUP_MANAGER is `cgroupfs` (default) or `systemd`.
    package static let usesSystemd =
        ProcessInfo.processInfo.environment["GANTRY_TEST_CGROUP_MANAGER"] == "systemd"

    package static let isRoot = geteuid() == 0
    package static let hasBinary = FileManager.default.isExecutableFile(atPath: gantry)
    package static let runc = find("runc")
    package static let crun = find("crun")
    package static let busybox = find("busybox")

    /// Why no container can be run here, or nil.
    package static let obstacle: String? =
        !isRoot
        ? "containers need root"
        : !hasBinary
            ? "bin/gantry is missing: run scripts/build"
            : busybox == nil ? "busybox-static is missing: run scripts/test" : nil

    package static let canRunContainers = obstacle == nil

    /// Bit N is capability N (capabilities(7)).
    package static let permittedCapabilities: UInt64 = {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapPrm:") }
        return UInt64(line?.suffix(16) ?? "", radix: 16) ?? 0
    }()

    package static func kernel(isAtLeast major: Int, _ minor: Int) -> Bool {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return (version.majorVersion, version.minorVersion) >= (major, minor)
    }

    package static func find(_ name: String) -> String? {
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
            .map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
