/// Tells what a crash leaves of a write from what was damaged later.
///
/// A process that dies leaves the beginning of what it wrote. Where the machine dies a file can have its length and not all of its
/// bytes: what the disk did not come to write is zeros, by the sector. A flipped bit makes neither.
enum TornTail {
    /// No disk writes less at a time.
    private static let sectorLength = 512
    /// So many zeros at the end of a file are no chance.
    private static let zerosMin = 16

    /// Whether some of a range was never written: a sector of it is zeros, or it ends in zeros where the file ends.
    ///
    /// - Parameters:
    ///   - bytes: up to the end of the file.
    ///   - range: what can't be read.
    ///   - place: where in the file the bytes begin.
    static func isHollow(_ bytes: [UInt8], _ range: Range<Int>, at place: Int = 0) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = start + sectorLength - (place + start) % sectorLength
            // A sector in which something whole begins was written.
            if end > range.upperBound, range.upperBound < bytes.count { return false }
            if bytes[start..<min(end, range.upperBound)].allSatisfy({ $0 == 0 }) { return true }
            start = end
        }
        return range.upperBound == bytes.count && bytes[range].suffix(zerosMin).allSatisfy { $0 == 0 }
    }
}
