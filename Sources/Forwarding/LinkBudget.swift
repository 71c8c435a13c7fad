/// What a line may carry: never more than its rate in any second, wherever that second begins.
///
/// A pure account in a clock's nanoseconds, of what leaves for the line. A piece counts from when it is known to have left
/// (`left`): with the time at which it was given away, one that was held up would bring its second a packet too many. What is
/// sent is evened out too, so that a second's worth does not go at once and then nothing. Each piece counts with what TCP
/// and IP add to it (52 bytes a packet of 1,400, as with IPv4 and time stamps), with TLS its record, and with room for word
/// of what is missing of the other direction, which TCP puts in after a loss.
///
/// - Complexity: O(1) a piece on average; remembers the pieces of one second.
public struct LinkBudget: Sendable, Equatable {
    /// The line's rate.
    public private(set) var bytesPerSecond: Int
    private let recordOverhead: Int
    /// What went within the last second: when it went and what it took of the line.
    private var pieces: [Piece] = []
    private var firstPiece = 0
    private var inLastSecond = 0
    /// Before this nothing goes, for evenness.
    private var nextAt: Int64 = 0

    private struct Piece: Equatable {
        var at: Int64
        var cost: Int
    }

    /// Taken a little long: what left a second apart may be a little closer together further on.
    private static let second: Int64 = 1_030_000_000
    private static let packetOverhead = 52
    /// One gap told (SACK); several at once are rare.
    private static let gapOverhead = 12
    private static let packetMax = 1400

    /// The least rate that is taken, in bits a second: less would not carry a piece and what is around it.
    public static let bitsPerSecondMin = 9600

    /// A budget.
    ///
    /// - Parameters:
    ///   - bitsPerSecond: the line's rate, at least `bitsPerSecondMin`.
    ///   - isEncrypted: whether TLS adds its records.
    public init(bitsPerSecond: Int, isEncrypted: Bool) {
        precondition(bitsPerSecond >= Self.bitsPerSecondMin, "a line too narrow for a budget")
        bytesPerSecond = bitsPerSecond / 8
        recordOverhead = isEncrypted ? 29 : 0
    }

    /// Goes on at another rate; what went within the last second counts against it.
    ///
    /// - Parameter bitsPerSecond: at least `bitsPerSecondMin`.
    public mutating func use(bitsPerSecond: Int) {
        precondition(bitsPerSecond >= Self.bitsPerSecondMin, "a line too narrow for a budget")
        bytesPerSecond = bitsPerSecond / 8
    }

    /// The most bytes to send in one piece: on all but wide lines what makes one packet, of a size of which a whole number
    /// fills a second, because no second may have a part of a packet too many.
    public var pieceMax: Int {
        guard bytesPerSecond <= Self.wideLine else { return 16 << 10 }
        let around = Self.packetOverhead + Self.gapOverhead
        let packet = Self.packetMax + around
        let perSecond = max(2, (bytesPerSecond + packet - 1) / packet)
        return bytesPerSecond / perSecond - around - recordOverhead
    }

    /// From so many bytes a second on pieces are of many packets.
    private static let wideLine = 1_250_000

    /// How long a piece has to wait.
    ///
    /// - Parameters:
    ///   - count: its bytes, at most `pieceMax`.
    ///   - now: the clock's nanoseconds, not negative; never less than before.
    /// - Returns: nanoseconds; 0 when it may go now.
    public mutating func delay(_ count: Int, at now: Int64) -> Int64 {
        forget(before: now)
        var wait = max(0, nextAt - now)
        var excess = inLastSecond + charge(count) - bytesPerSecond
        var place = firstPiece
        while excess > 0, place < pieces.count {
            wait = max(wait, pieces[place].at + Self.second - now)
            excess -= pieces[place].cost
            place += 1
        }
        return wait
    }

    /// Notes that the piece noted last has left by now.
    ///
    /// - Parameter wasHeldUp: whether something was in its way, so that those behind it are to be evened out from now on.
    public mutating func left(at now: Int64, wasHeldUp: Bool) {
        guard let last = pieces.last, firstPiece < pieces.count else { return }
        pieces[pieces.count - 1].at = now
        if wasHeldUp { nextAt = now + Int64(last.cost) * Self.second / Int64(bytesPerSecond) }
    }

    /// Notes what went by itself within the last moments, waiting for no turn, as TLS's handshake does: what follows has
    /// so much less of its second.
    ///
    /// - Parameters:
    ///   - count: its bytes, in packets that may each be small.
    ///   - now: when it had left, not before what was noted last.
    public mutating func went(_ count: Int, at now: Int64) {
        guard count > 0 else { return }
        let cost = charge(count) + Self.packetOverhead + Self.gapOverhead
        pieces.append(Piece(at: now, cost: cost))
        inLastSecond += cost
    }

    /// Notes that a piece went.
    public mutating func sent(_ count: Int, at now: Int64) {
        let cost = charge(count)
        pieces.append(Piece(at: now, cost: cost))
        inLastSecond += cost
        nextAt = now + Int64(cost) * Self.second / Int64(bytesPerSecond)
    }

    /// What a piece takes of the line.
    public func cost(_ count: Int) -> Int {
        count + Self.packetOverhead * Self.packets(count) + recordOverhead
    }

    /// What is set aside for it.
    private func charge(_ count: Int) -> Int { cost(count) + Self.gapOverhead * Self.packets(count) }

    private static func packets(_ count: Int) -> Int { (count + packetMax - 1) / packetMax }

    private mutating func forget(before now: Int64) {
        while firstPiece < pieces.count, pieces[firstPiece].at <= now - Self.second {
            inLastSecond -= pieces[firstPiece].cost
            firstPiece += 1
        }
        guard firstPiece > 64, firstPiece * 2 > pieces.count else { return }
        pieces.removeFirst(firstPiece)
        firstPiece = 0
    }
}
