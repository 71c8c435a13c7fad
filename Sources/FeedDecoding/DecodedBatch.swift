public import ANPRModel

/// One record of a feed that was refused, as it goes to quarantine.
public struct RefusedRecord: Sendable, Equatable {
    /// Why.
    public var reason: ReadRefusal
    /// The record's line in the feed, from 1.
    public var line: UInt64
    /// Where the record starts in the feed, in bytes after decompression.
    public var offset: UInt64
    /// The record's bytes; of an over-long record a part of at most 1 MiB.
    ///
    /// Of a document with several records the whole document, with the first of them that is refused; empty with the
    /// others.
    public var raw: [UInt8]
    /// Whether this is a further part of the over-long record before it, not counted again.
    public var isContinuation = false
}

/// What decoding gave: reads, refusals and counts.
///
/// Appended to, so that one batch serves many chunks.
public struct DecodedBatch: Sendable {
    /// The good reads, in the feed's order.
    public var reads: [Read] = []
    /// Details beside the reads; a read's `details` is an index here plus one.
    public var details: [ReadDetails] = []
    /// The records refused.
    public var refusals: [RefusedRecord] = []
    /// Records met: good, bad, and not blank.
    public var received = 0
    /// Records refused; continuations don't count.
    public var rejected = 0
    /// Fields that the format does not know.
    public var unknownFields = 0
    /// Optional fields that were malformed or out of range, and dropped.
    public var droppedFields = 0
    /// Images that came with reads, kept or not.
    public var images = 0
    /// Images that were to be kept and could not be: too long, not base 64, no JPEG, or of no one read.
    public var imagesDropped = 0
    /// The images that are to be kept.
    public internal(set) var pictures: [ReadImage] = []
    /// How many bytes they have.
    public internal(set) var pictureBytes = 0
    /// Documents or records that are no reads by their kind, such as heartbeats and previews; not received.
    public var ignored = 0

    /// An empty batch.
    public init() {}

    /// Records a refusal.
    mutating func refuse(_ raw: [UInt8], _ reason: ReadRefusal, line: UInt64, offset: UInt64) {
        rejected += 1
        refusals.append(RefusedRecord(reason: reason, line: line, offset: offset, raw: raw))
    }

    /// Records a piece of an over-long record; only the first piece counts.
    mutating func refuseLong(_ raw: [UInt8], at position: FeedPosition, isContinuation: Bool) {
        if !isContinuation {
            received += 1
            rejected += 1
        }
        refusals.append(
            RefusedRecord(
                reason: .recordTooLong,
                line: position.line + 1,
                offset: position.offset,
                raw: raw,
                isContinuation: isContinuation
            )
        )
    }

    /// Appends what another batch has.
    public mutating func append(_ other: DecodedBatch) {
        let base = UInt32(details.count)
        for var read in other.reads {
            if read.details > 0 { read.details += base }
            reads.append(read)
        }
        details += other.details
        refusals += other.refusals
        received += other.received
        rejected += other.rejected
        unknownFields += other.unknownFields
        droppedFields += other.droppedFields
        images += other.images
        imagesDropped += other.imagesDropped
        pictures += other.pictures
        pictureBytes += other.pictureBytes
        ignored += other.ignored
    }

    /// Empties the batch and keeps its room.
    public mutating func removeAll() {
        reads.removeAll(keepingCapacity: true)
        details.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        received = 0
        rejected = 0
        unknownFields = 0
        droppedFields = 0
        images = 0
        imagesDropped = 0
        pictures.removeAll()
        pictureBytes = 0
        ignored = 0
    }

    /// Forgets everything but the images, for those that come to reads that are in already.
    public mutating func keepImagesAlone() {
        var alone = DecodedBatch()
        alone.images = images
        alone.imagesDropped = imagesDropped
        alone.pictures = pictures
        alone.pictureBytes = pictureBytes
        self = alone
    }
}
