internal import Diagnostics
internal import Linux

extension Record {
    /// The annotation that says which signal asks the container to end (OCI image-spec, annotations.md).
    private static let stopSignalAnnotation = "org.opencontainers.image.stopSignal"

    /// What it says, or SIGTERM.
    public var stopSignal: Int32 {
        guard
            let entry = annotations.last(where: {
                $0.key.utf8.elementsEqual(Record.stopSignalAnnotation.utf8)
            }),
            let number = try? SignalNames.number(entry.value), number > 0
        else { return Signal.terminate }
        return number
    }
}
