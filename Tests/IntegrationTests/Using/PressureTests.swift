import Foundation
import Testing

/// What `events --stats` tells of waiting for processors, memory and devices (PSI), where the kernel counts it for cgroups:
/// on version 2.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct PressureTests {
    private static let isCounted =
        FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
        && FileManager.default.fileExists(atPath: "/proc/pressure/memory")

    @Test(.enabled(if: isCounted, "there is no cgroup v2 alone, or a kernel without PSI"))
    func isTold() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("events", "--stats", container.id)
            let object = try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
            let document = try #require(object as? [String: Any], "\(outcome)")
            for resource in ["cpu", "memory", "blkio"] {
                for kind in ["some", "full"] {
                    let path = ["data", resource, "psi", kind]
                    let line = try #require(document.value(path) as? [String: Any], "\(path) in \(outcome)")
                    #expect(Set(line.keys) == ["avg10", "avg60", "avg300", "total"])
                    #expect((line["total"] as? Int).map { $0 >= 0 } ?? false, "\(line)")
                }
            }
        }
    }
}
