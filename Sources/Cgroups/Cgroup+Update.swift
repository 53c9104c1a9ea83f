public import Diagnostics
internal import Linux
public import OCI

extension Cgroup {
    /// Writes limits into the cgroup of a running container: all of them, or none.
    ///
    /// - Parameters:
    ///   - resources: all that shall be in force.
    ///   - changes: which of it is new; what it does not mention is not written.
    ///   - keep: records the change. When it fails, the limits are taken back, too.
    /// - Returns: sentences about what is left out.
    /// - Throws: `invalid` or `unsupported`, at the property's path in `linux.resources`; or what the kernel said.
    public func update(
        to resources: Spec.Linux.Resources, changing changes: Spec.Linux.Resources,
        keep: () throws(Failure) -> Void
    ) throws(Failure) -> [String] {
        var relevant = Spec.Linux.Resources()
        if changes.memory != nil { relevant.memory = resources.memory }
        if changes.cpu != nil { relevant.cpu = resources.cpu }
        if changes.pids != nil { relevant.pids = resources.pids }
        var limits = try ResourceSettings(relevant, isUnified ? .v2 : .v1)
        if !isUnified, changes.memory?.disableOOMKiller == false {
            limits.add(
                Setting(
                    controller: "memory", file: "memory.oom_control", value: "0",
                    place: "linux.resources.memory.disableOOMKiller"))
        }
        if resources.memory?.checkBeforeUpdate == true, let limit = changes.memory?.limit, limit > 0 {
            try checkUse(below: limit)
        }
        var writes: [Write] = []
        for setting in limits.settings {
            if let write = try Write(setting, try directory(for: setting).path) { writes.append(write) }
        }
        try Self.perform(writes, keep)
        return limits.warnings
    }

    private func directory(for setting: Setting) throws(Failure) -> Directory {
        if let unified, isUnified {
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
    private func checkUse(below limit: Int64) throws(Failure) {
        guard isUnified, let unified else { return }
        let text = try CgroupFile.read(unified.path + "/memory.current")
        guard let used = Int64(text), used > limit else { return }
        throw Failure(
            .state, "the container uses \(used) bytes, more than \(limit)", at: "linux.resources.memory.limit"
        )
    }

    /// One file, what shall be in it and what is.
    private struct Write {
        let setting: Setting
        let path: String
        let old: String

        /// nil when there is nothing to do.
        init?(_ setting: Setting, _ directory: String) throws(Failure) {
            path = directory + "/" + setting.file
            self.setting = setting
            var error: CInt = 0
            guard let text = CgroupFile.read(path, error: &error) else {
                try CgroupPlan.judge(error, setting, path)
                return nil
            }
            // `oom_kill_disable 0` and more lines.
            let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            let hasName = setting.file.utf8.elementsEqual("memory.oom_control".utf8) && words.count > 1
            old = hasName ? String(Substring(words[1])) : text
            if old.utf8.elementsEqual(setting.value.utf8) { return nil }
        }
    }

    private static func perform(_ writes: [Write], _ keep: () throws(Failure) -> Void) throws(Failure) {
        var done: [Write] = []
        do throws(Failure) {
            try writeInWorkingOrder(writes, { $0.setting.value }, &done)
            try keep()
        } catch {
            var restored: [Write] = []
            do throws(Failure) {
                try writeInWorkingOrder(done.reversed(), { $0.old }, &restored)
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
        _ writes: [Write], _ value: (Write) -> String, _ done: inout [Write]
    ) throws(Failure) {
        var pending = writes
        while !pending.isEmpty {
            var refused: [(write: Write, error: CInt)] = []
            for write in pending {
                let result = CgroupFile.write(value(write), to: write.path)
                if result >= 0 { done.append(write) } else { refused.append((write, result)) }
            }
            if let first = refused.first, refused.count == pending.count {
                try CgroupPlan.judge(first.error, first.write.setting, first.write.path)
            }
            pending = refused.map { $0.write }
        }
    }
}
