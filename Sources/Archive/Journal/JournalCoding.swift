import ANPRModel
import SightingFrames

/// The bytes of journal entries; `StorageFormats.md` draws them.
enum JournalCoding {
    /// The bytes of one read.
    static let readLength = 28
    /// What stands before the reads of an entry.
    private static let readsHeadLength = 59

    static func encode(_ entry: JournalEntry, into bytes: inout [UInt8]) {
        bytes.append(entry.code)
        switch entry {
        case .start(let feeds, let senders):
            for list in [feeds, senders] {
                LittleEndian.append(UInt16(list.count), to: &bytes)
                for source in list { LittleEndian.append(source, to: &bytes) }
            }
        case .reads(let entry): encode(entry, into: &bytes)
        case .feed(let source, let state), .sender(let source, let state):
            LittleEndian.append(source, to: &bytes)
            bytes.append(state)
        case .blocks(let sender, let blocks):
            LittleEndian.append(sender, to: &bytes)
            bytes += blocks
        case .snapshot(let bare), .cameras(let bare): bytes += bare
        case .stream(let sender, let name, let first):
            LittleEndian.append(sender, to: &bytes)
            LittleEndian.append(first, to: &bytes)
            bytes += name.utf8
        }
    }

    private static func encode(_ entry: JournalledReads, into bytes: inout [UInt8]) {
        LittleEndian.append(entry.feed, to: &bytes)
        for number in [entry.received, entry.rejected, UInt32(entry.reads.count)] {
            LittleEndian.append(number, to: &bytes)
        }
        for number in [
            entry.progress.line, entry.progress.offset, entry.progress.length, entry.progress.hash,
        ] {
            LittleEndian.append(number, to: &bytes)
        }
        LittleEndian.append(entry.quarantineLength, to: &bytes)
        LittleEndian.append(entry.quarantineDay, to: &bytes)
        appendReads(entry.reads, to: &bytes)
        for details in entry.reads.compactMap({ $0.details > 0 ? entry.details[Int($0.details) - 1] : nil }) {
            encode(details, into: &bytes)
        }
    }

    private static func appendReads(_ reads: [Read], to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: reads.count * readLength))
        unsafe bytes.withUnsafeMutableBytes { all in
            var place = start
            for read in reads {
                unsafe all.storeBytes(of: read.vrm.packed.littleEndian, toByteOffset: place, as: UInt64.self)
                unsafe all.storeBytes(
                    of: read.captured.milliseconds.littleEndian,
                    toByteOffset: place + 8,
                    as: Int64.self
                )
                unsafe all.storeBytes(of: read.camera.littleEndian, toByteOffset: place + 16, as: UInt32.self)
                unsafe all.storeBytes(of: read.speed.littleEndian, toByteOffset: place + 20, as: UInt16.self)
                unsafe all.storeBytes(
                    of: read.country.littleEndian,
                    toByteOffset: place + 22,
                    as: UInt16.self
                )
                unsafe all[place + 24] = UInt8(bitPattern: read.confidence)
                unsafe all[place + 25] = read.direction
                unsafe all[place + 26] = UInt8(bitPattern: read.lane)
                unsafe all[place + 27] = read.details > 0 ? 1 : 0
                place += readLength
            }
        }
    }

    /// Marks which details are there, then each: texts with their length, coordinates as they are.
    private static func encode(_ details: ReadDetails, into bytes: inout [UInt8]) {
        let flags: UInt8 =
            (details.rawVRM == nil ? 0 : 1) | (details.eventID == nil ? 0 : 2)
            | (details.latitude == nil ? 0 : 4)
        bytes.append(flags)
        for text in [details.rawVRM, details.eventID].compactMap(\.self) {
            let utf8 = Array(text.utf8)
            LittleEndian.append(UInt32(utf8.count), to: &bytes)
            bytes += utf8
        }
        if let latitude = details.latitude, let longitude = details.longitude {
            LittleEndian.append(latitude, to: &bytes)
            LittleEndian.append(longitude, to: &bytes)
        }
    }

    /// Whether an entry of a length can begin at a place, as far as its first bytes and its length tell.
    static func canBegin(_ bytes: [UInt8], at start: Int, length: UInt32) -> Bool {
        let length = Int(length)
        guard length > 0, length <= bytes.count - start else { return false }
        switch bytes[start] {
        case 1: return length >= 5
        case 2:
            guard length >= readsHeadLength else { return false }
            let count: UInt32 = LittleEndian.read(bytes, at: start + 11)
            return Int(count) * readLength <= length - readsHeadLength
        case 3, 5: return length == 4
        case 4: return length >= 3
        case 6, 7: return true
        case 8: return length >= 11
        default: return false
        }
    }

    /// Decodes an entry whose checksum was right.
    ///
    /// - Returns: `nil` when the bytes are no entry of this version.
    static func decode(_ bytes: [UInt8]) -> JournalEntry? {
        var reader = EntryReader(bytes)
        guard let code: UInt8 = reader.number() else { return nil }
        switch code {
        case 1:
            guard let feeds = sources(&reader), let senders = sources(&reader) else { return nil }
            return .start(feeds: feeds, senders: senders)
        case 2: return reads(&reader).map { .reads($0) }
        case 3, 5:
            guard let source: UInt16 = reader.number(), let state: UInt8 = reader.number() else { return nil }
            return code == 3 ? .feed(source, state: state) : .sender(source, state: state)
        case 4:
            guard let sender: UInt16 = reader.number() else { return nil }
            return .blocks(sender: sender, bytes: reader.rest())
        case 6: return .snapshot(reader.rest())
        case 7: return .cameras(reader.rest())
        case 8:
            guard let sender: UInt16 = reader.number(), let first: UInt64 = reader.number() else {
                return nil
            }
            return .stream(sender: sender, name: String(decoding: reader.rest(), as: UTF8.self), first: first)
        default: return nil
        }
    }

    private static func sources(_ reader: inout EntryReader) -> [FeedIndex]? {
        guard let count: UInt16 = reader.number() else { return nil }
        var list: [FeedIndex] = []
        for _ in 0..<count {
            guard let source: UInt16 = reader.number() else { return nil }
            list.append(source)
        }
        return list
    }

    private static func reads(_ reader: inout EntryReader) -> JournalledReads? {
        guard let feed: UInt16 = reader.number(), let received: UInt32 = reader.number(),
            let rejected: UInt32 = reader.number(), let count: UInt32 = reader.number(),
            let line: UInt64 = reader.number(), let offset: UInt64 = reader.number(),
            let length: UInt64 = reader.number(), let hash: UInt64 = reader.number(),
            let quarantineLength: UInt64 = reader.number(), let quarantineDay: Int32 = reader.number(),
            Int(count) * readLength <= reader.left
        else { return nil }
        var entry = JournalledReads(
            feed: feed,
            reads: [],
            received: received,
            rejected: rejected,
            progress: FeedProgress(line: line, offset: offset, length: length, hash: hash),
            quarantineLength: quarantineLength,
            quarantineDay: quarantineDay
        )
        entry.reads.reserveCapacity(Int(count))
        var details: UInt32 = 0
        for _ in 0..<count {
            guard let read = read(&reader, &details) else { return nil }
            entry.reads.append(read)
        }
        for _ in 0..<details {
            guard let more = self.details(&reader) else { return nil }
            entry.details.append(more)
        }
        return entry
    }

    private static func read(_ reader: inout EntryReader, _ details: inout UInt32) -> Read? {
        guard let packed: UInt64 = reader.number(), let captured: Int64 = reader.number(),
            let camera: UInt32 = reader.number(), let speed: UInt16 = reader.number(),
            let country: UInt16 = reader.number(), let confidence: Int8 = reader.number(),
            let direction: UInt8 = reader.number(), let lane: Int8 = reader.number(),
            let hasDetails: UInt8 = reader.number()
        else { return nil }
        var read = Read(
            vrm: VRM(trusted: packed),
            captured: Timestamp(milliseconds: captured),
            camera: camera
        )
        read.speed = speed
        read.country = country
        read.confidence = confidence
        read.direction = direction
        read.lane = lane
        if hasDetails != 0 {
            details += 1
            read.details = details
        }
        return read
    }

    private static func details(_ reader: inout EntryReader) -> ReadDetails? {
        guard let flags: UInt8 = reader.number() else { return nil }
        var details = ReadDetails()
        if flags & 1 != 0 {
            guard let text = reader.text() else { return nil }
            details.rawVRM = text
        }
        if flags & 2 != 0 {
            guard let text = reader.text() else { return nil }
            details.eventID = text
        }
        if flags & 4 != 0 {
            guard let latitude: Int32 = reader.number(), let longitude: Int32 = reader.number() else {
                return nil
            }
            details.latitude = latitude
            details.longitude = longitude
        }
        return details
    }
}

/// Reads numbers and texts from an entry; nothing past its end.
public struct EntryReader {
    private let bytes: [UInt8]
    private var position = 0

    /// Reads from the start.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// How many bytes are left.
    public var left: Int { bytes.count - position }

    /// The next whole number, least byte first.
    public mutating func number<Number: FixedWidthInteger>() -> Number? {
        let length = Number.bitWidth / 8
        guard left >= length else { return nil }
        position += length
        return LittleEndian.read(bytes, at: position - length)
    }

    /// The next text with its length before it.
    public mutating func text() -> String? {
        guard let length: UInt32 = number(), Int(length) <= left else { return nil }
        position += Int(length)
        return String(decoding: bytes[position - Int(length)..<position], as: UTF8.self)
    }

    /// Everything that is left.
    public mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }
}
