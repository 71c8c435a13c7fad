import ANPRModel
import Archive
import Deduplication
import Foundation
import Simulation
import SightingFrames
import Synchronization
import TestSupport
import Testing

/// Legal holds beat every rule; days that are over go whole; each purge leaves its record.
struct HoldTests {
    /// Sightings of several days in segments, with merged marks, and with pairs across midnights.
    final class Days {
        static let firstDay: Int64 = 20_000
        static let dayLength: Int64 = 86_400_000

        struct Plain: Hashable {
            struct Part: Hashable {
                var force: String
                var first: Int64
            }

            var vrm: String
            var merged: String?
            var site: String
            var first: Int64
            var last: Int64
            var parts: [Part]
        }

        let folder: TemporaryFolder
        let catalogue: Catalogue
        let archiver: Archiver
        let register = SmallRegister.make(sites: 3, forces: ["43", "45"], camerasEach: 1)
        private(set) var all: [Plain] = []
        private var batch = SightingBatch()

        init(seed: UInt64, days: Int) throws {
            folder = try TemporaryFolder()
            catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
            archiver = try Archiver(
                "\(folder.path)/archive",
                log: "\(folder.path)/sightings",
                catalogue: catalogue,
                indexDays: 4
            )
            var random = SeededRandom(seed: seed)
            for day in 0..<days { try fill(day, of: days, &random) }
            try archiver.archiveGathered(register)
        }

        static func mark(_ number: Int) -> String {
            let letters = Array("ABCDEFGHJK")
            return "AB\(27 + number / 10)\(letters[number % 10])\(letters[number / 7 % 10])X"
        }

        private func fill(_ day: Int, of days: Int, _ random: inout SeededRandom) throws {
            let start = (Self.firstDay + Int64(day)) * Self.dayLength
            batch = SightingBatch()
            var times = (0..<120).map { _ in start + 2000 + Int64(random.below(86_390_000)) }
            times.sort()
            // The second half of a pair from before midnight, then the rest, then the first half of the next pair.
            if day > 0 {
                add(Self.mark(70 + day), start + 300, partner: Self.mark(60 + day), at: start - 400, &random)
            }
            for time in times {
                let merged = random.chance(perMille: 200) ? Self.mark(80 + random.below(9)) : nil
                add(Self.mark(random.below(25)), time, merged: merged, &random)
            }
            let end = start + Self.dayLength
            if day + 1 < days {
                add(Self.mark(61 + day), end - 400, partner: Self.mark(71 + day), at: end + 300, &random)
            }
            try archiver.take(batch, first: UInt64(all.count - batch.count), register: register)
            try archiver.archiveGathered(register)
        }

        private func add(
            _ mark: String,
            _ time: Int64,
            merged: String? = nil,
            partner: String? = nil,
            at partnerTime: Int64 = 0,
            _ random: inout SeededRandom
        ) {
            let site = partner == nil ? random.below(3) : 0
            let cameras = register.cameras.indices.filter { register.cameras[$0].site == "SITE-\(site)" }
                .sorted { register.cameras[$0].force < register.cameras[$1].force }
            let own = random.chance(perMille: 400) ? cameras : [random.one(of: cameras)]
            let moments = own.map { _ in Timestamp(milliseconds: time + Int64(random.below(200))) }
            let (first, last) = (moments.min() ?? .distantPast, moments.max() ?? .distantPast)
            let best = zip(own, moments).first { $1 == first }?.0 ?? 0
            batch.append(
                Sighting(
                    vrm: VRM(mark) ?? VRM(trusted: 0),
                    first: first,
                    last: last,
                    captured: first,
                    opened: Timestamp(milliseconds: time),
                    camera: CameraIndex(best),
                    reads: UInt32(own.count)
                )
            )
            var plain = Plain(
                vrm: mark,
                merged: merged,
                site: "SITE-\(site)",
                first: first.milliseconds,
                last: last.milliseconds,
                parts: []
            )
            for (camera, moment) in zip(own, moments) {
                batch.append(
                    Contribution(camera: CameraIndex(camera), reads: 1, first: moment, confidence: 80)
                )
                plain.parts.append(
                    .init(force: register.cameras[camera].force, first: moment.milliseconds)
                )
            }
            let other = partner ?? merged
            if let other, let vrm = VRM(other) {
                let opened = Timestamp(milliseconds: partner == nil ? time : partnerTime)
                batch.append(vrm, opened: opened, isMerged: partner == nil)
            }
            all.append(plain)
        }

        /// What the archive has, and how many of its sightings name one that it has not.
        func found() throws -> (all: [Plain], orphans: Int, named: Int) {
            let found = try ArchiveSearch(data: folder.path).run(SightingQuery())
            let there = Set(found.batch.sightings.map { "\($0.vrm.text) \($0.opened.milliseconds)" })
            let named = found.batch.variants.filter { !$0.isMerged }
            let plain = (0..<found.batch.count).map { row in
                let sighting = found.batch.sightings[row]
                return Plain(
                    vrm: sighting.vrm.text,
                    merged: found.batch.variants(of: row).first(where: \.isMerged)?.vrm.text,
                    site: found.register.siteName(of: sighting.camera),
                    first: sighting.first.milliseconds,
                    last: sighting.last.milliseconds,
                    parts: found.batch.contributions(of: row).map { part in
                        .init(
                            force: found.register.cameras[Int(part.camera)].force,
                            first: part.first.milliseconds
                        )
                    }
                )
            }
            let orphans = named.count { !there.contains("\($0.vrm.text) \($0.opened.milliseconds)") }
            return (plain, orphans, named.count)
        }
    }

    private static let policy = RetentionPolicy([
        RetentionRule(text: "45", force: "45", keep: .span(Days.dayLength)),
        RetentionRule(text: "rest", keep: .span(2 * Days.dayLength)),
    ])

    private static func hold(_ scope: Hold.Scope) -> Hold {
        Hold(
            reference: "OP TEST",
            owner: "an officer",
            reason: "a trial",
            review: Timestamp(milliseconds: 0),
            scope: scope,
            placed: Timestamp(milliseconds: 1)
        )
    }

    private static func scopes(_ random: inout SeededRandom) -> [Hold.Scope] {
        let start = Days.firstDay * Days.dayLength
        return (0..<3).map { number in
            let from = start + Int64(random.below(Int(5 * Days.dayLength)))
            let to = from + Int64(random.below(Int(Days.dayLength)))
            let times = (Timestamp(milliseconds: from), Timestamp(milliseconds: to))
            switch number {
            case 0: return Hold.Scope(mark: MarkPattern(Days.mark(random.below(25))))
            case 1: return Hold.Scope(from: times.0, to: times.1, sites: ["SITE-1", "SITE-2"])
            default: return Hold.Scope(mark: MarkPattern("AB3?*"), from: times.0)
            }
        }
    }

    private static func holds(_ scope: Hold.Scope, _ plain: Days.Plain) -> Bool {
        if let from = scope.from, plain.last < from.milliseconds { return false }
        if let to = scope.to, plain.first > to.milliseconds { return false }
        if !scope.sites.isEmpty, !scope.sites.contains(plain.site) { return false }
        guard let mark = scope.mark else { return true }
        return [plain.vrm, plain.merged].compactMap { $0.flatMap { VRM($0) } }.contains(where: mark.matches)
    }

    /// What is left by the rules of `policy`.
    private static func kept(_ all: [Days.Plain], now: Int64, _ scopes: [Hold.Scope]) -> Set<
        [Days.Plain.Part]
    > {
        Set(
            all.compactMap { plain in
                if scopes.contains(where: { holds($0, plain) }) { return plain.parts }
                let left = plain.parts.filter { part in
                    part.first >= now - (part.force == "45" ? 1 : 2) * Days.dayLength
                }
                return left.isEmpty ? nil : left
            }
        )
    }

    @Test("what is held stays whole, all else goes as the rules say", arguments: [1, 2, 3, 4] as [UInt64])
    func holds(seed: UInt64) throws {
        let days = try Days(seed: seed, days: 6)
        var random = SeededRandom(seed: seed)
        let scopes = seed == 4 ? [] : Self.scopes(&random)
        for scope in scopes { _ = try days.catalogue.place(Self.hold(scope)) }
        let before = try days.found()
        #expect(before.all.count == days.all.count && before.orphans == 0 && before.named == 10)
        let retention = Retention(archiver: days.archiver, catalogue: days.catalogue, policy: Self.policy)
        let now = (Days.firstDay + 5) * Days.dayLength + 40_000_000
        let planned = try retention.plan(now: Timestamp(milliseconds: now))
        let applied = try retention.apply(now: Timestamp(milliseconds: now))
        #expect(planned == applied)
        let after = try days.found()
        let expected = Self.kept(days.all, now: now, scopes)
        #expect(Set(after.all.map(\.parts)) == expected && after.all.count == expected.count)
        #expect(after.orphans == 0 && (seed < 4 || after.named < before.named))
        let parts = { (all: [Days.Plain]) in all.reduce(0) { $0 + $1.parts.count } }
        #expect(applied.reduce(0) { $0 + $1.contributions } == parts(days.all) - parts(after.all))
        let held = days.all.filter { plain in scopes.contains { Self.holds($0, plain) } }
        let due = held.reduce(0) { sum, plain in
            sum + plain.parts.count { $0.first < now - ($0.force == "45" ? 1 : 2) * Days.dayLength }
        }
        #expect(applied.reduce(0) { $0 + $1.held } == due && (seed == 4) == (due == 0))
        // Released, it goes.
        for hold in try days.catalogue.holds() {
            let release = Hold.Release(at: Timestamp(milliseconds: 2), by: "an officer", reason: "over")
            #expect(try days.catalogue.release(hold.id, release))
            #expect(try !days.catalogue.release(hold.id, release))
        }
        _ = try retention.apply(now: Timestamp(milliseconds: now))
        let last = try days.found()
        #expect(Set(last.all.map(\.parts)) == Self.kept(days.all, now: now, []) && last.orphans == 0)
    }

    @Test("a day all of which is past every period goes without being read")
    func wholeDays() throws {
        let days = try Days(seed: 5, days: 4)
        // What can't be read can't be what is counted.
        for segment in try days.catalogue.snapshot().segments.prefix(2) {
            let path = URL(fileURLWithPath: "\(days.folder.path)/archive/\(segment.name)")
            try Data("damaged".utf8).write(to: path)
        }
        let retention = Retention(archiver: days.archiver, catalogue: days.catalogue, policy: Self.policy)
        let now = Timestamp(milliseconds: (Days.firstDay + 4) * Days.dayLength)
        let applied = try retention.apply(now: now)
        let gone = days.all.filter { $0.first < now.milliseconds - 2 * Days.dayLength }
        #expect(applied[1].sightings == gone.count)
        #expect(applied[1].contributions == gone.reduce(0) { $0 + $1.parts.count })
        let after = try days.found()
        #expect(Set(after.all.map(\.parts)) == Self.kept(days.all, now: now.milliseconds, []))
        #expect(after.orphans == 0)
    }

    /// Somebody who places a hold in the midst of a purge.
    private struct Latecomer: ImagePurger {
        let days: [Int32]
        let onPurge: @Sendable () -> Void

        func purge(
            _ day: Int32,
            isDry: Bool,
            begin: (ImageStore.Purge) throws -> Void,
            by rule: @escaping @Sendable (ImageBinding) -> Int?
        ) throws -> ImageStore.Purge {
            onPurge()
            return ImageStore.Purge()
        }
    }

    @Test("a hold that is placed while a purge is under way counts")
    func late() throws {
        let days = try Days(seed: 6, days: 3)
        let scope = Hold.Scope(mark: MarkPattern(Days.mark(3)))
        let now = Timestamp(milliseconds: (Days.firstDay + 2) * Days.dayLength + 50_000_000)
        let path = "\(days.folder.path)/catalogue.sqlite"
        let calls = Mutex(0)
        // First the images by their own class, of two days; then those of the contributions that the first day loses.
        let purger = Latecomer(days: (0..<3).map { Int32(Days.firstDay) + $0 }) {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            guard call == 3 else { return }
            _ = try? Catalogue(path).place(Self.hold(scope))
        }
        let retention = Retention(
            archiver: days.archiver,
            catalogue: days.catalogue,
            policy: Self.policy,
            images: RetentionImages(purger, search: ArchiveSearch(data: days.folder.path)) { _ in nil }
        )
        _ = try retention.apply(now: now)
        #expect(try days.catalogue.holds().count == 1)
        let after = try days.found()
        #expect(Set(after.all.map(\.parts)) == Self.kept(days.all, now: now.milliseconds, [scope]))
        #expect(
            days.all.contains { Self.holds(scope, $0) && $0.first < now.milliseconds - 2 * Days.dayLength }
        )
    }

    @Test("each purge leaves a record of its own in the catalogue, with what was signed")
    func records() throws {
        let days = try Days(seed: 7, days: 4)
        let retention = Retention(
            archiver: days.archiver,
            catalogue: days.catalogue,
            policy: Self.policy,
            recorder: PurgeRecorder(node: "here", policy: 3) { "signed: \($0.count)" }
        )
        let now = Timestamp(milliseconds: (Days.firstDay + 3) * Days.dayLength + 40_000_000)
        let applied = try retention.apply(now: now)
        let purges = try days.catalogue.purges()
        #expect(purges.count == 4)
        for purge in purges {
            let signed = try #require(purge.signed)
            #expect(signed.signature == "signed: \(signed.text.count)")
            #expect(signed.record.node == "here" && signed.record.policy == 3)
            #expect(signed.record.sightings == purge.sightings && signed.record.rule == purge.rule)
            #expect(signed.record.day?.hasPrefix("2024-10-") == true)
        }
        #expect(
            purges.reduce(0) { $0 + $1.contributions } == applied.reduce(0) { $0 + $1.contributions }
        )
    }

    @Test("a policy has a version, another one when it changes, and again when it changes back")
    func versions() throws {
        let folder = try TemporaryFolder()
        let catalogue = try Catalogue("\(folder.path)/catalogue.sqlite")
        let other = RetentionPolicy([RetentionRule(text: "other", keep: .months(1))])
        let versions = try [Self.policy, Self.policy, other, Self.policy].enumerated().map { place, policy in
            try catalogue.version(of: policy, at: Timestamp(milliseconds: Int64(place))).version
        }
        #expect(versions == [1, 1, 2, 3])
        #expect(try catalogue.policies().map(\.since.milliseconds) == [0, 2, 3])
        #expect(try catalogue.policies()[1].text == "other")
    }
}
