import ANPRModel
import Compression

/// What the same reads would take if each force sent them as they come: as NDJSON, plain and packed, and in compact calls.
///
/// Every good read goes, also one sent again: without deduplication nobody can tell. Each force has a connection for each
/// form; what has waited for the longest delay goes, with what TCP, IP and TLS add.
struct PlainLines {
    /// How many reads of a force the packing as one file is measured on.
    static let fileReadsMax = 50_000

    /// One force's connections.
    private final class Force {
        var lines = ByteWriter(capacity: 1 << 14)
        var lineCount = 0
        let stream: DeflateStream
        let file: DeflateStream
        var fileReads = 0
        /// Captures that wait for a call, and their bytes.
        var captures = 0
        var captureBytes = 0
        /// When the oldest line and the oldest capture that wait came, in milliseconds.
        var linesSince: Int64?
        var capturesSince: Int64?

        init() throws(CompressionError) {
            stream = try DeflateStream(wrapper: .gzip)
            file = try DeflateStream(wrapper: .gzip)
        }
    }

    /// Reads sent, in every form.
    private(set) var reads = 0
    /// Bytes of the lines as NDJSON, as gzip flushed each time, and in compact calls.
    private(set) var plain = 0
    private(set) var packed = 0
    private(set) var compact = 0
    /// Bytes of the first reads of each force as one gzip file, and how many reads that are.
    private(set) var file = 0
    private(set) var fileReads = 0

    private var forces: [Force] = []
    private let forceOfCamera: [ForceIndex]
    private let settings: ReplayedLine.Settings
    private var text: ReadNDJSON
    private let calls: CompactCalls
    private var output: [UInt8] = []

    init(_ settings: ReplayedLine.Settings, register: CameraRegister) throws(CompressionError) {
        forceOfCamera = register.forceOfCamera
        self.settings = settings
        text = ReadNDJSON(register: register)
        calls = CompactCalls(register: register)
        for _ in register.forces { forces.append(try Force()) }
    }

    /// Takes what a feed brought by a moment.
    mutating func take(_ more: [Read], at moment: Timestamp) {
        reads += more.count
        for read in more {
            let force = forces[Int(forceOfCamera[Int(read.camera)])]
            if force.lineCount == 0 { force.linesSince = moment.milliseconds }
            text.append(read, to: &force.lines)
            force.lineCount += 1
            if force.captures == 0 { force.capturesSince = moment.milliseconds }
            force.captures += 1
            force.captureBytes += calls.length(read)
            if force.captures == CompactCalls.countMax { call(force) }
        }
    }

    /// Sends what has waited long enough by a moment.
    mutating func leave(at moment: Timestamp) throws(CompressionError) {
        try leave(since: moment.milliseconds - settings.delayMax)
    }

    /// Sends everything, and ends the files.
    mutating func finish() throws(CompressionError) {
        try leave(since: .max)
        for force in forces {
            output.removeAll(keepingCapacity: true)
            try force.file.pack([], .finished, into: &output)
            if force.fileReads > 0 { file += output.count }
            fileReads += force.fileReads
        }
    }

    private mutating func leave(since latest: Int64) throws(CompressionError) {
        for force in forces {
            if let since = force.linesSince, since <= latest { try flush(force) }
            if let since = force.capturesSince, since <= latest { call(force) }
        }
    }

    private mutating func flush(_ force: Force) throws(CompressionError) {
        let lines = force.lines.take()
        plain += ReplayedLine.cost(lines.count, settings)
        output.removeAll(keepingCapacity: true)
        try force.stream.pack(lines, .flushed, into: &output)
        packed += ReplayedLine.cost(output.count, settings)
        if force.fileReads < Self.fileReadsMax {
            output.removeAll(keepingCapacity: true)
            try force.file.pack(lines, .open, into: &output)
            file += output.count
            force.fileReads += force.lineCount
        }
        force.lineCount = 0
        force.linesSince = nil
    }

    private mutating func call(_ force: Force) {
        compact += ReplayedLine.cost(CompactCalls.callLength(force.captureBytes), settings)
        force.captures = 0
        force.captureBytes = 0
        force.capturesSince = nil
    }
}
