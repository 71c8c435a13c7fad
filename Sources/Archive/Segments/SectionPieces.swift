import SightingFrames

/// A section's pages, in the pieces that they are closed in.
final class SectionPieces: Sendable {
    /// How many runs the section has, and how many of them a page.
    private let runs: Int
    let pageRuns: Int
    private let piecePages: Int
    private let seal: PieceSeal
    /// Where in the file it begins, and where from there on each piece ends.
    private let start: Int
    private let ends: [Int]
    /// Where its pages stand, where pieces do not tell that themselves.
    private let table: PageIndex?
    /// How many pages there are.
    let count: Int

    /// - Parameters:
    ///   - ends: from the section's begin on, one for each piece.
    ///   - table: of its pages, of files whose pieces do not tell how long those are.
    init(
        runs: Int,
        pageRuns: Int,
        piecePages: Int,
        seal: PieceSeal,
        start: Int,
        ends: [Int],
        table: PageIndex? = nil
    ) {
        (self.runs, self.pageRuns, self.piecePages) = (runs, pageRuns, piecePages)
        (self.seal, self.start, self.ends, self.table) = (seal, start, ends, table)
        count = (runs + pageRuns - 1) / pageRuns
    }

    /// A page as it is packed.
    struct Page {
        var number: Int
        var bytes: [UInt8]
        /// How many runs it has.
        var runs: Int
        /// Where its piece stands in the file.
        var start: Int
    }

    /// So many bytes are read at once where pieces follow one another.
    private static let readLength = 1 << 18

    /// Goes through pages.
    ///
    /// - Parameter pages: their numbers, ascending; below `count`.
    func forEach(_ pages: [Int], of file: DataFile, _ body: (Page) throws -> Void) throws {
        var next = 0
        while next < pages.count {
            let pieces = stretch(pages[next...])
            let begin = place(of: pieces.lowerBound).lowerBound
            let end = place(of: pieces.upperBound - 1).upperBound
            let closed = try file.read(end - begin, at: start + begin)
            for piece in pieces {
                let place = place(of: piece)
                guard place.upperBound - begin <= closed.count,
                    let opened = seal.open(
                        closed[place.lowerBound - begin..<place.upperBound - begin],
                        piece
                    ),
                    let starts = starts(of: piece, opened)
                else {
                    throw StorageError(
                        .damaged,
                        "\(file.path): the pages at byte \(start + place.lowerBound) are not as they were written"
                    )
                }
                while next < pages.count, pages[next] / piecePages == piece {
                    let own = pages[next] % piecePages
                    let page = Page(
                        number: pages[next],
                        bytes: Array(opened[starts[own]..<starts[own + 1]]),
                        runs: min(pageRuns, runs - pages[next] * pageRuns),
                        start: start + place.lowerBound
                    )
                    try body(page)
                    next += 1
                }
            }
        }
    }

    /// The pieces that the first of some pages stand in: those that follow one another and are not too long together.
    private func stretch(_ pages: ArraySlice<Int>) -> Range<Int> {
        let first = pages[pages.startIndex] / piecePages
        let begin = place(of: first).lowerBound
        var end = first + 1
        for page in pages.dropFirst() where page / piecePages >= end {
            guard page / piecePages == end, place(of: end).upperBound - begin <= Self.readLength else {
                break
            }
            end += 1
        }
        return first..<end
    }

    /// Where a piece stands, from where the section begins.
    private func place(of piece: Int) -> Range<Int> { (piece == 0 ? 0 : ends[piece - 1])..<ends[piece] }

    /// Where the pages of a piece begin in it, and where the last one ends; `nil` if they do not fit it.
    private func starts(of piece: Int, _ opened: [UInt8]) -> [Int]? {
        let own = min(piecePages, count - piece * piecePages)
        var starts: [Int] = []
        starts.reserveCapacity(own + 1)
        if let table {
            let begin = place(of: piece).lowerBound
            for page in 0..<own {
                starts.append(table.marks(of: piece * piecePages + page).lowerBound - begin)
            }
            starts.append(opened.count)
        } else {
            var position = 0
            for _ in 1..<own {
                guard let length = VaryingLength.read(opened, at: &position), length <= opened.count else {
                    return nil
                }
                starts.append(Int(length))
            }
            // What was read are lengths so far.
            var end = position
            for place in starts.indices {
                let length = starts[place]
                starts[place] = end
                end += length
            }
            starts += [end, opened.count]
        }
        return starts.count == own + 1 && starts[own] == opened.count && starts[own - 1] <= starts[own]
            ? starts : nil
    }
}
