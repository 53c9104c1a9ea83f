internal import Diagnostics
internal import OCI

/// Labels of security modules, which the exec of the user's program puts on.
///
/// They go through the host's procfs, whatever the container has mounted on its /proc (CVE-2019-16884), and before
/// no_new_privs, which would forbid them.
extension Draft {
    mutating func planLabels() throws(Failure) {
        if let profile = process.apparmorProfile {
            steps.origin = Origin("process.apparmorProfile")
            guard let path = facts.appArmorFile else {
                throw Failure(
                    .unsupported, "AppArmor is not enabled on this host", at: "process.apparmorProfile")
            }
            let file = try steps.text(path)
            try write(file, "exec " + profile)
        }
        if let label = process.selinuxLabel {
            steps.origin = Origin("process.selinuxLabel")
            guard facts.hasSELinux else {
                throw Failure(.unsupported, "SELinux is not enabled on this host", at: "process.selinuxLabel")
            }
            let file = steps.literal("self/attr/exec")
            try write(file, label)
        }
    }
}
