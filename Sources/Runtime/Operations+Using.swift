public import Diagnostics
internal import Store

extension Operations {
    /// `pause`: stops all processes of the container, also before `start`.
    public static func pause(id: String, root: String) throws(Failure) {
        let container = try LiveContainer.locked(id, root: root)
        guard let record = container.record, container.status == .running || container.status == .created
        else {
            throw Failure(.state, "container not running")
        }
        try ContainerCgroup.pause(record)
    }

    /// `resume`: lets the processes of a paused container go on.
    public static func resume(id: String, root: String) throws(Failure) {
        let container = try LiveContainer.locked(id, root: root)
        guard let record = container.record, container.status == .paused else {
            throw Failure(.state, "container not paused")
        }
        try ContainerCgroup.resume(record)
    }

    /// `ps`: the container's processes, as numbers in the caller's pid namespace; none when it has stopped.
    public static func processes(id: String, root: String) throws(Failure) -> [Int32] {
        let container = try LiveContainer.look(try Store(root: root).open(id))
        guard let record = container.record else { return [] }
        return try ContainerCgroup.processes(record)
    }
}
