internal import CLinux
public import Diagnostics
internal import Linux

extension CgroupPlan {
    /// Hierarchies by how a process gets into them.
    public enum Part: Sendable {
        case all
        /// Version 2: a process can be born there.
        case unified
        /// Version 1: it has to enter.
        case legacy

        func contains(_ hierarchy: Layout.Hierarchy) -> Bool {
            switch self {
            case .all: true
            case .unified: hierarchy.isUnified
            case .legacy: !hierarchy.isUnified
            }
        }
    }

    /// Makes the directories and writes the limits. What it made is removed again when it fails.
    ///
    /// A cgroup that is there already is taken when nothing is in it: engines make some of them beforehand.
    public func create(_ part: Part = .all) throws(Failure) {
        var made: [String] = []
        do {
            for (hierarchy, directory) in zip(layout.hierarchies, cgroup.directories)
            where part.contains(hierarchy) {
                if layout.isUnified {
                    try createUnified(hierarchy, directory, &made)
                } else {
                    try createLegacy(hierarchy, directory, &made)
                }
            }
            try limitDevices(part, made)
        } catch {
            for path in made.reversed() { _ = clinux_unlinkat(AT.cwd, path, AT.removeDirectory) }
            throw error
        }
    }

    /// A hierarchy of version 1, or the version 2 one beside them, which only groups.
    private func createLegacy(
        _ hierarchy: Layout.Hierarchy, _ directory: Cgroup.Directory, _ made: inout [String]
    ) throws(Failure) {
        let isNew = try Self.makeDirectory(directory, below: hierarchy.mountPoint, &made)
        if directory.has("cpuset") { try fillCpuset(directory, below: hierarchy.mountPoint, isNew: isNew) }
        try applyLegacy(to: directory)
    }

    /// Writes the values of a hierarchy of version 1.
    func applyLegacy(to directory: Cgroup.Directory) throws(Failure) {
        guard !directory.isUnified else { return }
        var index = 0
        while index < settings.count {
            let setting = settings[index]
            index += 1
            guard directory.has(setting.controller) else { continue }
            let next = index < settings.count ? settings[index] : nil
            if try Self.applyPair(setting, next, to: directory) { index += 1 }
        }
    }

    /// Makes the leaf, and what is missing above it.
    ///
    /// - Returns: whether the leaf is new.
    static func makeDirectory(
        _ directory: Cgroup.Directory, below mountPoint: String, _ made: inout [String]
    ) throws(Failure) -> Bool {
        var result = clinux_mkdirat(AT.cwd, directory.path, 0o755)
        if result == -CgroupErrno.notFound {
            for parent in ancestors(of: directory.path, below: mountPoint) {
                let result = clinux_mkdirat(AT.cwd, parent, 0o755)
                if result == 0 {
                    made.append(parent)
                } else if result != -CgroupErrno.exists {
                    throw creationFailure(-result, parent)
                }
            }
            result = clinux_mkdirat(AT.cwd, directory.path, 0o755)
        }
        if result == -CgroupErrno.exists {
            try checkUnused(directory)
            return false
        }
        if result < 0 { throw creationFailure(-result, directory.path) }
        made.append(directory.path)
        return true
    }

    /// The directories between the mount point and the leaf, from the top.
    static func ancestors(of path: String, below mountPoint: String) -> [String] {
        let slash = UInt8(ascii: "/")
        var ancestors: [String] = []
        var at = path.utf8.index(path.utf8.startIndex, offsetBy: mountPoint.utf8.count + 1)
        while let end = path.utf8[at...].firstIndex(of: slash) {
            ancestors.append(String(path[..<end]))
            at = path.utf8.index(after: end)
        }
        return ancestors
    }

    private static func creationFailure(_ errno: CInt, _ path: String) -> Failure {
        Failure.system(errno, "mkdir \(path)", "cannot make the container's cgroup")
    }

    /// A container in a cgroup that others use would share their limits and their end, and one in a frozen
    /// cgroup would never start.
    private static func checkUnused(_ directory: Cgroup.Directory) throws(Failure) {
        let cgroup = Cgroup(trusted: [directory])
        let count = try cgroup.processes(in: directory.path).count
        if count > 0 {
            throw Failure(
                .state, "container's cgroup is not empty: \(count) process(es) found", at: directory.path)
        }
        if try cgroup.isFrozen() {
            throw Failure(.state, "container's cgroup unexpectedly frozen", at: directory.path)
        }
    }
}

// Values.
extension CgroupPlan {
    /// Writes two values whose order depends on what is there: a lower memory limit goes first, a higher one
    /// last.
    ///
    /// - Returns: whether `next` has been written too.
    private static func applyPair(
        _ setting: Setting, _ next: Setting?, to directory: Cgroup.Directory
    ) throws(Failure) -> Bool {
        let path = directory.path + "/" + setting.file
        let result = CgroupFile.write(setting.value, to: path)
        if result == -CgroupErrno.invalid, let next, next.file == "memory.memsw.limit_in_bytes" {
            try apply(next, to: directory)
            try apply(setting, to: directory)
            return true
        }
        try judge(result, setting, path)
        return false
    }

    static func apply(_ setting: Setting, to directory: Cgroup.Directory) throws(Failure) {
        let path = directory.path + "/" + setting.file
        let result = CgroupFile.write(setting.value, to: path)
        if result == -CgroupErrno.notFound, let other = setting.forOtherKernels {
            return try apply(other, to: directory)
        }
        try judge(result, setting, path)
    }

    static func judge(_ result: CInt, _ setting: Setting, _ path: String) throws(Failure) {
        if result >= 0 || (result == -CgroupErrno.notFound && setting.mayBeMissing) { return }
        let call = "write \(setting.value) to \(path)"
        let message: String
        switch -result {
        case CgroupErrno.notFound: message = "this kernel has no \(setting.file)"
        case CgroupErrno.invalid, CgroupErrno.range:
            message = "the kernel does not accept \(setting.value) for \(setting.file)"
        case CgroupErrno.busy where setting.controller.utf8.elementsEqual("memory".utf8):
            message = "the container uses more than \(setting.value) bytes"
        case CgroupErrno.noDevice: message = "there is no such device"
        case CgroupErrno.notSupported where setting.file.utf8.elementsEqual("io.weight".utf8):
            message = "the device has no weights: io.cost is not enabled for it, and BFQ is not loaded"
        case CgroupErrno.notSupported where isWeight(setting):
            message = "the device has no weights: its I/O scheduler is not BFQ"
        default: message = "cannot write \(setting.file)"
        }
        let failure = Failure.system(-result, call, message)
        throw failure.located(at: setting.place)
    }

    private static func isWeight(_ setting: Setting) -> Bool {
        setting.file.utf8.elementsEqual("io.bfq.weight".utf8)
            || setting.file.utf8.elementsEqual("blkio.bfq.weight_device".utf8)
    }

    /// A process can only enter a version 1 cpuset that has CPUs and memory nodes, and a new one has none: it
    /// gets its parent's, unless the container asks for its own.
    func fillCpuset(_ directory: Cgroup.Directory, below mountPoint: String, isNew: Bool)
        throws(Failure)
    {
        let levels = [mountPoint] + Self.ancestors(of: directory.path, below: mountPoint)
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if !isNew, !(try CgroupFile.read(directory.path + "/" + file)).isEmpty { continue }
            var value = ""
            var level = levels.count
            // Up to the first that has any; the root always does.
            while level > 0, value.isEmpty {
                level -= 1
                value = try CgroupFile.read(levels[level] + "/" + file)
            }
            for path in levels[(level + 1)...] { try writeCpuset(value, path + "/" + file) }
            if settings.contains(where: { $0.controller == "cpuset" && $0.file == file }) { continue }
            try writeCpuset(value, directory.path + "/" + file)
        }
    }

    private func writeCpuset(_ value: String, _ path: String) throws(Failure) {
        _ = try check(
            CgroupFile.write(value, to: path), "write \(value) to \(path)", "cannot set up the cpuset")
    }
}
