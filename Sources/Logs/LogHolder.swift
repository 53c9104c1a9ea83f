/// A writer that belongs to an object: embedded Swift destroys a value that cannot be copied only in the module that
/// says how.
public final class LogHolder {
    public var writer: LogWriter

    public init(_ writer: consuming LogWriter) {
        self.writer = writer
    }
}
