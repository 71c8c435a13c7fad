import ANPRModel

/// The column of other marks: for each row that has any their number, and each.
///
/// A pair whose two sightings stand in one frame is written once, with the later of them, as the distance between them.
enum VariantColumn {
    /// More other marks than one sighting has, and more than there are in one frame: what names more is hostile.
    private static let countMax: UInt64 = 64
    private static let totalMax = 1 << 18

    private struct Identity: Hashable {
        var vrm: VRM
        var opened: Timestamp
    }

    /// The column of a run of sightings; `nil` when none of them has another mark.
    ///
    /// - Parameter tellsAll: whether each is written in full.
    static func write(_ batch: SightingBatch, _ range: Range<Int>, tellsAll: Bool = false) -> ColumnWriter? {
        guard !batch.variants.isEmpty else { return nil }
        let own = Array(batch.variants(of: range))
        guard !own.isEmpty else { return nil }
        let rows = tellsAll ? [:] : rows(own, batch)
        var exceptions = ExceptionWriter()
        var start = 0
        while start < own.count {
            let index = own[start].sighting
            let end = own[start...].firstIndex { $0.sighting != index } ?? own.count
            let told = own[start..<end].map { (other: $0, partner: partner($0, rows, batch)) }
                .filter { $0.partner ?? -1 < index }
            start = end
            guard !told.isEmpty else { continue }
            exceptions.next(index - range.lowerBound)
            exceptions.column.put(UInt64(told.count))
            for (other, partner) in told { write(other, partner, batch, &exceptions.column) }
        }
        return exceptions.column
    }

    private static func write(
        _ other: SightingVariant,
        _ partner: Int?,
        _ batch: SightingBatch,
        _ column: inout ColumnWriter
    ) {
        if let partner {
            column.put(VariantForm.near + UInt64(other.sighting - partner - 1))
            return
        }
        column.put(other.isMerged ? VariantForm.merged : VariantForm.beside)
        column.put(other.vrm.packed)
        column.put(signed: other.opened.milliseconds - batch.sightings[other.sighting].first.milliseconds)
    }

    /// The rows that have other marks, by what the others call them; of two of a name the first.
    private static func rows(_ own: [SightingVariant], _ batch: SightingBatch) -> [Identity: Int] {
        var rows: [Identity: Int] = [:]
        for other in own where !other.isMerged {
            let sighting = batch.sightings[other.sighting]
            let identity = Identity(vrm: sighting.vrm, opened: sighting.opened)
            if rows[identity] == nil { rows[identity] = other.sighting }
        }
        return rows
    }

    /// The row of the sighting that another names, if it stands in the frame and names that one in turn.
    private static func partner(
        _ other: SightingVariant,
        _ rows: [Identity: Int],
        _ batch: SightingBatch
    ) -> Int? {
        guard !other.isMerged, let row = rows[Identity(vrm: other.vrm, opened: other.opened)],
            row != other.sighting
        else { return nil }
        let own = batch.sightings[other.sighting]
        // The rows must name each other, each by what finds it here; else both are written out.
        guard rows[Identity(vrm: own.vrm, opened: own.opened)] == other.sighting,
            batch.variants(of: row).contains(where: {
                !$0.isMerged && $0.vrm == own.vrm && $0.opened == own.opened
            })
        else { return nil }
        return row
    }

    /// Reads the column; what comes out is in the order of rows, and of mark and time in each.
    static func read(_ rows: Span<Sighting>, _ column: inout ColumnReader) throws(FrameFault)
        -> [SightingVariant]
    {
        var variants: [SightingVariant] = []
        var row = -1
        while !column.isAtEnd {
            try column.next(&row, rows.count)
            let count = try column.number(upTo: countMax)
            guard variants.count < totalMax else { throw .numberTooLarge }
            for _ in 0..<count {
                let form = try column.number(upTo: VariantForm.near + UInt64(rows.count))
                if form < VariantForm.near {
                    guard let vrm = VRM(packed: try column.number()) else { throw .badMark }
                    let opened = try column.time(after: rows[row].first)
                    let isMerged = form == VariantForm.merged
                    variants.append(.init(sighting: row, vrm: vrm, opened: opened, isMerged: isMerged))
                    continue
                }
                let partner = row - Int(form - VariantForm.near) - 1
                guard partner >= 0 else { throw .numberTooLarge }
                variants.append(naming(partner, in: rows, at: row))
                variants.append(naming(row, in: rows, at: partner))
            }
        }
        return variants.sorted(by: precedes)
    }

    private static func naming(_ other: Int, in rows: Span<Sighting>, at row: Int) -> SightingVariant {
        SightingVariant(sighting: row, vrm: rows[other].vrm, opened: rows[other].opened, isMerged: false)
    }

    private static func precedes(_ left: SightingVariant, _ right: SightingVariant) -> Bool {
        if left.sighting != right.sighting { return left.sighting < right.sighting }
        return (left.vrm, left.opened) < (right.vrm, right.opened)
    }
}
