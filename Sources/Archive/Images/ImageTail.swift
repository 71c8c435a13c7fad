import Compression
import SightingFrames

/// What stands in an image file behind the last record that can be read.
struct ImageTail {
    let file: SealedFile
    /// Where it begins.
    let place: Int
    /// How long the file is.
    let end: Int

    /// Whether it is what a crash leaves of records that were not synced, or a writer that has not written all yet.
    ///
    /// It is damage where a mark says that it was synced, where it is all there, and where a whole record follows. Of what was not
    /// synced a crash of the machine may have kept a later part without an earlier one, which then has zeros in its place.
    ///
    /// - Complexity: reads all that is there, which is no more than was written at a time.
    func isTorn() throws(StorageError) -> Bool {
        if place >= end { return true }
        if try hasMark() { return false }
        let bytes = try file.read(end - place, at: place)
        let later = Self.record(behind: 0, in: bytes)
        if TornTail.isHollow(bytes, 0..<(later ?? bytes.count), at: place) { return true }
        if later != nil { return false }
        guard bytes.count >= ImageRecords.headLength else { return true }
        // A head is written whole or cut off, and what is damaged in it does not make it longer.
        guard let head = ImageRecords.head(bytes, at: 0) else { return false }
        return head.bodyLength > bytes.count - ImageRecords.headLength
    }

    /// Whether a mark says that what is there was synced, so that it was no torn tail.
    private func hasMark() throws(StorageError) -> Bool {
        let whole = ImageRecords.headLength + 8
        var start = place
        while start + whole <= end {
            let bytes = try file.read(min(1 << 20, end - start), at: start)
            for offset in 0...max(0, bytes.count - whole) where bytes.count - offset >= whole {
                guard bytes[offset] == 8, bytes[offset + 8] == ImageRecords.Kind.mark.rawValue,
                    let head = ImageRecords.head(bytes, at: offset), head.kind == .mark, head.bodyLength == 8
                else { continue }
                let synced: UInt64 = LittleEndian.read(bytes, at: offset + ImageRecords.headLength)
                if synced > UInt64(place) { return true }
            }
            guard start + bytes.count < end else { break }
            start += bytes.count - whole + 1
        }
        return false
    }

    /// Where the first whole record behind a place begins.
    private static func record(behind place: Int, in bytes: [UInt8]) -> Int? {
        let last = bytes.count - ImageRecords.headLength
        guard place < last else { return nil }
        // The kind, four bytes of which three are zeros, rules out most places before a checksum is made.
        return (place + 1...last).first { start in
            guard bytes[start + 8] != 0, bytes[start + 9] == 0, bytes[start + 10] == 0,
                let head = ImageRecords.head(bytes, at: start)
            else { return false }
            let body = start + ImageRecords.headLength
            return head.bodyLength <= bytes.count - body
                && Checksum.crc32(bytes, body..<body + head.bodyLength) == head.checksum
        }
    }
}
