import ANPRModel
public import Archive
import SightingFrames

/// Cuts the sighting log into messages for one connection: the outbox is a cursor over the log, nothing is stored twice.
///
/// Few bytes when busy, quick when quiet: what comes after a quiet spell goes at once, then no message goes within
/// `maxDelay` of the one before unless it is full.
public struct Outbox {
    private var reader: SightingLogReader
    private var writer = LinkStreamWriter()
    private let welcome: LinkWelcome
    private let maxDelay: Int64
    private var version = 0
    /// Read and not yet packed, from `packed` on.
    private var waiting = SightingBatch()
    private var packed = 0
    /// The mark behind what waits.
    private var mark: StreamMark?
    /// Read, and of other cameras than what waits.
    private var held: SightingLogReader.Run?
    private var isTold = false
    private var lastAt: Int64?
    private var bytesPerSighting = 8.0

    /// The most sightings in one message.
    public static let countMax = 8192
    /// On a line with a budget a message takes no longer than this part of a second.
    private static let partOfSecond = 4

    /// An outbox that begins where the receiver stands.
    ///
    /// - Parameters:
    ///   - folder: the log's.
    ///   - keys: of the data folder; without them only what is in the clear can be read.
    ///   - maxDelay: how long sightings may wait for others, in nanoseconds.
    public init(_ folder: String, keys: KeyRing?, _ welcome: LinkWelcome, maxDelay: Int64) {
        reader = SightingLogReader(folder, keys: keys, from: welcome.next)
        self.welcome = welcome
        self.maxDelay = maxDelay
    }

    /// The next message that is due.
    ///
    /// - Parameters:
    ///   - extent: how far the log is complete; nothing behind it is read.
    ///   - now: nanoseconds of a clock.
    ///   - bytesPerSecond: what the line carries, if it has a budget.
    ///   - isFlushing: whether everything is due.
    /// - Returns: `nil` when there is nothing to be sent now.
    public mutating func next(
        _ extent: SightingLog.Extent,
        at now: Int64,
        bytesPerSecond: Int?,
        isFlushing: Bool
    ) throws -> LinkMessage? {
        let countMax = countMax(bytesPerSecond)
        try fill(extent, countMax)
        if let cameras = try writer.cameras(atMost: camerasMax(bytesPerSecond)) { return cameras }
        let count = min(waiting.count - packed, countMax)
        guard count > 0 || mark != nil else { return nil }
        let isQuiet = lastAt.map { now - $0 >= maxDelay } ?? true
        guard isFlushing || isQuiet || count == countMax || held != nil else { return nil }
        let isLast = packed + count == waiting.count
        let message = writer.message(waiting, packed..<packed + count, isLast ? mark : nil)
        learn(message, count)
        lastAt = now
        packed += count
        if isLast {
            waiting.removeAll()
            packed = 0
            mark = nil
        }
        return message
    }

    /// Whether everything up to the log's end was given out.
    public func isEmpty(_ extent: SightingLog.Extent) -> Bool {
        waiting.count == packed && held == nil && mark == nil && reader.next >= extent.next
    }

    /// Reads until a message is full or nothing more is there.
    private mutating func fill(_ extent: SightingLog.Extent, _ countMax: Int) throws {
        while waiting.count - packed < countMax {
            guard let run = try held ?? reader.read(before: extent.next) else { return }
            // What waits must go under the cameras it was read with.
            let isOther = reader.registerVersion != version && !writer.isExtended(by: reader.register)
            held = isOther && waiting.count > packed ? run : nil
            if held != nil { return }
            add(run)
            guard reader.registerVersion != version else { continue }
            version = reader.registerVersion
            use(reader.register)
        }
    }

    private mutating func add(_ run: SightingLogReader.Run) {
        if let mark = run.mark { self.mark = mark } else { waiting.append(contentsOf: run.batch) }
    }

    private mutating func use(_ register: CameraRegister) {
        guard !isTold else { return writer.use(register) }
        isTold = true
        let known = Int(welcome.cameras)
        let isKnown =
            known <= register.count && welcome.checksum == RegisterBlock.checksum(register, first: known)
        writer.use(register, known: isKnown ? known : 0)
    }

    /// A camera takes some 20 to 40 bytes.
    private func camerasMax(_ bytesPerSecond: Int?) -> Int {
        guard let bytesPerSecond else { return .max }
        return max(bytesPerSecond / Self.partOfSecond / 40, 8)
    }

    private func countMax(_ bytesPerSecond: Int?) -> Int {
        guard let bytesPerSecond else { return Self.countMax }
        let bytes = Double(bytesPerSecond / Self.partOfSecond)
        return min(max(Int(bytes / bytesPerSighting), 10), Self.countMax)
    }

    private mutating func learn(_ message: LinkMessage, _ count: Int) {
        guard case .sightings(let body) = message, count > 0 else { return }
        bytesPerSighting += (Double(body.count) / Double(count) - bytesPerSighting) / 8
    }
}
