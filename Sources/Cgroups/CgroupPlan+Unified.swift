internal import CLinux
internal import Diagnostics
internal import Linux

// Cgroup v2 (Documentation/admin-guide/cgroup-v2.rst): a controller works in a directory when each directory
// above names it in cgroup.subtree_control.
extension CgroupPlan {
    /// What stands in the way of a controller.
    struct Obstacle {
        var controller: String
        var directory: String
        var errno: CInt

        var sentence: String {
            switch errno {
            case CgroupErrno.busy:
                "cgroup \(directory) has processes of its own, so nothing can be enabled below it"
            case CgroupErrno.notSupported: "cgroup \(directory) is threaded"
            case CgroupErrno.notFound: "cgroup \(directory) does not have it"
            default: "cannot be enabled in \(directory)"
            }
        }
    }

    func createUnified(
        _ hierarchy: Layout.Hierarchy, _ directory: Cgroup.Directory, _ made: inout [String]
    ) throws(Failure) {
        var controllers = try Self.controllers(of: hierarchy)
        var obstacles: [Obstacle] = []
        let parents = Self.ancestors(of: directory.path, below: hierarchy.mountPoint)
        for (depth, parent) in ([hierarchy.mountPoint] + parents).enumerated() {
            if depth > 0 { try makeParent(parent, &made) }
            Self.enable(&controllers, in: parent, &obstacles)
        }
        _ = try Self.makeDirectory(directory, below: hierarchy.mountPoint, &made)
        try checkType(directory)
        try apply(to: directory, controllers, obstacles)
        try handOver(directory)
    }

    /// All that there are.
    static func controllers(of hierarchy: Layout.Hierarchy) throws(Failure) -> [String] {
        words(try CgroupFile.read(hierarchy.mountPoint + "/cgroup.controllers"))
    }

    /// Writes the values.
    ///
    /// - Parameter controllers: those that the directory has.
    func apply(
        to directory: Cgroup.Directory, _ controllers: [String], _ obstacles: [Obstacle]
    ) throws(Failure) {
        for setting in settings {
            let isThere =
                setting.controller.isEmpty
                || controllers.contains { $0.utf8.elementsEqual(setting.controller.utf8) }
            guard isThere else { throw Self.missing(setting, obstacles) }
            try Self.apply(setting, to: directory)
        }
    }

    private func makeParent(_ path: String, _ made: inout [String]) throws(Failure) {
        let result = clinux_mkdirat(AT.cwd, path, 0o755)
        if result == 0 {
            made.append(path)
        } else if result != -CgroupErrno.exists {
            throw Failure.system(-result, "mkdir \(path)", "cannot make the container's cgroup")
        }
    }

    /// Controllers that threads can be under. Enabled in a cgroup with processes, they make it the root of a threaded
    /// subtree, whose children take no processes any more.
    private static let threaded: [StaticString] = ["cpu", "cpuset", "perf_event", "pids"]

    private static func isThreaded(_ controller: String) -> Bool {
        threaded.contains { $0.isText(controller.utf8[...]) }
    }

    /// Enables all that is there, so that the container's statistics are complete. One that cannot be enabled
    /// is left out from here on, and matters only when something needs it.
    static func enable(
        _ controllers: inout [String], in directory: String, _ obstacles: inout [Obstacle]
    ) {
        guard !controllers.isEmpty else { return }
        let file = directory + "/cgroup.subtree_control"
        let others = controllers.filter { !isThreaded($0) }
        // The others say themselves that the cgroup has processes.
        var isBusy = others.isEmpty && hasProcesses(directory)
        let all = controllers.map { "+" + $0 }.joined(separator: " ")
        if !isBusy, CgroupFile.write(all, to: file) == 0 { return }
        var enabled: [String] = []
        for controller in others + controllers.filter(isThreaded) {
            let result = isBusy ? -CgroupErrno.busy : CgroupFile.write("+" + controller, to: file)
            if result == 0 {
                enabled.append(controller)
            } else {
                isBusy = isBusy || result == -CgroupErrno.busy
                obstacles.append(Obstacle(controller: controller, directory: directory, errno: -result))
            }
        }
        controllers = enabled
    }

    /// Only the root may have some and hand on controllers all the same; it is the one without a type.
    private static func hasProcesses(_ directory: String) -> Bool {
        var error: CInt = 0
        guard CgroupFile.read(directory + "/cgroup.type", error: &error) != nil else { return false }
        return CgroupFile.read(directory + "/cgroup.procs", error: &error)?.isEmpty == false
    }

    /// A child of a threaded cgroup, or of a domain that has become one's root, takes no processes
    /// (cgroups(7)).
    private func checkType(_ directory: Cgroup.Directory) throws(Failure) {
        let type = try CgroupFile.read(directory.path + "/cgroup.type")
        if type.utf8.elementsEqual("threaded".utf8) || type.utf8.elementsEqual("domain invalid".utf8) {
            throw Failure(
                .unsupported, "the cgroup is of type \"\(type)\", and a container needs a domain cgroup",
                at: directory.path)
        }
    }

    private static func missing(_ setting: Setting, _ obstacles: [Obstacle]) -> Failure {
        let obstacle = obstacles.first { $0.controller.utf8.elementsEqual(setting.controller.utf8) }
        let reason = obstacle?.sentence ?? "the kernel does not offer it on cgroup v2"
        return Failure(
            .unsupported, "needs the cgroup controller \(setting.controller): \(reason)",
            at: setting.place)
    }

    private static func words(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) }
    }
}
