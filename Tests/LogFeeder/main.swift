// A supervisor's log writer alone, for tests that kill it: takes what is in a keeper's memory into a log until both
// streams have ended.
//
// usage: log-feeder MEMORY SETTINGS
//   MEMORY    path of the memory (CKeeper.h)
//   SETTINGS  path of a settings.json
import CLinux
import Diagnostics
import Keeper
import Linux
import Logs
import Store

func feed(_ memory: String, _ settings: String) throws(Failure) {
    let ring = try OutputRing(memory: try Descriptor.open(memory, O.readWrite), room: nil)
    let bytes = try Descriptor.open(settings, O.readOnly).readAll(limit: 1 << 20, name: settings) ?? []
    var writer = try LogWriter(try SupervisionSettings(bytes, name: settings), notes: ring.notes)
    var isDone = [false, false]
    while isDone.contains(false) {
        var consumed = 0
        for stream in 0..<2 where !isDone[stream] {
            let progress = writer.drain(ring, stream: stream, isFinal: ring.hasEnded(stream))
            consumed += progress.consumed
            isDone[stream] = progress.isDrained
            for message in progress.messages { try Descriptor.writeError(message + "\n") }
        }
        if consumed == 0, isDone.contains(false) { clinux_sleep(1) }
    }
}

extension Descriptor {
    static func writeError(_ text: String) throws(Failure) {
        let descriptor = Descriptor(adopting: 2)
        try descriptor.write(text, name: "standard error")
        _ = descriptor.release()
    }
}

do throws(Failure) {
    try feed(CommandLine.arguments[1], CommandLine.arguments[2])
} catch {
    try? Descriptor.writeError(error.description + "\n")
    clinux_exit(1)
}
