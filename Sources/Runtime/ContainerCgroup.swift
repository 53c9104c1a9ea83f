internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

struct ContainerCgroup {
    var isUnified: Bool { false }
    var layout: CgroupLayout { .legacy([]) }
    var recorded: [Record.Cgroup] { [] }
    init(_ spec: Spec, id: String) throws(Failure) {}
    func makeBeforeSpawn() throws(Failure) -> Descriptor? { nil }
    func makeAfterSpawn() throws(Failure) {}
    func place(_ pid: Int32) throws(Failure) {}
    func remove() throws(Failure) {}
    static func remove(_ record: Record) throws(Failure) {}
    static func isFrozen(_ record: Record) throws(Failure) -> Bool { false }
    static func thaw(_ record: Record) throws(Failure) {}
    static func signalAll(_ record: Record, _ signal: CInt) throws(Failure) {}
}
