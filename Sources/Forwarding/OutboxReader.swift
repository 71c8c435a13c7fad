public import Archive
import SightingFrames

/// Cuts the sighting log into messages for a link: the outbox is a cursor over the log, nothing is stored twice.
public struct OutboxReader {
    private var reader: SightingLogReader
    private let lengthMax: Int

    /// Starts at a sighting.
    ///
    /// - Parameters:
    ///   - folder: the log's.
    ///   - lengthMax: about how many bytes a message takes.
    public init(_ folder: String, from sequence: UInt64, lengthMax: Int = 256 << 10) {
        reader = SightingLogReader(folder, from: sequence)
        self.lengthMax = lengthMax
    }

    /// The next blocks to send.
    ///
    /// - Parameter extent: how far the log is complete; nothing behind it is read.
    /// - Returns: `nil` when there is nothing more.
    public mutating func next(_ extent: SightingLog.Extent) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < lengthMax, let block = try reader.readBlock(before: extent.next) {
            block.write(to: &bytes)
        }
        return bytes.isEmpty ? nil : bytes
    }
}
