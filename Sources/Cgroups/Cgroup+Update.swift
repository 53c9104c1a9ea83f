public import Diagnostics
internal import Linux
public import OCI

extension Cgroup {
    /// Writes limits into the cgroup of a running container: all of them, or none.
    ///
    /// - Parameters:
    ///   - resources: all that shall be in force.
    ///   - changes: which of it is new; what it does not mention is not written.
    ///   - devices: the rules about devices, when they change.
    ///   - keep: records the change. When it fails, the limits are taken back, too.
    /// - Returns: sentences about what is left out.
    /// - Throws: `invalid` or `unsupported`, at the property's path in `linux.resources`; or what the kernel said.
    public func update(
        to resources: Spec.Linux.Resources, changing changes: Spec.Linux.Resources,
        devices: DeviceUpdate? = nil, keep: () throws(Failure) -> Void
    ) throws(Failure) -> [String] {
        var limits = try ResourceSettings(
            Self.relevant(resources, changes), isUnified ? .v2 : .v1)
        if !isUnified, changes.memory?.disableOOMKiller == false {
            limits.add(
                Setting(
                    controller: "memory", file: "memory.oom_control", value: "0",
                    place: "linux.resources.memory.disableOOMKiller"))
        }
        if resources.memory?.checkBeforeUpdate == true, let memory = changes.memory {
            try checkUse(below: memory.limit, "limit")
            try checkUse(below: memory.swap, "swap")
        }
        var writes: [Write] = []
        for setting in limits.settings {
            guard let write = try Write(setting, try directory(for: setting).path) else { continue }
            // What is there already need not be any more when its turn comes.
            let isTouched = writes.contains { $0.path.utf8.elementsEqual(write.path.utf8) }
            if !write.isThere || isTouched { writes.append(write) }
        }
        // What cannot be emptied again is not filled before all else has been accepted; a partition needs it.
        let fillsCpuset = writes.contains { $0.fillsCpuset }
        let lasting = writes.filter { fillsCpuset && $0.setting.controller.utf8.elementsEqual("cpuset".utf8) }
        let others = writes.filter {
            !(fillsCpuset && $0.setting.controller.utf8.elementsEqual("cpuset".utf8))
        }
        try Self.perform(others) { () throws(Failure) in
            try devices?.apply(to: self)
            do throws(Failure) {
                try Self.perform(lasting, keep)
            } catch {
                try? devices?.reversed.apply(to: self)
                throw error
            }
        }
        return limits.warnings
    }

    /// What has to be written: values that the kernel checks against each other together, of the others what is new.
    private static func relevant(
        _ resources: Spec.Linux.Resources, _ changes: Spec.Linux.Resources
    ) -> Spec.Linux.Resources {
        var relevant = changes
        relevant.devices = []
        if changes.memory != nil { relevant.memory = resources.memory }
        if changes.cpu != nil { relevant.cpu = resources.cpu }
        // `unified` has the last word about the files of what is written.
        relevant.unified = resources.unified.filter { entry in
            changes.unified.contains { $0.key.utf8.elementsEqual(entry.key.utf8) }
                || changes.memory != nil && entry.key.utf8.starts(with: "memory.".utf8)
                || changes.cpu != nil
                    && (entry.key.utf8.starts(with: "cpu.".utf8)
                        || entry.key.utf8.starts(with: "cpuset.".utf8))
        }
        return relevant
    }

    private func directory(for setting: Setting) throws(Failure) -> Directory {
        if let unified, isUnified {
            if setting.controller.isEmpty { return unified }
            var error: CInt = 0
            let enabled = CgroupFile.read(unified.path + "/cgroup.controllers", error: &error) ?? ""
            let words = enabled.utf8.split(separator: UInt8(ascii: " "))
            if words.contains(where: { $0.elementsEqual(setting.controller.utf8) }) { return unified }
        } else if let directory = directories.first(where: { $0.has(setting.controller) }) {
            return directory
        }
        throw Failure(
            .unsupported,
            "needs the cgroup controller \(setting.controller), which the container does not have",
            at: setting.place)
    }

    /// Version 1 refuses such a limit by itself, version 2 would kill.
    private func checkUse(below limit: Int64?, _ name: StaticString) throws(Failure) {
        guard let limit, limit > 0, isUnified, let unified else { return }
        let text = try CgroupFile.read(unified.path + "/memory.current")
        guard let used = Int64(text), used >= limit else { return }
        throw Failure(
            .state, "the container uses \(used) bytes, which is not below \(limit)",
            at: "linux.resources.memory.\(name)")
    }

    /// A line for a file, and what takes it back.
    private struct Write {
        let setting: Setting
        let path: String
        let undo: [String]
        /// Whether a cpuset of version 2 gets its first list: while it has processes, the kernel does not take that back
        /// (ENOSPC). What an empty list stands for, the list in force, takes its place then.
        let fillsCpuset: Bool

        /// Whether the file reads like that.
        var isThere: Bool {
            !fillsCpuset && undo.count == 1 && undo[0].utf8.elementsEqual(setting.value.utf8)
        }

        /// nil when the kernel, which does not have the file, already is as wanted.
        init?(_ wanted: Setting, _ directory: String) throws(Failure) {
            var setting = wanted
            var error: CInt = 0
            var text = CgroupFile.read(directory + "/" + setting.file, error: &error)
            if text == nil, error == -CgroupErrno.notFound, let other = setting.forOtherKernels {
                setting = other
                text = CgroupFile.read(directory + "/" + setting.file, error: &error)
            }
            self.setting = setting
            path = directory + "/" + setting.file
            guard let text else {
                if error == -CgroupErrno.access {
                    throw Failure(
                        .unsupported,
                        "\(setting.file) cannot be read, and so its value could not be set back",
                        at: setting.place)
                }
                try CgroupPlan.judge(error, setting, path)
                return nil
            }
            fillsCpuset =
                text.utf8.allSatisfy { $0 == UInt8(ascii: "\n") }
                && ["cpuset.cpus", "cpuset.mems"].contains { $0.utf8.elementsEqual(setting.file.utf8) }
            let inForce = directory + "/" + setting.file + ".effective"
            undo = Self.undo(setting, fillsCpuset ? CgroupFile.read(inForce, error: &error) ?? "" : text)
        }

        private static func undo(_ setting: Setting, _ text: String) -> [String] {
            // `oom_kill_disable 0` and more lines.
            if setting.file.utf8.elementsEqual("memory.oom_control".utf8) {
                let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
                if words.count > 1 { return [String(Substring(words[1]))] }
            }
            // That of an idle cgroup; it comes back with cpu.idle.
            if setting.file.utf8.elementsEqual("cpu.weight".utf8), text.utf8.elementsEqual("0".utf8) {
                return []
            }
            return KeyedFile.undo(setting.value, of: setting.file, content: text)
        }
    }

    private static func perform(_ writes: [Write], _ keep: () throws(Failure) -> Void) throws(Failure) {
        var done: [Write] = []
        do throws(Failure) {
            try writeInWorkingOrder(writes, { [$0.setting.value] }, &done)
            try keep()
        } catch {
            var restored: [Write] = []
            do throws(Failure) {
                try writeInWorkingOrder(done.reversed(), { $0.undo }, &restored)
            } catch let second {
                throw Failure(
                    error.kind,
                    "\(error.message) (and what was changed before could not be set back: \(second))",
                    at: error.place, cause: error.cause)
            }
            throw error
        }
    }

    /// Many values allow each other only in one order, which depends on what is there: a higher memory limit comes
    /// after the one on memory and swap, a lower one before it. So what is refused is tried again behind the others.
    private static func writeInWorkingOrder(
        _ writes: [Write], _ lines: (Write) -> [String], _ done: inout [Write]
    ) throws(Failure) {
        var pending = writes
        while !pending.isEmpty {
            var refused: [(write: Write, error: CInt)] = []
            for write in pending {
                var result: CInt = 0
                for line in lines(write) where result >= 0 {
                    result = CgroupFile.write(line, to: write.path)
                }
                if result >= 0 { done.append(write) } else { refused.append((write, result)) }
            }
            if let first = refused.first, refused.count == pending.count {
                try CgroupPlan.judge(first.error, first.write.setting, first.write.path)
                // Nothing is lost without it.
                refused.removeFirst()
            }
            pending = refused.map { $0.write }
        }
    }
}
