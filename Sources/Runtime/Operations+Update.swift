internal import Cgroups
public import Diagnostics
public import OCI
internal import Plan
internal import Store

extension Operations {
    /// `update`: new limits for a container that was created, runs or is paused; all of them, or none.
    ///
    /// - Parameters:
    ///   - resources: the limits that change.
    ///   - warn: is told what is left out.
    public static func update(
        id: String, root: String, resources: Spec.Linux.Resources, warn: (String) -> Void
    ) throws(Failure) {
        try Validator.check(resources)
        let container = try LiveContainer.locked(id, root: root)
        guard let record = container.record else { throw Failure(.state, "container not running") }
        switch container.status {
        case .created, .running, .paused: break
        case .creating, .stopped: throw Failure(.state, "container not running")
        }
        let present = try limits(of: container.entry)
        let updated = present.updated(with: resources)
        do {
            var devices: DeviceUpdate?
            // Engines hand over all of the configuration's limits to change one.
            if updated.devices != present.devices {
                devices = try DeviceUpdate(from: present.devices, to: updated.devices)
            }
            let warnings = try ContainerCgroup.update(
                record, to: updated, from: present, changing: resources, devices: devices
            ) { () throws(Failure) in
                try container.entry.setLimits(updated.encodedLimits())
            }
            warnings.map(relative).forEach(warn)
        } catch {
            guard let place = error.place else { throw error }
            throw Failure(error.kind, error.message, at: relative(place), cause: error.cause)
        }
    }

    /// Those of the configuration, or of the last update.
    private static func limits(of entry: borrowing StoredContainer) throws(Failure) -> Spec.Linux.Resources {
        let configured = try Spec.load(json: try entry.config()).linux?.resources ?? Spec.Linux.Resources()
        guard let bytes = try entry.limits() else { return configured }
        var present = try Spec.Linux.Resources.load(json: bytes, name: entry.path + "/limits.json")
        // An update without devices by an earlier gantry did not keep them.
        if present.devices.isEmpty { present.devices = configured.devices }
        return present
    }

    /// Paths count from the document that `--resources` reads.
    private static func relative(_ place: String) -> String {
        let prefix = "linux.resources."
        return place.utf8.starts(with: prefix.utf8)
            ? String(Substring(place.utf8.dropFirst(prefix.utf8.count))) : place
    }
}
