import ANPRModel
import Archive
import Deduplication
import Foundation
import TestSupport
import Testing

/// What is past its date goes, contribution by contribution; the rest stays as it was.
struct RetentionTests {
    @Test("calendar months end on the same day, or the last of a shorter month")
    func months() {
        let cases = [
            ("2026-11-21T10:00:00.000Z", 12, "2025-11-21T10:00:00.000Z"),
            ("2026-03-31T00:00:00.000Z", 1, "2026-02-28T00:00:00.000Z"),
            ("2024-03-31T00:00:00.000Z", 1, "2024-02-29T00:00:00.000Z"),
            ("2026-01-15T23:59:59.999Z", 1, "2025-12-15T23:59:59.999Z"),
            ("2024-02-29T12:00:00.000Z", 12, "2023-02-28T12:00:00.000Z"),
            ("2026-05-31T12:00:00.000Z", 27, "2024-02-29T12:00:00.000Z"),
        ]
        for (now, count, expected) in cases {
            guard case .moment(let moment) = TimestampReader.read(now) else { continue }
            #expect(TimestampWriter.text(RetentionPeriod.months(count).cutoff(now: moment)) == expected)
        }
    }

    @Test("the first rule that matches decides")
    func firstMatch() {
        let policy = RetentionPolicy([
            RetentionRule(text: "a", force: "44", confidenceBelow: 40, keep: .span(1)),
            RetentionRule(text: "b", force: "44", keep: .span(2)),
            RetentionRule(text: "q", dataClass: .quarantine, keep: .span(3)),
            RetentionRule(text: "c", keep: .span(4)),
        ])
        #expect(policy.rule(force: "44", confidence: 39) == 0)
        #expect(policy.rule(force: "44", confidence: 40) == 1)
        #expect(policy.rule(force: "44", confidence: -1) == 1)
        #expect(policy.rule(force: "43", confidence: 1) == 3)
        #expect(policy.rule(of: .quarantine) == 2)
        #expect(policy.rule(of: .hit, force: "44", confidence: 1) == 0)
        #expect(policy.earliestDue(of: .hit, now: Timestamp(milliseconds: 10)) == Timestamp(milliseconds: 9))
        // Audit records go only by a rule that names them.
        #expect(policy.rule(of: .audit) == nil)
        let named = RetentionPolicy(
            [RetentionRule(text: "u", dataClass: .audit, keep: .span(1))] + policy.rules
        )
        #expect(named.rule(of: .audit) == 0)
        #expect(named.rule(force: "43", confidence: 1) == 4)
        #expect(policy.latestCutoff(now: Timestamp(milliseconds: 10)) == Timestamp(milliseconds: 6))
        #expect(RetentionPolicy().latestCutoff(now: .latest) == nil)
    }

    @Test(
        "apply does what plan said, and what is left is what a scan with the rules leaves",
        arguments: [1, 2] as [UInt64]
    )
    func apply(seed: UInt64) throws {
        let filled = try SearchTests.Filled(seed: seed)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        let times = filled.all.map(\.first).sorted()
        let now = Timestamp(milliseconds: times[times.count / 2] + 1000)
        let policy = RetentionPolicy([
            RetentionRule(text: "weak of 44", force: "44", confidenceBelow: 80, keep: .span(0)),
            RetentionRule(text: "rest of 44", force: "44", keep: .span(10_000_000)),
            RetentionRule(text: "rest", keep: .span(1000)),
        ])
        let retention = Retention(archiver: filled.archiver, catalogue: filled.catalogue, policy: policy)
        let before = try filled.catalogue.snapshot()
        let planned = try retention.plan(now: now)
        #expect(try filled.catalogue.snapshot().segments == before.segments)
        let applied = try retention.apply(now: now)
        #expect(planned == applied)
        #expect(applied[0].contributions > 0 && applied[2].contributions > 0)
        #expect(applied[1].contributions == 0)
        func isKept(_ part: PlainSighting.Part) -> Bool {
            if part.force == "44" { return (part.confidence ?? 100) >= 80 || part.first >= now.milliseconds }
            return part.first >= now.milliseconds - 1000
        }
        let expected = filled.all.map { $0.parts.filter(isKept) }.filter { !$0.isEmpty }
        var query = SightingQuery()
        query.from = .earliest
        let found = try filled.found(query)
        #expect(Set(found.map(\.parts)) == Set(expected))
        #expect(found.count == expected.count)
        #expect(found.allSatisfy { $0.reads == $0.parts.reduce(0) { $0 + $1.reads } })
        #expect(try retention.apply(now: now).allSatisfy { $0.contributions == 0 })
        #expect(
            try filled.catalogue.purges().reduce(0) { $0 + $1.contributions }
                == applied.reduce(0) { $0 + $1.contributions }
        )
    }

    @Test("no sighting names one that is gone", arguments: [1, 2] as [UInt64])
    func misreads(seed: UInt64) throws {
        let filled = try SearchTests.Filled(seed: seed, variants: .link)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        func named() throws -> (all: Int, gone: Int) {
            let found = try ArchiveSearch(data: filled.folder.path).run(SightingQuery())
            let there = Set(found.batch.sightings.map { "\($0.vrm.text) \($0.opened.milliseconds)" })
            let named = found.batch.variants.map { "\($0.vrm.text) \($0.opened.milliseconds)" }
            return (named.count, named.count { !there.contains($0) })
        }
        let before = try named()
        #expect(before.all > 5 && before.gone == 0)
        // Half of a pair goes where only one of the two is weak.
        let policy = RetentionPolicy([RetentionRule(text: "weak", confidenceBelow: 70, keep: .span(0))])
        let retention = Retention(archiver: filled.archiver, catalogue: filled.catalogue, policy: policy)
        let now = Timestamp(milliseconds: (filled.all.map(\.last).max() ?? 0) + 1)
        #expect(try retention.apply(now: now)[0].sightings > 0)
        let after = try named()
        #expect(after.all < before.all && after.gone == 0)
    }

    @Test("what could not be looked through for names of those that went is, the next time")
    func named() throws {
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        let archiver = try Archiver(
            "\(folder.path)/archive",
            log: "\(folder.path)/sightings",
            catalogue: catalogue
        )
        let register = SmallRegister.make(sites: 1, forces: ["43"], camerasEach: 1)
        let day: Int64 = 86_400_000
        let midnight = 20_000 * day
        let (mark, other) = try (#require(VRM("AB27CDE")), #require(VRM("AB27CDF")))
        // Two readings of one vehicle, before midnight and behind it, that name each other; and two of the second day that do.
        let times = [midnight - 100, midnight + 100, midnight + 40_000_000, midnight + 40_000_100]
        var batch = SightingBatch()
        for (row, time) in times.map(Timestamp.init(milliseconds:)).enumerated() {
            batch.append(
                Sighting(
                    vrm: row % 2 == 0 ? mark : other,
                    first: time,
                    last: time,
                    captured: time,
                    opened: time,
                    camera: 0,
                    reads: 1
                )
            )
            batch.append(Contribution(camera: 0, reads: 1, first: time, confidence: 90))
            let partner = Timestamp(milliseconds: times[row ^ 1])
            batch.append(row % 2 == 0 ? other : mark, opened: partner, isMerged: false)
        }
        try archiver.take(batch, first: 0, register: register)
        try archiver.archiveGathered(register)
        func names() throws -> [String] {
            var query = SightingQuery()
            query.from = .earliest
            let found = try ArchiveSearch(data: folder.path).run(query)
            return found.batch.variants.map { "\($0.vrm.text) \($0.opened.milliseconds - midnight)" }.sorted()
        }
        #expect(try names().count == 4)
        let segments = try catalogue.snapshot().segments
        #expect(segments.map(\.day).sorted() == [19_999, 20_000])
        let second = try #require(segments.first { $0.day == 20_000 })
        let file = URL(fileURLWithPath: "\(folder.path)/archive/\(second.name)")
        let written = try Data(contentsOf: file)
        var injured = written
        for place in written.indices where place > 200 { injured[place] ^= 0x55 }
        try injured.write(to: file)
        let policy = RetentionPolicy([RetentionRule(text: "day", keep: .span(day))])
        let now = Timestamp(milliseconds: midnight + day)
        let retention = Retention(archiver: archiver, catalogue: catalogue, policy: policy)
        #expect(throws: StorageError.self) { try retention.apply(now: now) }
        #expect(try catalogue.snapshot().segments.map(\.day) == [20_000])

        try written.write(to: file)
        let again = try Archiver(
            "\(folder.path)/archive",
            log: "\(folder.path)/sightings",
            catalogue: catalogue
        )
        #expect(try names().contains("AB27CDE -100"))
        let next = Retention(archiver: again, catalogue: catalogue, policy: policy)
        #expect(try next.apply(now: now).allSatisfy { !$0.isAny })
        #expect(try names() == ["AB27CDE 40000000", "AB27CDF 40000100"])
        #expect(try next.apply(now: now).allSatisfy { !$0.isAny })
    }

    @Test(
        "who applies rules again and again does what they say each time, and looks through no day in vain",
        arguments: [1, 2, 3, 4] as [UInt64]
    )
    func again(seed: UInt64) throws {
        let filled = try SearchTests.Filled(seed: seed)
        let times = filled.all.map(\.first).sorted()
        let span = times[times.count - 1] - times[0]
        let policy = RetentionPolicy([
            RetentionRule(text: "weak", confidenceBelow: 75, keep: .span(span / 4)),
            RetentionRule(text: "44", force: "44", confidenceBelow: 90, keep: .span(span / 2)),
            RetentionRule(text: "rest", keep: .span(span)),
        ])
        let looked = DaysLookedThrough()
        var applied = 0
        for step in 1...16 as ClosedRange<Int64> {
            // What is filed meanwhile is looked through, too: some of it is past its date by then.
            let end = filled.log.extent.next * UInt64(min(step, 8)) / 8
            _ = try filled.archiver.archive(before: end)
            let now = Timestamp(milliseconds: times[0] + span * step / 8 + span / 8)
            func retention(_ looked: DaysLookedThrough) -> Retention {
                Retention(
                    archiver: filled.archiver,
                    catalogue: filled.catalogue,
                    policy: policy,
                    looked: looked
                )
            }
            let planned = try retention(DaysLookedThrough()).plan(now: now)
            #expect(try retention(looked).apply(now: now) == planned, "step \(step)")
            applied += planned.reduce(0) { $0 + $1.contributions }
            let left = try retention(DaysLookedThrough()).plan(now: now)
            #expect(left.allSatisfy { !$0.isAny }, "step \(step)")
        }
        #expect(applied == filled.all.reduce(0) { $0 + $1.parts.count })
    }

    @Test("a day of which nothing was past its date is not read again before something can be")
    func unread() throws {
        let filled = try SearchTests.Filled(seed: 5)
        _ = try filled.archiver.archive(before: filled.log.extent.next)
        let last = filled.all.map(\.last).max() ?? 0
        let policy = RetentionPolicy([
            RetentionRule(text: "weak", confidenceBelow: 1, keep: .span(0)),
            RetentionRule(text: "rest", keep: .span(1 << 40)),
        ])
        let looked = DaysLookedThrough()
        func apply(_ looked: DaysLookedThrough, _ policy: RetentionPolicy) throws {
            // As after a restart: nothing is known that was read before.
            let archiver = try Archiver(
                "\(filled.folder.path)/archive",
                log: "\(filled.folder.path)/sightings",
                catalogue: filled.catalogue
            )
            let retention = Retention(
                archiver: archiver,
                catalogue: filled.catalogue,
                policy: policy,
                looked: looked
            )
            _ = try retention.apply(now: Timestamp(milliseconds: last + 1))
        }
        try apply(looked, policy)
        for segment in try filled.catalogue.snapshot().segments {
            let file = URL(fileURLWithPath: "\(filled.folder.path)/archive/\(segment.name)")
            var bytes = try Data(contentsOf: file)
            for place in bytes.indices where place > 200 { bytes[place] ^= 0x55 }
            try bytes.write(to: file)
        }
        try apply(looked, policy)
        #expect(throws: StorageError.self) { try apply(DaysLookedThrough(), policy) }
        var other = policy
        other.rules[0].confidenceBelow = 2
        #expect(throws: StorageError.self) { try apply(looked, other) }
    }
}
