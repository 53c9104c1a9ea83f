internal import CLinux
public import Diagnostics
internal import Linux
public import OCI

/// Other rules about devices for a container that runs.
///
/// Nothing that is allowed before and after is refused in between: a program is replaced at once; lines of version 1
/// are added before others are taken away, and when its default changes, the container is stopped meanwhile.
public struct DeviceUpdate: Sendable {
    let old: DevicePolicy
    let new: DevicePolicy

    /// - Parameter old: the rules in force.
    /// - Throws: `invalid` at the rule's path in `linux.resources`.
    public init(
        from old: [Spec.Linux.Resources.DeviceRule], to new: [Spec.Linux.Resources.DeviceRule]
    ) throws(Failure) {
        self.old = try DevicePolicy(old)
        self.new = try DevicePolicy(new)
    }

    private init(from old: DevicePolicy, to new: DevicePolicy) {
        self.old = old
        self.new = new
    }

    var reversed: DeviceUpdate { DeviceUpdate(from: new, to: old) }

    /// The new rules, or the old ones when it throws.
    func apply(to cgroup: Cgroup) throws(Failure) {
        if let directory = cgroup.directories.first(where: { $0.has("devices") }) {
            try apply(to: cgroup, directory.path)
        } else if let directory = cgroup.unified {
            try DeviceAttachment(directory.path).set(new.isUnlimited ? nil : DeviceProgram(new))
        } else {
            throw Failure(
                .unsupported, "needs the cgroup controller devices, which is not mounted",
                at: "linux.resources.devices")
        }
    }

    private func apply(to cgroup: Cgroup, _ directory: String) throws(Failure) {
        let before = try DeviceExceptions(old)
        let after = try DeviceExceptions(new)
        do throws(Failure) {
            if before.allowsByDefault == after.allowsByDefault {
                try after.write(to: directory, over: before)
            } else {
                try replace(cgroup, directory, after)
            }
        } catch {
            // As it was, as far as the kernel lets us: its first refusal is what counts.
            if before.allowsByDefault == after.allowsByDefault {
                try? before.write(to: directory, over: after)
            } else {
                try? replace(cgroup, directory, before)
            }
            throw error
        }
    }

    /// Between another default and its exceptions everything would be denied, or allowed.
    private func replace(
        _ cgroup: Cgroup, _ directory: String, _ exceptions: DeviceExceptions
    ) throws(Failure) {
        let wasFrozen = try cgroup.isFrozen()
        if !wasFrozen { try cgroup.freeze() }
        do throws(Failure) {
            try exceptions.write(to: directory, isNew: false)
        } catch {
            if !wasFrozen { try? cgroup.thaw() }
            throw error
        }
        if !wasFrozen { try cgroup.thaw() }
    }

    /// Lets systemd change the rules of a unit. On version 1 it empties the list and fills it with what it has words for:
    /// nobody uses a device meanwhile, unless it cannot be stopped, and what is there in the end is ours.
    func letSystemd(_ cgroup: Cgroup, set: () throws(Failure) -> Void) throws(Failure) {
        guard let directory = cgroup.directories.first(where: { $0.has("devices") }) else { return try set() }
        let before = try DeviceExceptions(old)
        let after = try DeviceExceptions(new)
        let isStopped = try !cgroup.isFrozen() && (try? cgroup.freeze()) != nil
        defer { if isStopped { try? cgroup.thaw() } }
        try set()
        if before.allowsByDefault == after.allowsByDefault {
            // The default cannot be written while the container has cgroups below.
            try after.write(to: directory.path, over: before)
        } else {
            try after.write(to: directory.path, isNew: false)
        }
    }
}
