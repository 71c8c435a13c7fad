import SightingFrames

/// Where the sections of a segment stand, as the index that names its marks tells it: who looks for a mark asks the segment for
/// nothing but pages.
///
/// Only of segments whose pieces tell how long their pages are, and which are encrypted: what opens then shows by that which segment
/// it is of.
package struct SegmentLayout: Hashable, Sendable {
    /// Where a section's pieces stand.
    package struct Section: Hashable, Sendable {
        /// By force the key that it is closed under.
        package var keys: [DataKeyName]
        /// How many runs it has.
        package var runs: Int
        /// How long its pages are, and the table behind them.
        package var pagesLength: Int
        package var tableLength: Int
        /// How long each piece is: numbers, which are read where they are asked for.
        package var pieces: [UInt8]
        /// Where it begins: behind what stands before it.
        package fileprivate(set) var start = 0
    }

    /// How long the register and the codebook are.
    package var registerLength: Int
    package var codebookLength: Int
    /// SHA-256 of both.
    package var digest: [UInt8]
    /// So many runs are packed together, and so many of such pages closed together.
    package var pageRuns: Int
    package var piecePages: Int
    /// By number; those that were dropped are not there.
    package private(set) var sections: [Int: Section] = [:]

    static let digestLength = 32

    /// Of a segment; `nil` of one that is not encrypted.
    ///
    /// - Parameters:
    ///   - digest: of register and codebook.
    ///   - pieces: by section how long its pieces are.
    init?(_ head: SectionedHead, digest: [UInt8], pieces: [[Int]]) {
        registerLength = head.registerLength
        codebookLength = head.codebookLength
        self.digest = digest
        (pageRuns, piecePages) = (head.pageRuns, head.piecePages)
        for (number, section) in head.sections.enumerated() where !section.isDropped {
            guard section.keys.count == section.forces.count else { return nil }
            var lengths: [UInt8] = []
            for length in pieces[number] { VaryingLength.append(UInt64(length), to: &lengths) }
            sections[number] = Section(
                keys: section.keys,
                runs: section.runs,
                pagesLength: section.pagesLength,
                tableLength: section.tableLength,
                pieces: lengths
            )
        }
        place()
    }

    /// Without some of its sections, as the segment is when they were dropped.
    package func without(_ dropped: Set<Int>) -> SegmentLayout {
        var left = self
        left.sections = sections.filter { !dropped.contains($0.key) }
        left.place()
        return left
    }

    /// Sections stand one behind the other, in their order, and nothing is left where one was dropped.
    private mutating func place() {
        var start = registerLength + codebookLength
        for number in sections.keys.sorted() {
            sections[number]?.start = start
            start += sections[number].map { $0.pagesLength + $0.tableLength } ?? 0
        }
    }

    /// Where the last section ends.
    var end: Int {
        sections.values.map { $0.start + $0.pagesLength + $0.tableLength }.max()
            ?? registerLength + codebookLength
    }

    /// The bytes of it; `nil` if it has no sections, or one is closed under another key.
    ///
    /// - Parameter keys: ascending; a section's are told by their places among these.
    package func encoded(_ keys: [DataKeyName]) -> [UInt8]? {
        guard !sections.isEmpty else { return nil }
        let places = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) })
        var bytes = digest
        for number in [registerLength, codebookLength, pageRuns, piecePages, sections.count] {
            VaryingLength.append(UInt64(number), to: &bytes)
        }
        for (number, section) in sections.sorted(by: { $0.key < $1.key }) {
            let own = section.keys.compactMap { places[$0] }
            guard own.count == section.keys.count else { return nil }
            let numbers = [number, own.count] + own
            let lengths = [section.runs, section.pagesLength, section.tableLength, section.pieces.count]
            for number in numbers + lengths { VaryingLength.append(UInt64(number), to: &bytes) }
            bytes += section.pieces
        }
        return bytes
    }

    /// No number of a layout is greater, so that sums of them are numbers.
    private static let most: UInt64 = 1 << 40

    /// As written by `encoded`; `nil` for anything else.
    ///
    /// - Parameters:
    ///   - position: moved behind it.
    ///   - all: the keys among which it tells places.
    package init?(_ bytes: [UInt8], at position: inout Int, _ all: [DataKeyName]) {
        guard bytes.count - position >= Self.digestLength else { return nil }
        digest = Array(bytes[position..<position + Self.digestLength])
        position += Self.digestLength
        guard let numbers = Self.numbers(5, bytes, at: &position) else { return nil }
        (registerLength, codebookLength) = (numbers[0], numbers[1])
        (pageRuns, piecePages) = (numbers[2], numbers[3])
        guard (1...FrameEncoder.countMax).contains(pageRuns),
            (1...FrameEncoder.countMax).contains(piecePages),
            (1...IndexPage.partsMax).contains(numbers[4])
        else { return nil }
        for _ in 0..<numbers[4] {
            guard let about = Self.numbers(2, bytes, at: &position), about[1] <= IndexPage.partsMax else {
                return nil
            }
            guard let keys = Self.numbers(about[1], bytes, at: &position), keys.count > 0,
                keys.allSatisfy(all.indices.contains)
            else { return nil }
            guard let own = Self.numbers(4, bytes, at: &position), own[3] <= bytes.count - position,
                sections[about[0]] == nil
            else { return nil }
            sections[about[0]] = Section(
                keys: keys.map { all[$0] },
                runs: own[0],
                pagesLength: own[1],
                tableLength: own[2],
                pieces: Array(bytes[position..<position + own[3]])
            )
            position += own[3]
        }
        place()
    }

    private static func numbers(_ count: Int, _ bytes: [UInt8], at position: inout Int) -> [Int]? {
        var numbers: [Int] = []
        for _ in 0..<count {
            guard let number = VaryingLength.read(bytes, at: &position), number <= most else { return nil }
            numbers.append(Int(number))
        }
        return numbers
    }
}

extension SegmentLayout.Section {
    /// Where each piece ends, from where the section begins; `nil` if they do not fit the section.
    ///
    /// - Parameter pageRuns: so many runs are packed together.
    package func ends(pageRuns: Int, piecePages: Int) -> [Int]? {
        var ends: [Int] = []
        var (position, end) = (0, 0)
        while position < pieces.count {
            guard let length = VaryingLength.read(pieces, at: &position),
                length <= UInt64(pagesLength - end)
            else { return nil }
            end += Int(length)
            ends.append(end)
        }
        let pages = (runs + pageRuns - 1) / pageRuns
        return end == pagesLength && ends.count == (pages + piecePages - 1) / piecePages ? ends : nil
    }
}
