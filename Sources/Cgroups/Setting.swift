/// One value for one file of a cgroup.
struct Setting: Equatable, Sendable {
    /// As in cgroup.controllers, or in the options of a version 1 mount. Empty for files that every cgroup has.
    var controller: String
    var file: String
    /// What is written. Of a file with a line for each device (`KeyedFile`) one such line.
    var value: String
    /// JSON path of the property it follows from.
    var place: String
    /// A kernel without the file already is as wanted.
    var mayBeMissing = false
    /// What is written where when the kernel does not have `file`.
    var fallback: Fallback?

    struct Fallback: Equatable, Sendable {
        var file: String
        var value: String
    }

    /// The setting for a kernel that does not have `file`; nil when there is none.
    var forOtherKernels: Setting? {
        guard let fallback else { return nil }
        return Setting(controller: controller, file: fallback.file, value: fallback.value, place: place)
    }
}
