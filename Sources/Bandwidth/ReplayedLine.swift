import ANPRModel
import Forwarding

/// A line in event time: sightings leave, wait for a frame, and go over it piece by piece.
///
/// What leaves after a quiet spell goes at once; then no frame goes within the longest delay of the one before, unless it
/// has as many as half a second of the line takes; and none before the line has taken all of the one before. What leaves
/// while the line is busy so goes in larger frames.
///
/// - Complexity: holds the sightings that wait. Where the traffic is more than the line carries that is all of the rest.
struct ReplayedLine {
    /// What was asked of the line.
    struct Settings {
        var bitsPerSecond: Int
        var isEncrypted: Bool
        /// How long sightings may wait for others to go with them, in milliseconds.
        var delayMax: Int64
        /// Whether the line's rate holds things up; else only what they cost is counted.
        var isPaced = true
    }

    private(set) var bytes = LineBytes()
    private(set) var use = LineUse()
    private(set) var waits = Waits()
    private(set) var frames = 0

    let settings: Settings
    private var packer: LinePacker
    private var budget: LinkBudget
    private var waiting = SightingBatch()
    /// When each of those that wait left, in milliseconds from the base, and how many before them have gone.
    private var leftAt: [Int64] = []
    private var gone = 0
    /// When the line has taken everything so far, in nanoseconds.
    private var freeAt: Int64 = 0
    /// Before this, in nanoseconds, only a full frame goes.
    private var quietUntil: Int64 = 0
    private let frameMax: Int
    /// The start of the minute in which the first sighting left: what all times of the line are counted from.
    private(set) var base: Timestamp?

    /// When the line had taken everything, in seconds from the base.
    var end: Double { Double(freeAt) / 1e9 }

    /// About what a sighting takes, for the number that fills a message.
    private static let usualLength = 8

    init(_ settings: Settings, register: CameraRegister) throws {
        self.settings = settings
        budget = LinkBudget(bitsPerSecond: settings.bitsPerSecond, isEncrypted: settings.isEncrypted)
        packer = try LinePacker(register: register)
        frameMax = Self.frameMax(settings.bitsPerSecond)
    }

    /// How many sightings fill a message: what a line carries in half a second, and no more than a frame takes.
    static func frameMax(_ bitsPerSecond: Int) -> Int {
        min(LinePacker.countMax, max(64, bitsPerSecond / 16 / usualLength))
    }

    /// What bytes that go at once take of such a line, in its pieces.
    static func cost(_ count: Int, _ settings: Settings) -> Int {
        let budget = LinkBudget(bitsPerSecond: settings.bitsPerSecond, isEncrypted: settings.isEncrypted)
        let rest = count % budget.pieceMax
        return count / budget.pieceMax * budget.cost(budget.pieceMax) + (rest > 0 ? budget.cost(rest) : 0)
    }

    /// Takes sightings that left at a moment, never before one given earlier.
    mutating func offer(_ batch: SightingBatch, at moment: Timestamp) {
        guard !batch.isEmpty else { return }
        if base == nil { greet(at: moment) }
        let time = time(moment)
        while let due, due <= time * 1_000_000 { send(at: due) }
        waiting.append(contentsOf: batch)
        leftAt.append(contentsOf: repeatElement(time, count: batch.count))
        use.left(batch.count, atMillisecond: time)
        while let due, due <= time * 1_000_000 { send(at: due) }
    }

    /// Sends everything that still waits.
    mutating func finish() {
        while let due { send(at: due) }
    }

    /// When the next frame goes, in nanoseconds.
    private var due: Int64? {
        guard gone < leftAt.count else { return nil }
        var ready = max(leftAt[gone] * 1_000_000, quietUntil)
        if leftAt.count - gone >= frameMax {
            ready = min(ready, leftAt[gone + frameMax - 1] * 1_000_000)
        }
        return max(ready, freeAt)
    }

    /// Names the cameras, before anything else.
    private mutating func greet(at moment: Timestamp) {
        let past = moment.milliseconds % 60_000
        base = Timestamp(milliseconds: moment.milliseconds - (past < 0 ? past + 60_000 : past))
        bytes.register = packer.camerasLength
        freeAt = carry(packer.camerasLength, at: time(moment) * 1_000_000, isOpening: true)
    }

    /// Milliseconds since the base: at most 285 years, which nanoseconds can still say.
    private func time(_ moment: Timestamp) -> Int64 {
        min(moment.milliseconds - (base ?? moment).milliseconds, 9_000_000_000_000)
    }

    private mutating func send(at now: Int64) {
        let range = gone..<min(leftAt.count, gone + frameMax)
        let length = packer.pack(waiting, range)
        var amended = 0
        for index in range where waiting.sightings[index].revision > 0 { amended += 1 }
        let share = length.frame * amended / range.count
        bytes.amendments += share
        bytes.sightings += length.frame - share
        bytes.marks += length.mark
        bytes.messages += length.message
        frames += 1
        quietUntil = now + settings.delayMax * 1_000_000
        freeAt = carry(length.total, at: now)
        for index in range { waits.add(freeAt - leftAt[index] * 1_000_000) }
        gone = range.upperBound
        if gone == leftAt.count {
            waiting.removeAll()
            leftAt.removeAll(keepingCapacity: true)
            gone = 0
        }
        guard gone > 8192, gone * 2 > leftAt.count else { return }
        var rest = SightingBatch()
        swap(&rest, &waiting)
        waiting.append(gone..<rest.count, of: rest)
        leftAt.removeFirst(gone)
        gone = 0
    }

    /// Carries a message in pieces.
    ///
    /// - Returns: when the last of it is over the line.
    private mutating func carry(_ message: Int, at start: Int64, isOpening: Bool = false) -> Int64 {
        var now = start
        var rest = message
        var end = now
        while rest > 0 {
            let piece = min(rest, budget.pieceMax)
            let cost = budget.cost(piece)
            bytes.transport += cost - piece
            if settings.isPaced {
                // A wait can end at a moment from which more is to be waited for.
                while case let wait = budget.delay(piece, at: now), wait > 0 { now += wait }
                budget.sent(piece, at: now)
                use.carried(cost, at: now, isOpening: isOpening)
                end = now + Int64(cost) * 1_000_000_000 / Int64(budget.bytesPerSecond)
            }
            rest -= piece
        }
        return end
    }
}

/// How long sightings waited from leaving the deduplicator until they were over the line.
struct Waits {
    private(set) var count = 0
    private(set) var longest: Int64 = 0
    private var sum = 0.0
    /// By tenths of a second, the last for a minute and more.
    private var tenths = [Int](repeating: 0, count: 601)

    mutating func add(_ nanoseconds: Int64) {
        count += 1
        longest = max(longest, nanoseconds)
        sum += Double(nanoseconds)
        tenths[min(600, Int(nanoseconds / 100_000_000))] += 1
    }

    /// The mean, in nanoseconds.
    var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// What 99 of 100 waited at most, in nanoseconds: rounded up to a tenth of a second; the longest, if over a minute.
    var most: Int64 {
        var left = count - count / 100
        for (tenth, count) in tenths.enumerated() {
            left -= count
            if left <= 0 { return tenth == 600 ? longest : min(longest, Int64(tenth + 1) * 100_000_000) }
        }
        return longest
    }
}
