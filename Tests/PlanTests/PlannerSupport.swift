import CPlan
import Diagnostics
import Foundation
import OCI

@testable import Plan

/// A host as the tests want it: nothing about the machine they run on gets into a plan.
enum TestHost {
    static let legacy = CgroupLayout.legacy([
        .init(
            controllers: ["cpu", "cpuacct"], mountpoint: "/sys/fs/cgroup/cpu,cpuacct",
            directory: "/sys/fs/cgroup/cpu,cpuacct/box"),
        .init(
            controllers: ["memory"], mountpoint: "/sys/fs/cgroup/memory",
            directory: "/sys/fs/cgroup/memory/box"),
        .init(
            controllers: [], name: "systemd", mountpoint: "/sys/fs/cgroup/systemd",
            directory: "/sys/fs/cgroup/systemd/box"),
    ])

    static func facts(_ layout: CgroupLayout = legacy) -> HostFacts {
        HostFacts(cgroup: layout, hasKcore: true)
    }

    static let options = PlanOptions(id: "box", bundle: "/srv/box", rootfs: "/srv/box/rootfs")
}

/// A configuration with a mount namespace and nothing to mount.
func smallSpec(_ change: (inout Spec) -> Void = { _ in }) -> Spec {
    var spec = Spec()
    spec.root = .init(path: "rootfs")
    spec.process = .init(cwd: "/", args: ["/bin/sh"])
    spec.process?.env = ["PATH=/bin:/usr/bin"]
    spec.linux = .init()
    spec.linux?.namespaces = [.init(.pid), .init(.network), .init(.ipc), .init(.uts), .init(.mount)]
    change(&spec)
    return spec
}

func plan(
    _ spec: Spec, facts: HostFacts = TestHost.facts(), options: PlanOptions = TestHost.options
) throws(Failure) -> Plan {
    try Planner.plan(spec, facts: facts, options: options)
}

/// The plan's lines that mention `property`, numbers and the property itself taken off.
func steps(of plan: Plan, _ property: String) -> [String] {
    plan.ops.indices.filter { plan.ops[$0].origin.path == property }.map { index in
        ([plan.words(at: index)] + plan.notes(at: index).filter { !$0.hasPrefix("[") && !$0.hasPrefix("(") })
            .joined(separator: "  ")
    }
}

/// What the planner says to a configuration that it cannot do.
func refusal(_ spec: Spec, facts: HostFacts = TestHost.facts()) -> String? {
    do {
        _ = try Planner.plan(spec, facts: facts, options: TestHost.options)
        return nil
    } catch {
        return error.description
    }
}

/// A mount's lines, or why it is refused.
func mountSteps(_ mount: Spec.Mount, facts: HostFacts = TestHost.facts()) -> [String] {
    let spec = smallSpec { $0.mounts = [mount] }
    do {
        return steps(of: try plan(spec, facts: facts), "mounts[0]")
    } catch {
        return [error.description]
    }
}

/// The encoded buffer, read through the C structs as the init does it.
struct DecodedPlan {
    let bytes: [UInt8]
    let header: cplan_header
    let ops: [cplan_op]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        header = bytes.withUnsafeBytes { $0.load(as: cplan_header.self) }
        let start = MemoryLayout<cplan_header>.size
        let count = Int(header.op_count)
        ops = bytes.withUnsafeBytes { memory in
            (0..<count).map {
                memory.load(fromByteOffset: start + $0 * MemoryLayout<cplan_op>.stride, as: cplan_op.self)
            }
        }
    }

    func text(_ offset: UInt32) -> String {
        offset == 0 ? "" : String(decoding: bytes[Int(offset)...].prefix { $0 != 0 }, as: UTF8.self)
    }

    func vector(_ offset: UInt32) -> [String] {
        bytes.withUnsafeBytes { memory in
            let count = Int(memory.load(fromByteOffset: Int(offset), as: UInt64.self))
            return (0..<count).map {
                text(UInt32(memory.load(fromByteOffset: Int(offset) + 8 + $0 * 8, as: UInt64.self)))
            }
        }
    }
}
