public import ANPRModel
public import SightingFrames

/// Reads a sighting log in order, from any number on, while it is being written.
public struct SightingLogReader {
    /// A run of sightings.
    public struct Run {
        /// The sightings, under `register`.
        public var batch = SightingBatch()
        /// The number of the first of them.
        public var first: UInt64 = 0
        /// The mark behind them, when they end at one.
        public var mark: StreamMark?
    }

    private let folder: String
    private let keys: KeyRing?
    private var part: SightingLog.Part?
    private var file: SealedFile?
    private var offset = 0
    private var window: [UInt8] = []
    private var windowStart = 0
    /// The cameras named so far.
    public private(set) var register = CameraRegister()
    /// Rises whenever `register` may have become another.
    public private(set) var registerVersion = 0
    private var decoder = FrameDecoder(register: CameraRegister())
    /// How many sightings of the frame read last were passed before.
    private var skipped = 0
    /// The number of the sighting that is read next.
    public private(set) var next: UInt64

    /// Starts at a number.
    ///
    /// - Parameter keys: of the data folder; without them only what is in the clear can be read.
    public init(_ folder: String, keys: KeyRing?, from sequence: UInt64) {
        self.folder = folder
        self.keys = keys
        next = sequence
    }

    /// Reads the next frame or mark that is wholly there.
    ///
    /// - Parameter limit: sightings from this number on are left alone; for the log's own writer, its extent.
    /// - Returns: `nil` when there is none.
    /// - Throws: `StorageError` of code `damaged` with file and place; `ENOENT` of a file that was dropped meanwhile.
    public mutating func read(before limit: UInt64 = .max) throws -> Run? {
        while let block = try readBlock(before: limit) {
            switch block.kind {
            case .register: continue
            case .mark: return Run(first: block.sequence, mark: try StreamMark(block))
            case .frame: return try run(block)
            }
        }
        return nil
    }

    /// Reads the next block that is wholly there and concerns what is still to be read, cameras included.
    ///
    /// A frame may begin before `next`; reading it moves `next` behind it.
    public mutating func readBlock(before limit: UInt64 = .max) throws -> Block? {
        while true {
            if file == nil, try !openPart() { return nil }
            guard let block = try block() else {
                guard try moveOn() else { return nil }
                continue
            }
            switch block.kind {
            case .register:
                register.restore(try RegisterBlock.decode(block))
                registerVersion += 1
                decoder = FrameDecoder(register: register)
                return block
            case .mark:
                guard block.sequence >= next else { continue }
                return block
            case .frame:
                let end = block.sequence + UInt64(block.count)
                guard end > next else { continue }
                guard block.sequence < limit else {
                    offset -= block.length
                    return nil
                }
                skipped = next > block.sequence ? Int(next - block.sequence) : 0
                next = end
                return block
            }
        }
    }

    private mutating func run(_ block: Block) throws -> Run {
        var batch = SightingBatch()
        do throws(FrameFault) {
            try decoder.decode(block, into: &batch)
        } catch {
            throw StorageError(.damaged, "\(part?.path ?? folder): frame before byte \(offset): \(error)")
        }
        let first = block.sequence + UInt64(skipped)
        if skipped > 0 { batch = batch.reordered(Array(skipped..<batch.count)) }
        return Run(batch: batch, first: first)
    }

    /// The whole block at `offset`, which then moves behind it.
    private mutating func block() throws -> Block? {
        if let block = try parse() { return block }
        guard let file else { return nil }
        let length = try file.length()
        guard length > offset else { return nil }
        windowStart = offset
        window = try file.read(min(length - offset, 4 << 20), at: offset)
        if let needed = try? Block.length(window, at: 0), needed > window.count, length - offset >= needed {
            window = try file.read(needed, at: offset)
        }
        return try parse()
    }

    private mutating func parse() throws -> Block? {
        var position = offset - windowStart
        guard position >= 0, position < window.count else { return nil }
        do throws(Block.Fault) {
            let block = try Block.read(window, at: &position)
            offset = windowStart + position
            return block
        } catch .incomplete {
            return nil
        } catch {
            throw StorageError(.damaged, "\(part?.path ?? folder): block at byte \(offset): \(error)")
        }
    }

    /// Opens the file that holds `next`.
    private mutating func openPart() throws -> Bool {
        let parts = try SightingLog.parts(in: folder)
        guard let oldest = parts.first else { return false }
        guard let index = parts.lastIndex(where: { $0.first <= next }) else { throw dropped(oldest) }
        try open(parts[index])
        return true
    }

    /// Goes on to the next file, if this one has ended and there is one.
    private mutating func moveOn() throws -> Bool {
        guard let current = part else { return false }
        let parts = try SightingLog.parts(in: folder)
        guard let following = parts.first(where: { $0.first > current.first }) else { return false }
        guard parts.contains(current) || following.first <= next else { throw dropped(following) }
        // The last blocks of this file may have been written after it was last looked at.
        if let file, try file.length() > offset {
            guard try block() != nil else {
                throw StorageError(.damaged, "\(current.path): damaged at byte \(offset)")
            }
            return rewind()
        }
        // Nothing is added to a file that another follows.
        try file?.demandWhole()
        try open(following)
        return true
    }

    private func dropped(_ oldest: SightingLog.Part) -> StorageError {
        StorageError(.system, "\(folder): sightings \(next) to \(oldest.first) are no longer in the log")
    }

    private mutating func rewind() -> Bool {
        offset = windowStart
        return true
    }

    private mutating func open(_ part: SightingLog.Part) throws {
        file = try SealedFile(part.path, .read, keys)
        self.part = part
        offset = 0
        window = []
        windowStart = 0
        register = CameraRegister()
        decoder = FrameDecoder(register: register)
    }
}
