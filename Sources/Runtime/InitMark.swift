internal import Diagnostics
internal import Linux
internal import Store

/// Says on the command line of an init whose it is: of which container, and of which of those that ever had this
/// ID. A creation can so be told from others without having written down its process.
struct InitMark {
    let text: String

    init(_ record: Record) {
        text = "\(record.id)@\(record.created)"
    }

    /// Whether the process bears it. Whoever else puts it there risks only his own end.
    func isOn(_ pid: Int32) -> Bool {
        let path = "/proc/\(pid)/cmdline"
        guard let file = try? Descriptor.open(path, O.readOnly),
            let line = try? file.readAll(limit: 4096, name: path)
        else { return false }
        let words = line.split(separator: 0, omittingEmptySubsequences: false)
        return words.count > 2 && words[0].elementsEqual("gantry-init".utf8)
            && words[2].elementsEqual(text.utf8)
    }
}
