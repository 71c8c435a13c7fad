import ANPRModel

/// Finds the read of each picture that stands beside its document in a multipart body.
///
/// Pictures belong to the document before them; those before a body's first document to that one. Only a document of exactly
/// one read has pictures, and nothing that was refused may stand between: better no picture than another car's.
struct PictureBinder: Sendable {
    private struct Picture: Sendable {
        var kind: ImageKind
        var jpeg: [UInt8]
    }

    /// So many pictures wait for a document at the most.
    private static let waitingMax = 8

    /// The body that is read, and how many documents there were behind the last thing that belongs to it.
    private var body = -1
    private var line: UInt64 = 0
    private var hasDocument = false
    private var read: Read?
    private var waiting: [Picture] = []

    /// Takes a picture of the body that is read.
    mutating func take(
        _ bytes: ArraySlice<UInt8>,
        _ kind: ImageKind,
        at place: (body: Int, line: UInt64),
        _ rules: ImageRules,
        into batch: inout DecodedBatch
    ) {
        batch.images += 1
        guard rules.lengthMax(kind) > 0 else { return }
        if place.body != body || place.line != line { begin(place, &batch) }
        guard bytes.count <= rules.lengthMax(kind), DecodedBatch.isJPEG(bytes) else {
            batch.imagesDropped += 1
            return
        }
        if let read {
            batch.keep(ReadImage(of: read, kind: kind, jpeg: Array(bytes)))
        } else if !hasDocument, waiting.count < Self.waitingMax {
            waiting.append(Picture(kind: kind, jpeg: Array(bytes)))
        } else {
            batch.imagesDropped += 1
        }
    }

    /// Takes note of a document.
    ///
    /// - Parameters:
    ///   - read: its read, if it has exactly one.
    ///   - place: the body it stands in, and how many documents there are with it.
    mutating func note(
        _ read: Read?,
        at place: (body: Int, line: UInt64),
        into batch: inout DecodedBatch
    ) {
        if place.body != body || place.line != line + 1 { begin(place, &batch) }
        line = place.line
        hasDocument = true
        self.read = read
        guard !waiting.isEmpty else { return }
        if let read {
            for picture in waiting {
                batch.keep(ReadImage(of: read, kind: picture.kind, jpeg: picture.jpeg))
            }
        } else {
            batch.imagesDropped += waiting.count
        }
        waiting = []
    }

    /// Lets go of pictures whose document never came.
    mutating func finish(into batch: inout DecodedBatch) {
        batch.imagesDropped += waiting.count
        self = PictureBinder()
    }

    private mutating func begin(_ place: (body: Int, line: UInt64), _ batch: inout DecodedBatch) {
        finish(into: &batch)
        (body, line) = place
    }
}
