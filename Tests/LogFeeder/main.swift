// A supervisor's log writer alone, for tests that kill it: takes what is in a keeper's memory into a log until both
// streams have ended.
//
// usage: log-feeder MEMORY SETTINGS [MEGABYTES]
//   MEMORY     path of the memory (CKeeper.h)
//   SETTINGS   path of a settings.json
//   MEGABYTES  a measurement: the ring holds whole lines and is given so often again; prints MB/s and CPU ms per MB
import CKeeper
import CLinux
import Diagnostics
import Glibc
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

/// How fast the same ring is logged again and again.
func measure(_ memory: String, _ settings: String, _ megabytes: Int) throws(Failure) {
    let descriptor = try Descriptor.open(memory, O.readWrite)
    let ring = try OutputRing(memory: descriptor, room: nil)
    var error: CInt = 0
    let shared = clinux_map_shared(descriptor.raw, OutputRing.size, &error)!
        .assumingMemoryBound(to: ckeeper_shared.self)
    let bytes = try Descriptor.open(settings, O.readOnly).readAll(limit: 1 << 20, name: settings) ?? []
    var writer = try LogWriter(try SupervisionSettings(bytes, name: settings), notes: ring.notes)
    var done = 0
    let (start, cpu) = (clinux_monotonic(), clock())
    while done < megabytes << 20 {
        let count = writer.drain(ring, stream: 0, isFinal: false).consumed
        done += count
        // As if as many bytes had come again.
        shared.pointee.streams.0.head += UInt64(OutputRing.capacity - ring.available(0))
    }
    let seconds = Double(clinux_monotonic() - start) / 1e9
    let rate = Double(done) / 1e6 / seconds
    let cost = Double(clock() - cpu) / 1e3 / (Double(done) / 1e6)
    try Descriptor.writeError("\(rate) MB/s, \(cost) ms of CPU per MB\n")
}

extension Descriptor {
    static func writeError(_ text: String) throws(Failure) {
        let descriptor = Descriptor(adopting: 2)
        try descriptor.write(text, name: "standard error")
        _ = descriptor.release()
    }
}

do throws(Failure) {
    let words = CommandLine.arguments
    if words.count > 3, let megabytes = Int(words[3]) {
        try measure(words[1], words[2], megabytes)
    } else {
        try feed(words[1], words[2])
    }
} catch {
    try? Descriptor.writeError(error.description + "\n")
    clinux_exit(1)
}
