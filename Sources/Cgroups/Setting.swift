/// One value for one file of a cgroup.
struct Setting: Equatable, Sendable {
    /// As in cgroup.controllers, or in the options of a version 1 mount.
    var controller: String
    var file: String
    var value: String
    /// JSON path of the property it follows from.
    var place: String
    /// A kernel without the file already is as wanted.
    var mayBeMissing = false
}
