import Foundation

/// Reads a quarantine folder in order, a little at a time, while it may be written to.
///
/// A line that is not whole yet is as good as not there.
public struct QuarantineReader: Sendable {
    private let folder: String
    private let keys: KeyRing?
    private let limit: (name: String, length: Int)?
    private var name: String?
    private var file: SealedFile?
    private var offset = 0
    private var line = 0
    private var rest: [UInt8] = []
    private let decoder = JSONDecoder()

    private static let pieceLength = 1 << 18

    /// A reader at the oldest record.
    ///
    /// - Parameters:
    ///   - keys: of the data folder; without them only what is in the clear can be read.
    ///   - place: records behind it are left alone: the newest day's file, and how much of it counts.
    public init(_ folder: String, keys: KeyRing?, before place: (day: Int32, length: UInt64)? = nil) {
        self.folder = folder
        self.keys = keys
        limit = place.map { (DataFolder.dayFile($0.day), Int($0.length)) }
    }

    /// Reads the next records.
    ///
    /// - Parameter byteCount: of some so many bytes in the files, at least one record.
    /// - Returns: none at the end.
    /// - Throws: `StorageError` of code `damaged` with file and line.
    public mutating func read(_ byteCount: Int) throws -> [Quarantine.Entry] {
        var entries: [Quarantine.Entry] = []
        var taken = 0
        while taken < byteCount {
            let piece = try nextPiece()
            guard !piece.isEmpty else {
                guard try nextFile() else { break }
                continue
            }
            offset += piece.count
            rest += piece
            taken += try takeLines(into: &entries)
        }
        return entries
    }

    private func nextPiece() throws -> [UInt8] {
        guard let name, let file else { return [] }
        var count = Self.pieceLength
        if let limit, limit.name == name { count = min(count, limit.length - offset) }
        return count > 0 ? try file.read(count, at: offset) : []
    }

    private mutating func nextFile() throws -> Bool {
        let following = Quarantine.files(in: folder).first { candidate in
            (name ?? "") < candidate && candidate <= (limit?.name ?? candidate)
        }
        guard let following else { return false }
        // Nothing is added to a file that another follows.
        try file?.demandWhole()
        name = following
        // What retention took in the meantime is none.
        let path = "\(folder)/\(following)"
        file = DataFolder.exists(path) ? try SealedFile(path, .read, keys) : nil
        offset = 0
        line = 0
        rest = []
        return true
    }

    /// Takes the whole lines of what was read.
    ///
    /// - Returns: how many bytes they had.
    private mutating func takeLines(into entries: inout [Quarantine.Entry]) throws -> Int {
        guard let name, let end = rest.lastIndex(of: 0x0A) else { return 0 }
        for text in rest[..<end].split(separator: 0x0A) {
            line += 1
            do {
                let record = try decoder.decode(Quarantine.Record.self, from: Data(text))
                entries.append(Quarantine.Entry(id: "\(name.dropLast(7)):\(line)", record: record))
            } catch {
                throw StorageError(
                    .damaged,
                    "\(folder)/\(name): line \(line) is not a quarantine record"
                )
            }
        }
        rest.removeFirst(end + 1)
        return end + 1
    }
}
