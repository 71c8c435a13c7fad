public import ANPRModel
public import SightingFrames

/// Packs what a sighting log says for one connection; what was packed must be sent, in order.
public struct LinkStreamWriter {
    private var encoder = LinkFrameEncoder(register: CameraRegister())
    private var register = CameraRegister()
    /// How many cameras of it the other end knows.
    private var told = 0
    private var mark = StreamMark(journalEntry: 0, closedThrough: Timestamp(milliseconds: 0), isEnd: false)

    static let hasMark: UInt8 = 1
    static let isEnd: UInt8 = 2
    static let hasSightings: UInt8 = 4

    /// The stream at a connection's begin.
    public init() {}

    /// Goes on with a register that the other end knows so many cameras of; the others must be told before any sightings.
    public mutating func use(_ register: CameraRegister, known count: Int) {
        self.register = register
        encoder.use(register)
        told = count
    }

    /// Goes on with a register that has more cameras than the one before, or others.
    public mutating func use(_ register: CameraRegister) {
        use(register, known: isExtended(by: register) ? told : 0)
    }

    /// The next cameras that the other end must be told of, at most so many; `nil` when it knows all.
    public mutating func cameras(atMost count: Int) throws -> LinkMessage? {
        guard told < register.count else { return nil }
        let end = count < register.count - told ? told + count : register.count
        var block: [UInt8] = []
        try RegisterBlock.encode(register, from: told, to: end).write(to: &block)
        told = end
        return .cameras(block)
    }

    /// Whether a register begins with all the cameras told so far.
    func isExtended(by register: CameraRegister) -> Bool {
        let known = self.register.count
        return register.count >= known && register.cameras.prefix(known) == self.register.cameras[...]
    }

    /// Packs sightings and a mark behind them, of which either may be missing.
    public mutating func message(_ batch: SightingBatch, _ range: Range<Int>, _ mark: StreamMark?)
        -> LinkMessage
    {
        var body: [UInt8] = [0]
        if let mark {
            body[0] |= Self.hasMark | (mark.isEnd ? Self.isEnd : 0)
            VaryingLength.append(mark.journalEntry &- self.mark.journalEntry, to: &body)
            let step = mark.closedThrough.milliseconds &- self.mark.closedThrough.milliseconds
            VaryingLength.append(UInt64(bitPattern: step << 1 ^ step >> 63), to: &body)
            self.mark = mark
        }
        body[0] |= range.isEmpty ? 0 : Self.hasSightings
        let checksum = encoder.cover(body)
        if range.isEmpty {
            LittleEndian.append(checksum, to: &body)
        } else {
            body += encoder.encode(batch, range)
        }
        return .sightings(body)
    }
}

/// Turns what a `LinkStreamWriter` packed back into blocks that stand alone.
public struct LinkStreamReader {
    /// Why a message was refused.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// Where in the message, in bytes, and what is wrong there.
        public var description: String
    }

    private var decoder = LinkFrameDecoder()
    private var mark = StreamMark(journalEntry: 0, closedThrough: Timestamp(milliseconds: 0), isEnd: false)
    /// The number of the sighting that comes next.
    private var next: UInt64

    /// The stream at a connection's begin.
    ///
    /// - Parameter next: the sighting that was asked for.
    public init(next: UInt64) { self.next = next }

    /// The blocks of a message of cameras or sightings.
    public mutating func blocks(of message: LinkMessage) throws(Fault) -> [UInt8] {
        switch message {
        case .cameras(let block): return block
        case .sightings(let body): return try blocks(body)
        default: throw Fault(description: "at byte 0: no part of a stream")
        }
    }

    private mutating func blocks(_ body: [UInt8]) throws(Fault) -> [UInt8] {
        guard let flags = body.first, flags < 8 else { throw Fault(description: "at byte 0: unknown flags") }
        var position = 1
        if flags & LinkStreamWriter.hasMark != 0 { try readMark(body, &position, flags) }
        let checksum = decoder.cover(Array(body[..<position]))
        var blocks: [UInt8] = []
        if flags & LinkStreamWriter.hasSightings != 0 {
            do throws(LinkFrameDecoder.Fault) {
                let block = try decoder.block(Array(body[position...]), sequence: next)
                next += UInt64(block.count)
                block.write(to: &blocks)
            } catch {
                throw Fault(description: "at byte \(position + error.offset): \(error.reason)")
            }
        } else if body.count != position + 4 || LittleEndian.read(body, at: position) != checksum {
            throw Fault(
                description:
                    "at byte \(position): a mark that was changed, or does not follow what was before"
            )
        }
        if flags & LinkStreamWriter.hasMark != 0 { mark.block(sequence: next).write(to: &blocks) }
        return blocks
    }

    private mutating func readMark(_ body: [UInt8], _ position: inout Int, _ flags: UInt8) throws(Fault) {
        guard let entries = VaryingLength.read(body, at: &position),
            let step = VaryingLength.read(body, at: &position)
        else { throw Fault(description: "at byte \(position): a mark that breaks off") }
        let closed = Int64(bitPattern: step >> 1) ^ -Int64(bitPattern: step & 1)
        mark = StreamMark(
            journalEntry: mark.journalEntry &+ entries,
            closedThrough: Timestamp(milliseconds: mark.closedThrough.milliseconds &+ closed),
            isEnd: flags & LinkStreamWriter.isEnd != 0
        )
    }
}
