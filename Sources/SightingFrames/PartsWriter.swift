import ANPRModel

/// Writes reads, times and contributions of sightings, and of these only what does not follow from the rest.
///
/// By the rule a sighting begins with its earliest contribution, has the reads of all, and the confidence of the camera of
/// its best read; cameras that have one read each say when it ended. What the rule does not hold for, as after some
/// contributions were deleted, is written whole.
struct PartsWriter {
    private let cameras: SiteCameras
    private var form = ColumnWriter()
    private var reads = ColumnWriter()
    private var last = ColumnWriter()
    private var captured = ColumnWriter()
    private var partCamera = ColumnWriter()
    private var partReads = ColumnWriter()
    private var partLead = ColumnWriter()
    private var partFirst = ColumnWriter()
    private var partConfidence = ColumnWriter()
    private var unusual = ColumnWriter()

    init(_ cameras: SiteCameras) { self.cameras = cameras }

    /// Writes one sighting.
    mutating func put(_ batch: SightingBatch, _ index: Int) {
        let sighting = batch.sightings[index]
        let parts = batch.range(index)
        if parts.count == 1, Self.isSingle(sighting, batch.contributions[parts.lowerBound]) {
            form.put(PartsForm.single)
            reads.put(UInt64(sighting.reads))
            guard sighting.reads > 1 else { return }
            last.put(UInt64(sighting.last.milliseconds - sighting.first.milliseconds))
            captured.put(CapturedForm.code(sighting.captured, first: sighting.first, last: sighting.last))
        } else if let best = best(sighting, batch, parts) {
            putJoint(sighting, batch, parts, best)
        } else {
            putUnusual(sighting, batch, parts)
        }
    }

    /// Hands the columns over.
    func finish(into columns: inout FrameColumns) {
        columns[.form] = form.bytes
        columns[.reads] = reads.bytes
        columns[.last] = last.bytes
        columns[.captured] = captured.bytes
        columns[.partCamera] = partCamera.bytes
        columns[.partReads] = partReads.bytes
        columns[.partLead] = partLead.bytes
        columns[.partFirst] = partFirst.bytes
        columns[.partConfidence] = partConfidence.bytes
        columns[.unusual] = unusual.bytes
    }

    /// Whether a sighting's one contribution says what the sighting says, and its times are as the rule has them.
    private static func isSingle(_ sighting: Sighting, _ part: Contribution) -> Bool {
        guard part.camera == sighting.camera, part.reads == sighting.reads, part.first == sighting.first,
            part.confidence == sighting.confidence, sighting.reads > 0
        else { return false }
        if sighting.reads == 1 {
            return sighting.last == sighting.first && sighting.captured == sighting.first
        }
        return sighting.first <= sighting.captured && sighting.captured <= sighting.last
    }

    /// Where the best read's contribution stands, if all is as the rule has it.
    private func best(_ sighting: Sighting, _ batch: SightingBatch, _ parts: Range<Int>) -> Int? {
        guard parts.count > 1 else { return nil }
        var best: Int?
        var reads: UInt64 = 0
        var first = Timestamp.distantFuture
        var lastFirst = Timestamp.distantPast
        var order: UInt32?
        for place in parts {
            let part = batch.contributions[place]
            let rank = cameras.facts[Int(part.camera)].rank
            guard part.reads > 0, order.map({ $0 < rank }) ?? true else { return nil }
            order = rank
            reads += UInt64(part.reads)
            first = min(first, part.first)
            lastFirst = max(lastFirst, part.first)
            if part.camera == sighting.camera { best = place }
        }
        guard let best, reads == UInt64(sighting.reads), first == sighting.first, lastFirst <= sighting.last
        else { return nil }
        let own = batch.contributions[best]
        if reads == UInt64(parts.count), lastFirst != sighting.last { return nil }
        if own.reads == 1, own.first != sighting.captured { return nil }
        let isOrdered = own.first <= sighting.captured && sighting.captured <= sighting.last
        return own.confidence == sighting.confidence && isOrdered ? best : nil
    }

    /// The best read's camera first, then the others in their order.
    private mutating func putJoint(
        _ sighting: Sighting,
        _ batch: SightingBatch,
        _ parts: Range<Int>,
        _ best: Int
    ) {
        form.put(UInt64(parts.count))
        let own = batch.contributions[best]
        let leader = own.first == sighting.first ? best : parts.first { isFirst(batch, $0, sighting) } ?? best
        var lead = 0
        var lastFirst = own.first
        partReads.put(UInt64(own.reads - 1))
        if leader != best { putFirst(own, sighting) }
        var number = 0
        for place in parts where place != best {
            let part = batch.contributions[place]
            number += 1
            partCamera.put(UInt64(cameras.facts[Int(part.camera)].place))
            partReads.put(UInt64(part.reads - 1))
            partConfidence.put(UInt8(part.confidence + 1))
            lastFirst = max(lastFirst, part.first)
            if place == leader { lead = number } else { putFirst(part, sighting) }
        }
        partLead.put(UInt64(lead))
        if sighting.reads > UInt32(parts.count) {
            last.put(UInt64(sighting.last.milliseconds - lastFirst.milliseconds))
        }
        if own.reads > 1 {
            captured.put(CapturedForm.code(sighting.captured, first: own.first, last: sighting.last))
        }
    }

    private func isFirst(_ batch: SightingBatch, _ place: Int, _ sighting: Sighting) -> Bool {
        batch.contributions[place].first == sighting.first
    }

    private mutating func putFirst(_ part: Contribution, _ sighting: Sighting) {
        partFirst.put(UInt64(part.first.milliseconds - sighting.first.milliseconds))
    }

    private mutating func putUnusual(_ sighting: Sighting, _ batch: SightingBatch, _ parts: Range<Int>) {
        form.put(PartsForm.unusual)
        unusual.put(UInt64(sighting.reads))
        unusual.put(signed: sighting.last.milliseconds - sighting.first.milliseconds)
        unusual.put(signed: sighting.captured.milliseconds - sighting.first.milliseconds)
        unusual.put(UInt64(parts.count))
        for place in parts {
            let part = batch.contributions[place]
            unusual.put(UInt64(cameras.facts[Int(part.camera)].place))
            unusual.put(UInt64(part.reads))
            unusual.put(signed: part.first.milliseconds - sighting.first.milliseconds)
            unusual.put(UInt8(part.confidence + 1))
        }
    }
}
