import CKeeper
import CLinux
import Diagnostics
import Foundation
import Keeper
import Linux
import Logs
import Store
import TestSupport
import Testing

/// The keeper's side of the memory: what a container prints, without a container.
final class TestRing {
    private let memory: Descriptor
    private let base: UnsafeMutableRawPointer
    /// Where other processes find it.
    let path: String
    /// All that was put in, by stream.
    private(set) var printed = [Data(), Data()]

    init() throws {
        memory = Descriptor(adopting: clinux_memfd("test-ring", 0))
        _ = clinux_set_file_size(memory.raw, Int64(OutputRing.size))
        var error: CInt = 0
        guard let base = clinux_map_shared(memory.raw, OutputRing.size, &error) else {
            throw POSIXError(.init(rawValue: -error) ?? .EIO)
        }
        self.base = base
        path = "/proc/\(getpid())/fd/\(memory.raw)"
        base.assumingMemoryBound(to: ckeeper_shared.self).pointee.version = UInt32(CKEEPER_VERSION)
    }

    deinit { clinux_unmap(base, OutputRing.size) }

    /// As the supervisor maps it.
    func open() throws -> OutputRing {
        try OutputRing(memory: Descriptor(adopting: dup(memory.raw)), room: nil)
    }

    var notes: UnsafeMutableRawPointer { base + MemoryLayout<ckeeper_shared>.size - Int(CKEEPER_NOTES) }

    private func stream(_ number: Int) -> UnsafeMutablePointer<ckeeper_stream> {
        let offset = MemoryLayout<ckeeper_shared>.offset(of: \.streams)!
        return (base + offset + number * MemoryLayout<ckeeper_stream>.stride)
            .assumingMemoryBound(to: ckeeper_stream.self)
    }

    /// Room in a stream's ring.
    func room(_ number: Int) -> Int {
        let tail = clinux_load64(&stream(number).pointee.tail)
        return OutputRing.capacity - Int(stream(number).pointee.head - tail)
    }

    /// Adds what fits, as having arrived then; returns how much that was.
    @discardableResult
    func put(_ number: Int, _ bytes: some DataProtocol, time: Int64 = 1_700_000_000_123_456_789) -> Int {
        let stream = stream(number)
        let count = min(bytes.count, room(number))
        guard count > 0 else { return 0 }
        let head = stream.pointee.head
        let ring = base + Int(OutputRing.size) - (2 - number) * OutputRing.capacity
        let marks = UnsafeMutableRawPointer(stream)
            .advanced(by: MemoryLayout<ckeeper_stream>.offset(of: \.marks)!)
            .assumingMemoryBound(to: ckeeper_mark.self)
        let part = Data(bytes.prefix(count))
        part.withUnsafeBytes { source in
            let start = Int(head % UInt64(OutputRing.capacity))
            let first = min(count, OutputRing.capacity - start)
            memcpy(ring + start, source.baseAddress!, first)
            if first < count { memcpy(ring, source.baseAddress! + first, count - first) }
        }
        let made = stream.pointee.mark_head
        if made - clinux_load64(&stream.pointee.mark_tail) < UInt64(CKEEPER_MARKS) {
            marks[Int(made % UInt64(CKEEPER_MARKS))] = ckeeper_mark(position: head, time: time)
            clinux_store64(&stream.pointee.mark_head, made + 1)
        }
        clinux_store64(&stream.pointee.head, head + UInt64(count))
        printed[number].append(part)
        return count
    }

    func put(_ number: Int, _ text: String, time: Int64 = 1_700_000_000_123_456_789) {
        put(number, Data(text.utf8), time: time)
    }

    func end() {
        for number in 0..<2 { clinux_store32(&stream(number).pointee.ended, 1) }
    }
}

/// A directory with a log in it.
final class TestLog {
    let directory: TemporaryDirectory
    var settings: SupervisionSettings
    let ring: TestRing

    init(_ driver: SupervisionSettings.LogDriver = .k8sFile) throws {
        directory = try TemporaryDirectory("log")
        ring = try TestRing()
        settings = SupervisionSettings(id: "a-container-with-a-name", root: "/r", bundle: "/b")
        settings.logDriver = driver
        settings.logPath = directory.path + "/container.log"
    }

    deinit { directory.remove() }

    var path: String { settings.logPath! }

    func writer() throws -> LogWriter {
        try LogWriter(settings, notes: ring.notes)
    }

    /// The log's files, oldest first.
    func files() -> [String] {
        var files = [path]
        while FileManager.default.fileExists(atPath: "\(path).\(files.count)") {
            files.append("\(path).\(files.count)")
        }
        return files.reversed()
    }

    /// All of the log's text, oldest first.
    func text() throws -> Data {
        try files().reduce(into: Data()) {
            if let data = FileManager.default.contents(atPath: $1) { $0.append(data) }
        }
    }

    /// Drains both streams until nothing more happens.
    func drain(
        _ writer: inout LogWriter, _ ring: borrowing OutputRing, isFinal: Bool = false
    ) -> [String] {
        var messages: [String] = []
        for stream in 0..<2 {
            while true {
                let progress = writer.drain(ring, stream: stream, isFinal: isFinal)
                messages += progress.messages
                if progress.consumed == 0 { break }
            }
        }
        return messages
    }

    /// Drains until a condition holds, as the event loop does.
    func drive(
        _ writer: inout LogWriter, _ ring: borrowing OutputRing, isFinal: Bool = false,
        seconds: Double = 30, until isDone: ([LogProgress]) -> Bool
    ) throws -> [String] {
        let deadline = Date().addingTimeInterval(seconds)
        var messages: [String] = []
        while true {
            var all: [LogProgress] = []
            for stream in 0..<2 {
                let progress = writer.drain(ring, stream: stream, isFinal: isFinal)
                messages += progress.messages
                all.append(progress)
            }
            if isDone(all) { return messages }
            try #require(Date() < deadline, "\(messages)")
            usleep(1000)
        }
    }
}

/// Reads logs without our reader.
enum Reference {
    struct Line: Equatable {
        var time: String
        var stream: Int
        var isWhole: Bool
        var text: Data
    }

    struct Broken: Error {
        let line: String
    }

    static func lines(_ log: Data, _ driver: SupervisionSettings.LogDriver) throws -> [Line] {
        try log.split(separator: 10, omittingEmptySubsequences: false).dropLast().map { line in
            driver == .k8sFile ? try kubernetes(Data(line)) : try docker(Data(line))
        }
    }

    private static func kubernetes(_ line: Data) throws -> Line {
        let parts = line.split(separator: 32, maxSplits: 3, omittingEmptySubsequences: false).map { Data($0) }
        guard parts.count == 4 else { throw Broken(line: String(decoding: line, as: UTF8.self)) }
        let words = parts[..<3].map { String(decoding: $0, as: UTF8.self) }
        guard words[0].count == 30, ["stdout", "stderr"].contains(words[1]), ["F", "P"].contains(words[2])
        else { throw Broken(line: String(decoding: line, as: UTF8.self)) }
        return Line(
            time: words[0], stream: words[1] == "stdout" ? 0 : 1, isWhole: words[2] == "F", text: parts[3])
    }

    private static func docker(_ line: Data) throws -> Line {
        guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            let log = object["log"] as? String, let stream = object["stream"] as? String,
            let time = object["time"] as? String
        else { throw Broken(line: String(decoding: line, as: UTF8.self)) }
        let isWhole = log.utf8.last == 10
        return Line(
            time: time, stream: stream == "stdout" ? 0 : 1, isWhole: isWhole,
            text: isWhole ? Data(log.utf8.dropLast()) : Data(log.utf8))
    }

    /// What a stream's lines say the container printed.
    static func printed(_ lines: [Line], _ stream: Int) -> Data {
        lines.reduce(into: Data()) { data, line in
            guard line.stream == stream else { return }
            data.append(line.text)
            if line.isWhole { data.append(10) }
        }
    }
}

/// A source of the same numbers again and again.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// Lines of many lengths, with bytes of all kinds.
    mutating func lines(_ count: Int, longest: Int, isText: Bool = false) -> Data {
        let lengths = (0..<count).map { _ in
            switch Int.random(in: 0..<10, using: &self) {
            case 0: 0
            case 1: Int.random(in: 0...longest, using: &self)
            default: Int.random(in: 0...min(120, longest), using: &self)
            }
        }
        var state = next()
        // By pointers: tests are not optimised.
        return Data(
            [UInt8](unsafeUninitializedCapacity: lengths.reduce(count, +)) { buffer, used in
                var place = buffer.baseAddress!
                for length in lengths {
                    for _ in 0..<length {
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        let byte = UInt8(truncatingIfNeeded: state >> 33)
                        place.pointee = isText ? 32 + byte % 95 : byte == 10 ? 0 : byte
                        place += 1
                    }
                    place.pointee = 10
                    place += 1
                }
                used = place - buffer.baseAddress!
            })
    }
}
