import SightingFrames

/// What an index of marks says of itself: which segments it leads to, and where its pages stand.
struct MarkIndexHead: Equatable {
    /// A segment that it leads to.
    struct File: Hashable {
        /// The segment's identity.
        var id: [UInt8]
        var day: Int32
    }

    /// A section of a segment.
    struct Part: Hashable {
        /// Which of the files.
        var file: Int
        var section: Int
        /// How many runs it has.
        var runs: Int
    }

    var files: [File] = []
    var parts: [Part] = []
    /// Where the pages of marks stand, and those of marks that were merged into sightings.
    var pages = PageIndex(partCount: 0)
    var alternates = PageIndex(partCount: 0)

    /// By part how many of its runs a reader takes to stand before a page.
    ///
    /// - Parameter count: how many pages there are.
    func expected(_ page: Int, of count: Int) -> [Int] { parts.map { $0.runs * page / max(1, count) } }

    /// As above, of an index that is there.
    func expected(_ page: Int) -> [Int] { expected(page, of: pages.count) }

    /// The bytes of it.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        VaryingLength.append(UInt64(files.count), to: &bytes)
        for file in files {
            bytes += file.id
            LittleEndian.append(UInt32(bitPattern: file.day), to: &bytes)
        }
        VaryingLength.append(UInt64(parts.count), to: &bytes)
        for part in parts {
            for number in [part.file, part.section, part.runs] {
                VaryingLength.append(UInt64(number), to: &bytes)
            }
        }
        for index in [pages, alternates] {
            let encoded = index.encoded
            VaryingLength.append(UInt64(encoded.count), to: &bytes)
            bytes += encoded
        }
        return bytes
    }

    /// Of nothing.
    init() {}

    /// As written by `encoded`; `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        var position = 0
        guard let fileCount = VaryingLength.read(bytes, at: &position), fileCount <= 1 << 20 else {
            return nil
        }
        for _ in 0..<fileCount {
            let end = position + SectionedHead.idLength
            guard end + 4 <= bytes.count else { return nil }
            let day = Int32(bitPattern: LittleEndian.read(bytes, at: end))
            files.append(File(id: Array(bytes[position..<end]), day: day))
            position = end + 4
        }
        guard let partCount = VaryingLength.read(bytes, at: &position), partCount <= IndexPage.partsMax else {
            return nil
        }
        for _ in 0..<partCount {
            guard let file = VaryingLength.read(bytes, at: &position), file < fileCount,
                let section = VaryingLength.read(bytes, at: &position),
                let runs = VaryingLength.read(bytes, at: &position), runs <= UInt32.max
            else { return nil }
            parts.append(Part(file: Int(file), section: Int(clamping: section), runs: Int(clamping: runs)))
        }
        guard let pages = Self.pageIndex(bytes, at: &position),
            let alternates = Self.pageIndex(bytes, at: &position), position == bytes.count
        else { return nil }
        (self.pages, self.alternates) = (pages, alternates)
    }

    private static func pageIndex(_ bytes: [UInt8], at position: inout Int) -> PageIndex? {
        guard let length = VaryingLength.read(bytes, at: &position).map({ Int(clamping: $0) }),
            length <= bytes.count - position
        else { return nil }
        defer { position += length }
        return try? PageIndex(Array(bytes[position..<position + length]), partCount: 0)
    }
}

/// What stands open at the end of an index of marks: by which keys the rest is closed.
///
/// It names no mark.
struct MarkIndexCover: Equatable {
    /// Tells the file from all others.
    var id = SectionedHead.freshID()
    /// The keys of all its parts, ascending; none where nothing is encrypted.
    var keys: [DataKeyName] = []
    /// How long the codebook and the head are, as they stand there.
    var codebookLength = 0
    var headLength = 0

    static let magic: [UInt8] = Array("ANPRIDX1".utf8)
    /// The numbers of pieces: of the head, and from where on of pages of alternates.
    static let headNumber = Int.max
    static let firstAlternates = 1 << 40

    /// The bytes of it.
    var encoded: [UInt8] {
        var bytes = id
        for number in [codebookLength, headLength, keys.count] {
            LittleEndian.append(UInt32(number), to: &bytes)
        }
        for key in keys { key.append(to: &bytes) }
        return bytes
    }

    /// Of a file to be.
    init(_ names: Set<DataKeyName>) { keys = names.sorted() }

    /// As written by `encoded`; `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= SectionedHead.idLength + 12 else { return nil }
        id = Array(bytes.prefix(SectionedHead.idLength))
        codebookLength = Int(LittleEndian.read(bytes, at: 16) as UInt32)
        headLength = Int(LittleEndian.read(bytes, at: 20) as UInt32)
        var position = 28
        for _ in 0..<(LittleEndian.read(bytes, at: 24) as UInt32) {
            guard let key = DataKeyName(bytes, at: &position) else { return nil }
            keys.append(key)
        }
        guard position == bytes.count else { return nil }
    }
}
