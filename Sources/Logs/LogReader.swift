internal import CLinux
public import Diagnostics
internal import Linux
public import Store

/// `gantry logs`: what a container has printed, out of its log.
public struct LogReader: ~Copyable {
    let path: String
    /// Of the container in the state directory.
    let directory: String
    let query: LogQuery
    private let isAlone: Bool
    private var records: RecordReader
    private var lines: LineScanner
    private var printer: LogPrinter
    let warn: @Sendable (String) -> Void

    /// Prints what is asked for to standard output and standard error.
    ///
    /// - Parameters:
    ///   - directory: of the container in the state directory.
    ///   - warn: told what is missing.
    public static func print(
        _ settings: SupervisionSettings, directory: String, query: LogQuery,
        warn: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        try print(settings, directory: directory, query: query, targets: (1, 2), warn: warn)
    }

    static func print(
        _ settings: SupervisionSettings, directory: String, query: LogQuery, targets: (CInt, CInt),
        warn: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            switch settings.logDriver {
            case .none, .passthrough:
                throw Failure(
                    .unsupported,
                    "what it prints is not kept (--log-driver \(settings.logDriver.rawValue))",
                    at: settings.id)
            case .journald:
                try JournalReader.print(settings, directory: directory, query: query, targets: targets)
            case .k8sFile, .jsonFile:
                var reader = LogReader(
                    settings, directory: directory, query: query, targets: targets, warn: warn)
                try reader.run()
            }
        } catch  where error.kind == .interrupted {
            // Whoever read it has had enough.
        }
    }

    private init(
        _ settings: SupervisionSettings, directory: String, query: LogQuery, targets: (CInt, CInt),
        warn: @escaping @Sendable (String) -> Void
    ) {
        path = settings.logPath ?? ""
        self.directory = directory
        self.query = query
        isAlone = settings.logMaxFiles <= 1
        records = RecordReader(settings.logDriver)
        lines = LineScanner(path: path)
        printer = LogPrinter(query, targets: targets)
        self.warn = warn
    }

    private mutating func run() throws(Failure) {
        // What happens from now on is told, so that nothing falls between reading and waiting.
        var watch = LogWatch(isWanted: query.follows, log: path, directory: directory)
        var chain = try LogChain.open(path)
        watch.begin()
        guard !chain.files.isEmpty || query.follows else {
            throw Failure(.notFound, "the log is not there", at: path)
        }
        let start = try start(in: chain)
        var position: Int64 = 0
        for index in chain.files.indices {
            position = 0
            try show(chain.files[index], from: &position, index: index, start: start)
        }
        if query.follows {
            var file = LogFollower(
                chain.takeNewest(), position: position, path: path, isAlone: isAlone)
            try follow(&file, &watch)
        }
        try printer.flush()
        if printer.unreadable > 0 { warn("\(printer.unreadable) lines of \(path) are no lines of a log") }
    }

    /// Where each stream's first line is that is shown.
    private struct Start {
        var stdout = LogChain.Place(file: 0, offset: 0)
        var stderr = LogChain.Place(file: 0, offset: 0)

        var earliest: LogChain.Place { min(stdout, stderr) }

        func includes(_ stream: Int, _ place: LogChain.Place) -> Bool {
            place >= (stream == 0 ? stdout : stderr)
        }
    }

    /// Prints the lines of one of the files from a position on.
    private mutating func show(
        _ file: CInt, from position: inout Int64, index: Int, start: Start
    ) throws(Failure) {
        if index < start.earliest.file { return }
        if index == start.earliest.file { position = max(position, start.earliest.offset) }
        lines.begin(file, at: position)
        while let line = try lines.next() {
            guard let record = records.read(line.text) else {
                printer.countUnreadable()
                continue
            }
            if start.includes(record.stream, LogChain.Place(file: index, offset: line.offset)) {
                try printer.print(record)
            }
        }
        position = lines.position
    }

    /// Prints what comes behind a position.
    private mutating func show(_ file: CInt, from position: inout Int64) throws(Failure) {
        try show(file, from: &position, index: 0, start: Start())
    }

    private mutating func start(in chain: borrowing LogChain) throws(Failure) -> Start {
        if query.tail != nil { return try tailStart(in: chain) }
        guard let since = query.since else { return Start() }
        // A file that ended well before need not be read. Streams are logged one after the other, so that a line may
        // stand a little behind a later one.
        let margin: Int64 = 60_000_000_000
        var first = 0
        while first < chain.files.count - 1 {
            try lines.beginAtEnd(chain.files[first])
            guard let line = try lines.previous(), let record = records.read(line.text),
                let moment = Timestamp.read(record.time), moment.nanoseconds < since - margin
            else { break }
            first += 1
        }
        let place = LogChain.Place(file: first, offset: 0)
        return Start(stdout: place, stderr: place)
    }

    private mutating func tailStart(in chain: borrowing LogChain) throws(Failure) -> Start {
        var search = TailSearch(query)
        let newest = chain.files.count - 1
        let end = LogChain.Place(file: newest, offset: newest < 0 ? 0 : clinux_file_size(chain.files[newest]))
        var isEnough = query.tail == 0
        for index in chain.files.indices.reversed() where !isEnough {
            try lines.beginAtEnd(chain.files[index])
            while !isEnough, let line = try lines.previous() {
                guard let record = records.read(line.text), printer.wants(record) else { continue }
                isEnough = !search.take(
                    stream: record.stream, isWhole: record.isWhole, length: line.text.count,
                    at: LogChain.Place(file: index, offset: line.offset))
            }
        }
        return Start(stdout: search.first[0] ?? end, stderr: search.first[1] ?? end)
    }

    // MARK: Following

    private mutating func follow(
        _ file: inout LogFollower, _ watch: inout LogWatch
    ) throws(Failure) {
        while true {
            // Before the log: the supervisor says that it is over when all is in the log.
            let isOver = watch.isOver()
            if file.isTruncated() {
                warn("\(path) was cut off by somebody else; it is read from its beginning")
            }
            try show(&file)
            switch try file.moveOn(rotations: watch.rotations) {
            case .stay:
                if !LogChain.exists(path) { watch.renew(isThere: false) }
            case .again: continue
            case .moved(let missed, let rotations):
                watch.rotations = rotations
                watch.renew(isThere: true)
                if missed > 0 {
                    warn("\(missed) files of the log were rotated away before they could be read")
                }
                continue
            }
            try printer.flush()
            if isOver { return }
            guard try watch.wait(until: query.until) else { return }
        }
    }

    private mutating func show(_ file: inout LogFollower) throws(Failure) {
        guard let raw = file.raw else { return }
        try show(raw, from: &file.position)
        file.remember()
    }
}
