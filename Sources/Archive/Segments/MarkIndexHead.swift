import SightingFrames

/// What an index of marks says of itself: which segments it leads to, and where its pages stand.
struct MarkIndexHead: Equatable {
    /// A segment that it leads to.
    struct File: Hashable {
        /// The segment's identity.
        var id: [UInt8]
        var day: Int32
        /// Where its sections stand; of a segment of before it is not told.
        var layout: SegmentLayout?
    }

    /// A section of a segment.
    struct Part: Hashable {
        /// Which of the files.
        var file: Int
        var section: Int
        /// How many runs it has.
        var runs: Int
    }

    /// SHA-256 of the codebook; empty where it is not told.
    var codebookDigest: [UInt8] = []
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
    ///
    /// - Parameter keys: those of the cover.
    func encoded(_ keys: [DataKeyName]) -> [UInt8] {
        var bytes = codebookDigest
        VaryingLength.append(UInt64(files.count), to: &bytes)
        for file in files {
            bytes += file.id
            LittleEndian.append(UInt32(bitPattern: file.day), to: &bytes)
            guard !codebookDigest.isEmpty else { continue }
            let layout = file.layout?.encoded(keys)
            VaryingLength.append(layout == nil ? 0 : 1, to: &bytes)
            bytes += layout ?? []
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
    ///
    /// - Parameters:
    ///   - magic: one of `MarkIndexCover.magics`, which the file ends in.
    ///   - keys: those of the cover.
    init?(_ bytes: [UInt8], _ magic: [UInt8], _ keys: [DataKeyName]) {
        var position = 0
        let tells = magic == MarkIndexCover.magic
        if tells {
            guard bytes.count >= SegmentLayout.digestLength else { return nil }
            position = SegmentLayout.digestLength
            codebookDigest = Array(bytes[..<position])
        }
        guard let fileCount = VaryingLength.read(bytes, at: &position), fileCount <= 1 << 20 else {
            return nil
        }
        for _ in 0..<fileCount {
            let end = position + SectionedHead.idLength
            guard end + 4 <= bytes.count else { return nil }
            let day = Int32(bitPattern: LittleEndian.read(bytes, at: end))
            var file = File(id: Array(bytes[position..<end]), day: day)
            position = end + 4
            if tells {
                guard let count = VaryingLength.read(bytes, at: &position), count <= 1 else { return nil }
                if count == 1 {
                    guard let layout = SegmentLayout(bytes, at: &position, keys) else { return nil }
                    file.layout = layout
                }
            }
            files.append(file)
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

    static let magic: [UInt8] = Array("ANPRIDX2".utf8)
    /// What such files end in, also those that do not tell where sections stand.
    static let magics = [magic, Array("ANPRIDX1".utf8)]
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
