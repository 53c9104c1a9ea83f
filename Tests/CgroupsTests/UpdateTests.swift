import Diagnostics
import Foundation
import OCI
import Testing

@testable import Cgroups

/// Updates and statistics of version 2, on a directory that looks like one.
@Suite struct UpdateTests {
    private func withDirectory(_ files: [String: String], _ body: (Cgroup, String) throws -> Void) throws {
        let path = "/tmp/" + freshName()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (name, text) in files {
            try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
        }
        try body(try Cgroup([Cgroup.Directory(controllers: "", path: path)]), path)
    }

    private func resources(_ text: String) throws -> Spec.Linux.Resources {
        try Spec.Linux.Resources.load(json: Array(text.utf8))
    }

    private static let files = [
        "cgroup.controllers": "cpuset cpu memory pids\n", "memory.max": "max\n", "memory.swap.max": "max\n",
        "memory.current": "1000\n", "pids.max": "max\n", "cpu.max": "max 100000\n", "cpu.weight": "100\n",
    ]

    /// The quota alone is new, and the file has both.
    @Test func bothHalvesOfALine() throws {
        try withDirectory(Self.files) { cgroup, path in
            let all = try resources(
                #"{"cpu":{"quota":5,"period":50},"memory":{"limit":8},"pids":{"limit":3}}"#)
            _ = try cgroup.update(to: all, changing: try resources(#"{"cpu":{"quota":5}}"#)) {}
            #expect(read(path + "/cpu.max")?.hasPrefix("5 50") == true)
            #expect(read(path + "/memory.max") == "max")
            #expect(read(path + "/pids.max") == "max")
        }
    }

    @Test func swapIsWhatIsNotMemory() throws {
        try withDirectory(Self.files) { cgroup, path in
            let all = try resources(#"{"memory":{"limit":3000,"swap":5000}}"#)
            _ = try cgroup.update(to: all, changing: try resources(#"{"memory":{"limit":3000}}"#)) {}
            #expect(read(path + "/memory.max") == "3000")
            #expect(read(path + "/memory.swap.max") == "2000")
        }
    }

    /// What cannot be kept is not in force either.
    @Test func takenBackWhenItCannotBeKept() throws {
        try withDirectory(Self.files) { cgroup, path in
            let all = try resources(#"{"pids":{"limit":300}}"#)
            #expect(throws: Failure.self) {
                _ = try cgroup.update(to: all, changing: all) { () throws(Failure) in
                    #expect(read(path + "/pids.max") == "300")
                    throw Failure(.system, "the disk is full")
                }
            }
            #expect(read(path + "/pids.max") == "max")
        }
    }

    @Test func checkBeforeUpdate() throws {
        try withDirectory(Self.files) { cgroup, path in
            let all = try resources(#"{"memory":{"limit":999,"checkBeforeUpdate":true}}"#)
            #expect(throws: Failure.self) { _ = try cgroup.update(to: all, changing: all) {} }
            #expect(read(path + "/memory.max") == "max")
        }
    }

    @Test func aControllerThatIsNotThere() throws {
        try withDirectory(["cgroup.controllers": "pids\n"]) { cgroup, _ in
            let all = try resources(#"{"memory":{"limit":999}}"#)
            do throws(Failure) {
                _ = try cgroup.update(to: all, changing: all) {}
                Issue.record("was not refused")
            } catch {
                #expect(error.description.contains("needs the cgroup controller memory"))
            }
        }
    }

    @Test func statisticsOfVersion2() throws {
        let files = [
            "cpu.stat":
                "usage_usec 12\nuser_usec 5\nsystem_usec 7\nnr_periods 3\nnr_throttled 2\nthrottled_usec 9\n",
            "memory.stat": "file 40\nanon 30\n", "memory.current": "100\n", "memory.max": "200\n",
            "memory.peak": "150\n", "memory.events": "low 0\nmax 4\noom_kill 1\n",
            "memory.swap.current": "11\n",
            "memory.swap.max": "50\n", "pids.current": "6\n", "pids.max": "max\n",
            "io.stat": "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:0\n",
            "hugetlb.2MB.current": "4096\n", "hugetlb.2MB.events": "max 8\n",
            "memory.pressure": "some avg10=0.25 avg60=1.00 avg300=0.00 total=77\nfull avg10=0.00 total=1\n",
            "cpuset.cpus.effective": "0-2,5\n",
        ]
        try withDirectory(files) { cgroup, _ in
            let statistics = cgroup.statistics()
            #expect(statistics.cpu.total == 12000)
            #expect(statistics.cpu.user == 5000)
            #expect(statistics.cpu.kernel == 7000)
            #expect(statistics.cpu.throttledTime == 9000)
            #expect(statistics.cpuset.cpus == [0, 1, 2, 5])
            #expect(statistics.memory.cache == 40)
            #expect(statistics.memory.usage.usage == 100)
            #expect(statistics.memory.usage.peak == 150)
            #expect(statistics.memory.usage.failures == 4)
            #expect(statistics.memory.swap.usage == 111)
            #expect(statistics.memory.swap.limit == 250)
            #expect(statistics.memory.raw.map(\.name) == ["anon", "file"])
            #expect(statistics.memory.pressure.map(\.kind) == ["some", "full"])
            #expect(statistics.memory.pressure.first?.values.first?.value == "0.25")
            #expect(statistics.pids.current == 6)
            #expect(statistics.pids.limit == 0)
            #expect(
                statistics.io.map { $0.name.description } == [
                    "ioServiceBytesRecursive", "ioServicedRecursive",
                ])
            #expect(statistics.io[0].entries.map(\.value) == [1, 2])
            #expect(statistics.io[1].entries.map(\.operation) == ["Read", "Write"])
            #expect(statistics.hugePages.map(\.failures) == [8])
        }
    }

    /// A cgroup that is gone has used nothing that could be told.
    @Test func statisticsOfNothing() throws {
        let cgroup = try Cgroup([Cgroup.Directory(controllers: "", path: "/tmp/" + freshName())])
        #expect(cgroup.statistics().memory.usage.usage == 0)
    }
}
