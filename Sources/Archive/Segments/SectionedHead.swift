import ANPRModel
import Compression
import SightingFrames

/// What stands at the end of a segment of sections and says what is where; it names no mark.
struct SectionedHead: Equatable {
    /// One section: the sightings that the same forces contributed to.
    struct Section: Equatable {
        /// The keys under which it is closed, one for each force; none where nothing is encrypted.
        var keys: [DataKeyName] = []
        /// The forces, by code.
        var forces: [String]
        var rows: Int
        var runs: Int
        /// By force: its contributions.
        var contributions: [Int]
        /// Rows that amend an earlier one.
        var amendments: Int
        /// How many other sightings are named as probably of the same vehicle.
        var links: Int
        /// The earliest first read, the latest read.
        var first: Timestamp
        var last: Timestamp
        /// How long its pages are, and the table that says where they stand; both 0 where it was dropped.
        var pagesLength = 0
        var tableLength = 0

        var isDropped: Bool { tableLength == 0 }
        var length: Int { pagesLength + tableLength }
    }

    /// How a segment is laid out.
    enum Version: Int, CaseIterable {
        /// Each page is closed by itself.
        case pages = 4
        /// Some pages are closed together, and the table tells how long each is.
        case pieces = 5
        /// The same, but that each piece tells how long its pages are: who knows where it stands needs no table.
        case toldPieces = 6

        /// What ends such a file.
        var magic: [UInt8] { Array("ANPRSEG\(rawValue)".utf8) }
    }

    /// What is written anew; a file of before stays as it is when sections are dropped.
    var version = Version.toldPieces
    /// Tells the file's contents from all others: 16 bytes.
    var id: [UInt8]
    /// The day of all its sightings, counted from 1970-01-01.
    var day: Int32
    /// So many runs are packed together.
    var pageRuns = SegmentSections.pageRuns
    /// So many pages of a section are closed together.
    var piecePages = SegmentSections.piecePages
    /// How long the register and the codebook are, each with its checksum.
    var registerLength = 0
    var codebookLength = 0
    var sections: [Section] = []

    /// What ends a segment.
    static let magics = Version.allCases.map(\.magic)
    static let idLength = 16

    /// An identity that no other has.
    static func freshID() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<idLength).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// Where a section begins.
    func start(of section: Int) -> Int {
        sections[..<section].reduce(registerLength + codebookLength) { $0 + $1.length }
    }

    /// Where the sections end.
    var end: Int { start(of: sections.count) }

    /// The bytes of it.
    var encoded: [UInt8] {
        var bytes = id
        LittleEndian.append(UInt32(bitPattern: day), to: &bytes)
        let pieces = version == .pages ? [] : [piecePages]
        for length in [pageRuns] + pieces + [registerLength, codebookLength, sections.count] {
            LittleEndian.append(UInt32(length), to: &bytes)
        }
        for section in sections {
            VaryingLength.append(UInt64(section.forces.count), to: &bytes)
            for (place, force) in section.forces.enumerated() {
                let number = section.keys.isEmpty ? 0 : section.keys[place].number
                DataKeyName(day: day, force: force, number: number).append(to: &bytes)
                VaryingLength.append(UInt64(section.contributions[place]), to: &bytes)
            }
            let numbers = [
                section.rows, section.runs, section.amendments, section.links, section.pagesLength,
                section.tableLength,
            ]
            for number in numbers { VaryingLength.append(UInt64(number), to: &bytes) }
            for time in [section.first, section.last] { LittleEndian.append(time.milliseconds, to: &bytes) }
        }
        return bytes
    }

    /// Without sections.
    init(id: [UInt8], day: Int32) { (self.id, self.day) = (id, day) }

    /// As written by `encoded`; `nil` for anything else.
    ///
    /// - Parameter magic: one of `magics`, which the file ends in.
    init?(_ bytes: [UInt8], _ magic: [UInt8]) {
        guard let version = Version.allCases.first(where: { $0.magic == magic }) else { return nil }
        self.version = version
        let isFormer = version == .pages
        let numbers = stride(from: 20, to: isFormer ? 36 : 40, by: 4).map { $0 }
        guard bytes.count >= Self.idLength + 4 + 4 * numbers.count else { return nil }
        id = Array(bytes.prefix(Self.idLength))
        day = Int32(bitPattern: LittleEndian.read(bytes, at: 16))
        var lengths = numbers.map { Int(LittleEndian.read(bytes, at: $0) as UInt32) }
        if isFormer { lengths.insert(1, at: 1) }
        (pageRuns, piecePages) = (lengths[0], lengths[1])
        (registerLength, codebookLength) = (lengths[2], lengths[3])
        var position = 20 + 4 * numbers.count
        guard (1...FrameEncoder.countMax).contains(pageRuns), lengths[4] <= IndexPage.partsMax,
            isFormer || (2...FrameEncoder.countMax).contains(piecePages)
        else { return nil }
        for _ in 0..<lengths[4] {
            guard let section = Section(bytes, at: &position) else { return nil }
            sections.append(section)
        }
        guard position == bytes.count else { return nil }
    }
}

extension SectionedHead.Section {
    /// No number of a section is greater, so that sums of them are numbers.
    private static let most: UInt64 = 1 << 40

    fileprivate init?(_ bytes: [UInt8], at position: inout Int) {
        guard let count = VaryingLength.read(bytes, at: &position), count <= 65_536 else { return nil }
        (keys, forces, contributions) = ([], [], [])
        for _ in 0..<count {
            guard let key = DataKeyName(bytes, at: &position),
                let number = VaryingLength.read(bytes, at: &position), number <= Self.most
            else { return nil }
            forces.append(key.force)
            contributions.append(Int(number))
            if key.number > 0 { keys.append(key) }
        }
        var numbers: [Int] = []
        for _ in 0..<6 {
            guard let number = VaryingLength.read(bytes, at: &position), number <= Self.most else {
                return nil
            }
            numbers.append(Int(number))
        }
        guard position + 16 <= bytes.count, keys.isEmpty || keys.count == forces.count else { return nil }
        (rows, runs, amendments, links) = (numbers[0], numbers[1], numbers[2], numbers[3])
        (pagesLength, tableLength) = (numbers[4], numbers[5])
        first = Timestamp(milliseconds: LittleEndian.read(bytes, at: position))
        last = Timestamp(milliseconds: LittleEndian.read(bytes, at: position + 8))
        position += 16
    }
}

/// What ends a file: where its head stands, how long it is, its checksum, and what kind of file it is.
enum FileEnd {
    static let length = 24

    /// Appends a head and the end that names it.
    static func append(_ head: [UInt8], _ magic: [UInt8], at start: Int, to bytes: inout [UInt8]) {
        bytes += head
        LittleEndian.append(UInt64(start), to: &bytes)
        LittleEndian.append(UInt32(head.count), to: &bytes)
        LittleEndian.append(Checksum.crc32(head), to: &bytes)
        bytes += magic
    }

    /// The head of a file, where it begins, what the file ends in, and what was read of what stands before the head.
    ///
    /// - Parameters:
    ///   - magics: what it may end in.
    ///   - near: so much is read at first; most heads come with the end in one look.
    static func head(_ file: DataFile, _ magics: [[UInt8]], near: Int = 4096) throws
        -> (bytes: [UInt8], start: Int, magic: [UInt8], before: ArraySlice<UInt8>)
    {
        let length = try file.length()
        guard length >= Self.length else { throw StorageError(.damaged, "\(file.path): too short") }
        let near = min(length, near)
        let tail = try file.read(near, at: length - near)
        let footer = tail.count - Self.length
        let magic = Array(tail[(footer + 16)...])
        guard magics.contains(magic) else {
            throw StorageError(
                .damaged,
                "\(file.path): another end at byte \(length - 8) than such a file has"
            )
        }
        let start = Int(clamping: LittleEndian.read(tail, at: footer) as UInt64)
        let count = Int(LittleEndian.read(tail, at: footer + 8) as UInt32)
        guard start >= 0, start <= length, start + count + Self.length == length else {
            throw StorageError(.damaged, "\(file.path): the index does not fit the file")
        }
        let checksum: UInt32 = LittleEndian.read(tail, at: footer + 12)
        let from = start - (length - near)
        let head = from < 0 ? try file.read(count, at: start) : Array(tail[from..<footer])
        guard Checksum.crc32(head) == checksum else {
            throw StorageError(.damaged, "\(file.path): the index at byte \(start) has another checksum")
        }
        return (head, start, magic, tail[..<max(0, from)])
    }
}
