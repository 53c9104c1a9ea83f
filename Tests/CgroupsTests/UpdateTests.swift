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

    /// A later value is refused: all files read as before, and files of lines get theirs back.
    @Test func takenBackWhenALaterOneIsRefused() throws {
        var files = Self.files
        files["cgroup.controllers"] = "cpuset cpu io memory pids\n"
        files["io.max"] = ""
        files["io.weight"] = "default 100\n"
        files["cpuset.cpus"] = "\n"
        try withDirectory(files) { cgroup, path in
            let all = try resources(
                """
                {"cpu":{"quota":5,"cpus":"0"},"memory":{"limit":8},"pids":{"limit":3},
                 "blockIO":{"weight":500,"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}]},
                 "unified":{"memory.no":"1"}}
                """)
            do throws(Failure) {
                _ = try cgroup.update(to: all, changing: all) {}
                Issue.record("was not refused")
            } catch {
                #expect(
                    error.description.hasPrefix(
                        "linux.resources.unified[\"memory.no\"]: this kernel has no memory.no"))
            }
            for (name, text) in files {
                #expect(
                    read(path + "/" + name) == text.trimmingCharacters(in: .whitespacesAndNewlines), "\(name)"
                )
            }
            // The same when all could be written but not kept: a write here does not shorten a file as the kernel's do.
            let short = try resources(
                #"{"blockIO":{"weight":500,"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}]}}"#)
            #expect(throws: Failure.self) {
                _ = try cgroup.update(to: short, changing: short) { () throws(Failure) in
                    #expect(read(path + "/io.weight") == "4950ult 100")
                    #expect(read(path + "/io.max") == "8:0 rbps=1")
                    throw Failure(.system, "the disk is full")
                }
            }
            #expect(read(path + "/io.weight") == "default 100")
            #expect(read(path + "/io.max") == "8:0 rbps=max")
        }
    }

    /// A cpuset with processes cannot be emptied again: its first list is the last thing that is written, and when even
    /// that is taken back, it gets what an empty one has.
    @Test func theFirstListOfACpuset() throws {
        var files = Self.files
        files["cpuset.cpus"] = "\n"
        files["cpuset.cpus.effective"] = "0-1\n"
        try withDirectory(files) { cgroup, path in
            let all = try resources(#"{"cpu":{"cpus":"0"},"pids":{"limit":300}}"#)
            #expect(throws: Failure.self) {
                _ = try cgroup.update(to: all, changing: all) { () throws(Failure) in
                    #expect(read(path + "/cpuset.cpus") == "0")
                    throw Failure(.system, "the disk is full")
                }
            }
            #expect(read(path + "/cpuset.cpus") == "0-1")
            #expect(read(path + "/pids.max") == "max")
            _ = try cgroup.update(to: all, changing: all) {}
            #expect(read(path + "/cpuset.cpus")?.hasPrefix("0") == true)
        }
    }

    /// An idle cgroup refuses a weight: none is written while it stays idle, and its own comes back afterwards.
    @Test func idleGroupsHaveNoWeight() throws {
        var files = Self.files
        files["cpu.weight"] = "0\n"
        files["cpu.idle"] = "1\n"
        try withDirectory(files) { cgroup, path in
            let idle = try resources(#"{"cpu":{"shares":512,"idle":1,"quota":5}}"#)
            _ = try cgroup.update(to: idle, changing: try resources(#"{"cpu":{"quota":5}}"#)) {}
            #expect(read(path + "/cpu.weight") == "0")
            // Engines hand over the whole document.
            _ = try cgroup.update(to: idle, changing: idle) {}
            #expect(read(path + "/cpu.weight") == "0")
            let busy = try resources(#"{"cpu":{"shares":512,"idle":0,"quota":5}}"#)
            _ = try cgroup.update(to: busy, changing: try resources(#"{"cpu":{"idle":0}}"#)) {}
            #expect(read(path + "/cpu.weight") == "59")
            #expect(read(path + "/cpu.idle") == "0")
        }
    }

    /// What `unified` says of a file counts also when another limit of the controller changes.
    @Test func unifiedKeepsTheLastWord() throws {
        var files = Self.files
        files["memory.low"] = "0\n"
        try withDirectory(files) { cgroup, path in
            let present = try resources(#"{"memory":{"limit":900},"unified":{"memory.max":"500"}}"#)
            _ = try cgroup.update(to: present, changing: present) {}
            #expect(read(path + "/memory.max") == "500")
            let changes = try resources(#"{"memory":{"reservation":100}}"#)
            _ = try cgroup.update(to: present.updated(with: changes), changing: changes) {}
            #expect(read(path + "/memory.max") == "500")
            #expect(read(path + "/memory.low") == "100")
        }
    }

    /// Of two values for one file the last counts, also when it is what the file had before.
    @Test func theLastOfTwoCounts() throws {
        try withDirectory(["cgroup.controllers": "pids\n", "pids.max": "33\n"]) { cgroup, path in
            let all = try resources(#"{"pids":{"limit":55},"unified":{"pids.max":"33"}}"#)
            _ = try cgroup.update(to: all, changing: all) {}
            #expect(read(path + "/pids.max") == "33")
        }
    }

    @Test func missingControllersAreNamed() throws {
        try withDirectory(["cgroup.controllers": "pids\n", "cgroup.max.depth": "max\n"]) { cgroup, path in
            for (text, place, controller) in [
                (#"{"blockIO":{"weight":10}}"#, "blockIO.weight", "io"),
                (#"{"hugepageLimits":[{"pageSize":"2MB","limit":0}]}"#, "hugepageLimits[0]", "hugetlb"),
                (#"{"rdma":{"mlx":{"hcaObjects":1}}}"#, "rdma[\"mlx\"]", "rdma"),
                (#"{"unified":{"misc.max":"a 1"}}"#, "unified[\"misc.max\"]", "misc"),
            ] {
                let all = try resources(text)
                do throws(Failure) {
                    _ = try cgroup.update(to: all, changing: all) {}
                    Issue.record("\(text) was not refused")
                } catch {
                    let expected = "linux.resources.\(place): needs the cgroup controller \(controller),"
                    #expect(error.description.hasPrefix(expected), "\(error)")
                }
            }
            let depth = try resources(#"{"unified":{"cgroup.max.depth":"4"}}"#)
            _ = try cgroup.update(to: depth, changing: depth) {}
            #expect(read(path + "/cgroup.max.depth")?.hasPrefix("4") == true)
        }
    }

    /// A list longer than a page is read whole, so that it can be set back whole.
    @Test func longFiles() throws {
        let list = (0..<4096).map { String($0 * 2) }.joined(separator: ",")
        try withDirectory(["cpuset.cpus": list + "\n"]) { _, path in
            let text = try CgroupFile.read(path + "/cpuset.cpus")
            #expect(text == list)
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
