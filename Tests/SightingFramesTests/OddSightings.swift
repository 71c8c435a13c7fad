import ANPRModel
import Simulation
import TestSupport

/// Sightings as the rule makes them, and with anything about them changed.
enum OddSightings {
    /// Marks of one kind or another, among them those that came before.
    struct Marks {
        private var before: [VRM] = []

        mutating func next(_ random: inout SeededRandom) -> VRM {
            let vrm: VRM
            switch random.below(20) {
            case 0..<6 where !before.isEmpty:
                vrm = before[before.count - 1 - random.below(min(before.count, 20))]
            case 6..<10 where !before.isEmpty: vrm = random.one(of: before)
            case 10..<12:
                let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789").map(String.init)
                let text = (0..<random.within(1...12)).map { _ in random.one(of: letters) }.joined()
                vrm = VRM(text) ?? VRM(trusted: 0)
            default: vrm = VRM(RandomReads.mark(&random)) ?? VRM(trusted: 0)
            }
            before.append(vrm)
            return vrm
        }
    }

    /// So many sightings, with other marks of their vehicles.
    static func batch(_ random: inout SeededRandom, _ register: CameraRegister, count: Int) -> SightingBatch {
        var marks = Marks()
        var plain = SightingBatch()
        var time: Int64 = 1_790_000_000_000
        for _ in 0..<count {
            time +=
                random.chance(perMille: 5)
                ? Int64(random.within(-90_000_000...90_000_000)) : Int64(random.below(90))
            append(marks.next(&random), at: time, &random, register, to: &plain)
        }
        return withVariants(plain, &random)
    }

    private static func append(
        _ vrm: VRM,
        at first: Int64,
        _ random: inout SeededRandom,
        _ register: CameraRegister,
        to batch: inout SightingBatch
    ) {
        let site = random.below(register.sites.count)
        let all = register.cameras.indices.filter { Int(register.siteOfCamera[$0]) == site }
        let seen = all.filter { _ in random.chance(perMille: 500) }
        var parts = (seen.isEmpty ? [all[0]] : seen).map { camera in
            Contribution(
                camera: CameraIndex(camera),
                reads: UInt32(1 + random.below(random.one(of: [1, 3, 300]))),
                first: Timestamp(milliseconds: first + Int64(random.below(9000))),
                confidence: Int8(random.below(102)) - 1
            )
        }
        parts.sort { register.cameraOrder[Int($0.camera)] < register.cameraOrder[Int($1.camera)] }
        parts[random.below(parts.count)].first = Timestamp(milliseconds: first)
        let best = random.one(of: parts)
        let lastFirst = parts.map(\.first).max() ?? best.first
        let reads = parts.reduce(0) { $0 + $1.reads }
        var sighting = Sighting(
            vrm: vrm,
            first: Timestamp(milliseconds: first),
            last: lastFirst,
            captured: best.first,
            opened: Timestamp(milliseconds: first),
            camera: best.camera,
            reads: reads
        )
        if reads > UInt32(parts.count) {
            sighting.last = Timestamp(milliseconds: lastFirst.milliseconds + Int64(random.below(3)) * 700)
        }
        if best.reads > 1 {
            let span = sighting.last.milliseconds - best.first.milliseconds
            let after = random.one(of: [0, span, Int64(random.below(Int(span) + 1))])
            sighting.captured = Timestamp(milliseconds: best.first.milliseconds + after)
        }
        sighting.confidence = best.confidence
        let camera = register.cameras[Int(best.camera)]
        sighting.direction = camera.direction?.rawValue ?? 0
        sighting.lane = camera.lane.map { Int8($0) } ?? -1
        if random.chance(perMille: 300) { change(&sighting, &parts, &random) }
        if random.chance(perMille: 200) { changeRare(&sighting, &random) }
        batch.append(sighting)
        for part in parts { batch.append(part) }
    }

    private static func change(
        _ sighting: inout Sighting,
        _ parts: inout [Contribution],
        _ random: inout SeededRandom
    ) {
        let moment = Timestamp(milliseconds: sighting.first.milliseconds + Int64(random.within(-5000...5000)))
        switch random.below(8) {
        case 0: sighting.last = moment
        case 1: sighting.captured = moment
        case 2: sighting.reads = UInt32(random.below(5))
        case 3: sighting.confidence = 7
        case 4: parts[0].first = moment
        case 5: parts[0].reads = UInt32(random.below(2))
        case 6: parts.reverse()
        default: parts[parts.count - 1].confidence = -1
        }
    }

    private static func changeRare(_ sighting: inout Sighting, _ random: inout SeededRandom) {
        switch random.below(5) {
        case 0: sighting.speed = UInt16(random.below(65_536))
        case 1: sighting.direction = UInt8(random.below(11))
        case 2: sighting.lane = Int8(random.below(65)) - 1
        case 3:
            sighting.opened = Timestamp(
                milliseconds: sighting.first.milliseconds - Int64(random.below(9_000_000))
            )
            sighting.revision = UInt16(random.below(65_536))
        default: sighting.isLate = true
        }
    }

    /// The same with other marks: beside them nearby or far off, in turn or not, unknown, merged.
    private static func withVariants(_ plain: SightingBatch, _ random: inout SeededRandom) -> SightingBatch {
        var others = [[SightingVariant]](repeating: [], count: plain.count)
        for row in 0..<plain.count where random.chance(perMille: 60) {
            let partner =
                random.chance(perMille: 600) ? row + 1 + random.below(20) : random.below(plain.count)
            guard partner < plain.count, partner != row else { continue }
            for (one, other) in [(row, partner), (partner, row)] {
                let sighting = plain.sightings[other]
                others[one].append(
                    .init(sighting: one, vrm: sighting.vrm, opened: sighting.opened, isMerged: false)
                )
                // Now and then only one of two names the other.
                if random.chance(perMille: 100) { break }
            }
            guard random.chance(perMille: 300), let vrm = VRM("ZZ\(row % 100)Z") else { continue }
            let opened = Timestamp(milliseconds: plain.sightings[row].first.milliseconds - 700)
            others[row].append(.init(sighting: row, vrm: vrm, opened: opened, isMerged: true))
        }
        var batch = SightingBatch()
        for row in 0..<plain.count {
            batch.append(row, of: plain)
            var last: SightingVariant?
            for other in others[row].sorted(by: { ($0.vrm, $0.opened) < ($1.vrm, $1.opened) }) {
                if other != last { batch.append(other.vrm, opened: other.opened, isMerged: other.isMerged) }
                last = other
            }
        }
        return batch
    }
}
