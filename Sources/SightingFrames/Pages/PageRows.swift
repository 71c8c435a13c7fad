import ANPRModel
import Compression

/// The sightings of a page, as columns.
///
/// They stand in runs of one mark each, in the order of first and camera. Each run says how many it has; times are told by the day
/// for its first sighting and from there on as delays; all else stands in the columns that frames have. Other marks are told in full,
/// so that a page is read by who does not know the marks of all runs.
struct PageRows {
    private let columns: FrameColumns
    /// For each run how many sightings it has, less one.
    private var repeats = ColumnWriter()
    /// For each run's first sighting: the upper bits of its time in the day, and the others.
    private var times: [UInt8] = []
    private var timeBits: [UInt32] = []
    /// For each further sighting: how long after the one before it was, in milliseconds, plus one.
    private var delays: [Magnitude] = []

    /// So many bits of a time in the day are as good as random.
    static let timeBitCount = 19
    static let dayLength: Int64 = 86_400_000
    /// Columns that frames of a link have besides times and marks.
    static func order(flags: UInt16) -> ArraySlice<FrameColumn> { CodedColumns.order(flags: flags)[8...] }

    /// Of runs of sightings of one day, one behind the other.
    init(_ batch: SightingBatch, _ runs: ArraySlice<Range<Int>>, day: Int32, by encoder: FrameEncoder) {
        let range = (runs.first?.lowerBound ?? 0)..<(runs.last?.upperBound ?? 0)
        columns = encoder.columns(batch, range, marks: MarkColumns(room: 0), after: 0, tellsAllVariants: true)
        for run in runs {
            repeats.put(UInt64(run.count - 1))
            let first = batch.sightings[run.lowerBound].first.milliseconds
            let time = UInt32(first - Int64(day) * Self.dayLength)
            times.append(UInt8(time >> UInt32(Self.timeBitCount)))
            timeBits.append(time & (1 << UInt32(Self.timeBitCount) - 1))
            var previous = first
            for row in run.dropFirst() {
                let next = batch.sightings[row].first.milliseconds
                delays.append(Magnitude(Int(next - previous) + 1))
                previous = next
            }
        }
    }

    /// What is told of the columns: whether there are other marks, and how many numbers do not follow from others.
    private var told: ColumnWriter {
        var told = ColumnWriter()
        told.put(UInt64(columns.flags & FrameColumn.variantsFlag))
        for column in CodedColumns.told(flags: columns.flags) {
            told.put(UInt64(columns.numbers(in: column)))
        }
        return told
    }

    /// Counts what the codebook must be made of.
    func count(in counts: inout ByteCounts) {
        counts.add(numbers: told.bytes, kind: PageKinds.told)
        counts.add(numbers: repeats.bytes, kind: PageKinds.repeats)
        counts.add(times, kind: PageKinds.time)
        counts.add(delays.map(\.code), kind: PageKinds.delay)
        for column in Self.order(flags: columns.flags) { columns.count(column, in: &counts) }
    }

    /// The bytes of it.
    func encoded(_ packer: inout EntropyPacker) -> [UInt8] {
        packer.put(numbers: told.bytes, kind: PageKinds.told)
        packer.put(numbers: repeats.bytes, kind: PageKinds.repeats)
        packer.put(times, kind: PageKinds.time)
        for bits in timeBits { packer.put(bits: bits, count: Self.timeBitCount) }
        Magnitude.put(delays, kind: PageKinds.delay, to: &packer)
        for column in Self.order(flags: columns.flags) { columns.put(column, to: &packer) }
        var bytes: [UInt8] = []
        packer.finish(into: &bytes)
        return bytes
    }
}

/// What a page is read into: kept from one to the next, as most are too small to be worth making room for.
struct PageBuffers: Sendable {
    var moments = PageMoments()
    var columns = ColumnBytes()
    fileprivate var numbers: [UInt8] = []
    fileprivate var highs: [UInt8] = []
    fileprivate var lows: [UInt32] = []
    fileprivate var delays: [UInt32] = []
}

/// Reads what `PageRows` wrote: when and where first, all else only if it is wanted.
struct PageRowsReader {
    private let flags: UInt16
    private let told: ByColumn<Int>
    private var columnCounts: ColumnCounts

    /// Reads times and cameras; `finish` must follow before the unpacker reads anything else, or never.
    ///
    /// - Parameters:
    ///   - marks: how many runs there are.
    ///   - buffers: what was in them is gone.
    init(
        _ bytes: [UInt8],
        marks: Int,
        day: Int32,
        _ unpacker: inout EntropyUnpacker,
        _ buffers: inout PageBuffers
    ) throws {
        try unpacker.begin(bytes, at: 0)
        (flags, told) = try Self.readTold(&unpacker, &buffers.numbers)
        try Self.readCounts(marks, &unpacker, &buffers)
        try Self.readTimes(day, &unpacker, &buffers)
        let rows = buffers.moments.times.count
        columnCounts = ColumnCounts(rows: rows)
        buffers.columns.removeAll()
        for column in [FrameColumn.cameraLow, .cameraHigh] {
            try buffers.columns.read(column, rows, from: &unpacker)
        }
        try Self.readCameras(rows, buffers.columns, &buffers.moments.cameras)
    }

    private static func readTold(_ unpacker: inout EntropyUnpacker, _ numbers: inout [UInt8]) throws
        -> (UInt16, ByColumn<Int>)
    {
        numbers.removeAll(keepingCapacity: true)
        try unpacker.numbers(1, kind: PageKinds.told, lengthMax: 10, into: &numbers)
        let variants = try ColumnReader.read(numbers) { column throws(FrameFault) in try column.number() }
        guard variants == 0 || variants == UInt64(FrameColumn.variantsFlag) else {
            throw FrameFault.notAFrame
        }
        let flags = FrameColumn.layoutFlag | FrameEncoder.Order.mark.rawValue | UInt16(variants)
        let columns = CodedColumns.told(flags: flags)
        numbers.removeAll(keepingCapacity: true)
        try unpacker.numbers(
            columns.count,
            kind: PageKinds.told,
            lengthMax: 10 * columns.count,
            into: &numbers
        )
        let told = try ColumnReader.read(numbers) { reader throws(FrameFault) in
            var told = ByColumn<Int>(repeating: 0)
            for column in columns {
                told[column.rawValue] = Int(try reader.number(upTo: UInt64(CodedColumns.lengthMax)))
            }
            return told
        }
        return (flags, told)
    }

    /// By run how many sightings it has.
    private static func readCounts(
        _ marks: Int,
        _ unpacker: inout EntropyUnpacker,
        _ buffers: inout PageBuffers
    ) throws {
        buffers.numbers.removeAll(keepingCapacity: true)
        try unpacker.numbers(marks, kind: PageKinds.repeats, lengthMax: 10 * marks, into: &buffers.numbers)
        buffers.moments.counts.removeAll(keepingCapacity: true)
        try ColumnReader.read(buffers.numbers) { column throws(FrameFault) in
            try buffers.moments.counts.append(addingCapacity: marks) { counts throws(FrameFault) in
                var sum = 0
                for _ in 0..<marks {
                    let count = Int(try column.number(upTo: UInt64(FrameEncoder.countMax))) + 1
                    counts.append(count)
                    sum += count
                    guard sum <= FrameEncoder.countMax else { throw .numberTooLarge }
                }
            }
        }
    }

    private static func readTimes(
        _ day: Int32,
        _ unpacker: inout EntropyUnpacker,
        _ buffers: inout PageBuffers
    ) throws {
        let runs = buffers.moments.counts.count
        buffers.highs.removeAll(keepingCapacity: true)
        unpacker.bytes(runs, kind: PageKinds.time, into: &buffers.highs)
        buffers.lows.removeAll(keepingCapacity: true)
        unpacker.bits(PageRows.timeBitCount, times: runs, into: &buffers.lows)
        let rows = buffers.moments.counts.reduce(0, +)
        try Magnitude.read(
            rows - runs,
            kind: PageKinds.delay,
            from: &unpacker,
            &buffers.numbers,
            into: &buffers.delays
        )
        // By itself while the others are looked at.
        var times: [Timestamp] = []
        swap(&times, &buffers.moments.times)
        let midnight = Int64(day) * PageRows.dayLength
        let isInDay = Self.join(buffers, rows, midnight, into: &times)
        buffers.moments.times = times
        guard isInDay, midnight >= Timestamp.earliest.milliseconds,
            midnight + PageRows.dayLength - 1 <= Timestamp.latest.milliseconds
        else { throw FrameFault.numberTooLarge }
    }

    /// Puts times together.
    ///
    /// - Returns: whether all are on the day.
    private static func join(
        _ buffers: PageBuffers,
        _ rows: Int,
        _ midnight: Int64,
        into times: inout [Timestamp]
    ) -> Bool {
        times.removeAll(keepingCapacity: true)
        var next = 0
        var isInDay = true
        times.append(addingCapacity: rows) { times in
            let (counts, highs, lows) = (
                buffers.moments.counts.span, buffers.highs.span, buffers.lows.span
            )
            let delays = buffers.delays.span
            for place in counts.indices {
                var time = Int64(highs[place]) << Int64(PageRows.timeBitCount) | Int64(lows[place])
                times.append(Timestamp(milliseconds: midnight + time))
                for _ in 1..<counts[place] {
                    time += Int64(delays[next]) - 1
                    next += 1
                    times.append(Timestamp(milliseconds: midnight + time))
                }
                if time >= PageRows.dayLength { isInDay = false }
            }
        }
        return isInDay
    }

    /// The cameras, each the one of a sighting's best read.
    private static func readCameras(_ count: Int, _ columns: ColumnBytes, _ cameras: inout [CameraIndex])
        throws(FrameFault)
    {
        cameras.removeAll(keepingCapacity: true)
        try columns.read(.cameraLow, .cameraHigh) { low, high throws(FrameFault) in
            try cameras.append(addingCapacity: count) { cameras throws(FrameFault) in
                for _ in 0..<count {
                    cameras.append(
                        UInt32(try high.number(upTo: UInt64(UInt32.max >> 8)) << 8) | UInt32(try low.byte())
                    )
                }
            }
        }
    }

    /// Reads all else and appends the sightings; on a fault `batch` is as it was.
    ///
    /// - Parameters:
    ///   - buffers: as they were filled.
    ///   - marks: the mark of each run.
    mutating func finish(
        _ buffers: inout PageBuffers,
        _ marks: [VRM],
        by decoder: FrameDecoder,
        _ unpacker: inout EntropyUnpacker,
        into batch: inout SightingBatch
    ) throws {
        for column in PageRows.order(flags: flags) where column != .cameraLow && column != .cameraHigh {
            let count = columnCounts.count(of: column, told: told)
            try buffers.columns.read(column, count, from: &unpacker)
            try columnCounts.take(column, buffers.columns)
        }
        try unpacker.finish()
        var vrms: [VRM] = []
        vrms.reserveCapacity(buffers.moments.times.count)
        for (vrm, count) in zip(marks, buffers.moments.counts) {
            for _ in 0..<count { vrms.append(vrm) }
        }
        let times = buffers.moments.times
        try buffers.columns.read { readers throws(FrameFault) in
            try decoder.decode(&readers, vrms, flags: flags, .known(times), into: &batch)
        }
    }
}
