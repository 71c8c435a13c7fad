import ANPRModel
import Compression
import SightingFrames

/// What stands at the end of a segment of pages and says what is where.
struct SegmentHead: Equatable {
    /// The day of all its sightings, counted from 1970-01-01.
    var day: Int32
    /// The forces, by part.
    var forces: [String]
    /// How long the register, the codebook and the list of alternates are, each with its checksum.
    var registerLength: Int
    var codebookLength: Int
    var alternatesLength: Int
    var pages: PageIndex

    /// Where the pieces of sightings begin: behind the register and the codebook.
    var rowsStart: Int { registerLength + codebookLength }
    /// Where the pieces of marks begin: behind those.
    var marksStart: Int { rowsStart + pages.rowsLength }
    /// Where the alternates begin: behind those.
    var alternatesStart: Int { marksStart + pages.marksLength }

    /// As it stands there; `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 20 else { return nil }
        let numbers: [UInt32] = (0..<5).map { LittleEndian.read(bytes, at: 4 * $0) }
        day = Int32(bitPattern: numbers[0])
        registerLength = Int(numbers[1])
        codebookLength = Int(numbers[2])
        alternatesLength = Int(numbers[3])
        forces = []
        var place = 20
        for _ in 0..<numbers[4] {
            guard place + 2 <= bytes.count else { return nil }
            let length = Int(LittleEndian.read(bytes, at: place) as UInt16)
            guard place + 2 + length <= bytes.count,
                let force = String(validating: bytes[place + 2..<place + 2 + length], as: UTF8.self)
            else { return nil }
            forces.append(force)
            place += 2 + length
        }
        guard let pages = try? PageIndex(Array(bytes[place...]), partCount: forces.count) else { return nil }
        self.pages = pages
    }
}
