import ANPRModel
import Compression
import Simulation
import SightingFrames
import TestSupport
import Testing

/// Pages give back what was packed, each by itself, and refuse what is no page.
struct PageTests {
    private static let register = SmallRegister.make(sites: 3, forces: ["45", "43"], camerasEach: 3)
    private static let dayLength: Int64 = 86_400_000

    /// Sightings of one day in the order of mark, first and camera.
    private static func batch(_ random: inout SeededRandom, count: Int) throws -> (SightingBatch, day: Int32)
    {
        let all = OddSightings.batch(&random, register, count: count)
        let days = Dictionary(grouping: all.sightings.indices) { all.sightings[$0].first.day }
        let (day, rows) = try #require(days.max { $0.value.count < $1.value.count })
        let order = rows.sorted { left, right in
            let (one, other) = (all.sightings[left], all.sightings[right])
            if one.vrm != other.vrm { return MarkKey(one.vrm) < MarkKey(other.vrm) }
            return (one.first, one.camera) < (other.first, other.camera)
        }
        return (all.reordered(order), day)
    }

    /// The runs of a batch that is in order, none longer than some rows.
    private static func runs(_ batch: SightingBatch, _ random: inout SeededRandom) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        let most = random.one(of: [1, 2, 3, 1000])
        for row in 0..<batch.count {
            if let last = runs.last, last.count < most,
                batch.sightings[last.lowerBound].vrm == batch.sightings[row].vrm
            {
                runs[runs.count - 1] = last.lowerBound..<row + 1
            } else {
                runs.append(row..<row + 1)
            }
        }
        return runs
    }

    private static func codebook(_ batch: SightingBatch, _ runs: [Range<Int>], _ day: Int32) -> Codebook {
        var counter = PageCounter(register: register, day: day)
        counter.add(batch, runs[...])
        return Codebook(counter.counts)
    }

    @Test(
        "a mark's key gives the mark back, and keys of the current shape are close together",
        arguments: [1, 2] as [UInt64]
    )
    func keys(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var marks = OddSightings.Marks()
        let texts = [
            "A", "Z", "0", "9", "ZZZZZZZZZZZZ", "000000000000", "AA00AAA", "ZZ99ZZZ", "AA00AA", "1A",
        ]
        let all = texts.compactMap { VRM($0) } + (0..<3000).map { _ in marks.next(&random) }
        for vrm in all { #expect(MarkKey(vrm).vrm == vrm, "seed \(seed)") }
        let current = all.filter { MarkKey($0) < MarkKey.firstOther }
        #expect(current.count > 1000)
        #expect(current.sorted { MarkKey($0) < MarkKey($1) } == current.sorted())
        let others = all.filter { MarkKey($0) >= MarkKey.firstOther }
        #expect(
            others.sorted { MarkKey($0) < MarkKey($1) }
                == others.sorted { ($0.text.count, $0) < ($1.text.count, $1) }
        )
        #expect(MarkKey(value: .max).vrm == nil && MarkKey(value: 26 * 26 * 100 * 26 * 26 * 26).vrm == nil)
    }

    @Test("sightings come back from a page, all or none", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func rows(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (batch, day) = try Self.batch(&random, count: 900)
        let all = Self.runs(batch, &random)
        let codebook = Self.codebook(batch, all, day)
        var packer = PagePacker(register: Self.register, day: day, codebook: codebook)
        var unpacker = PageUnpacker(register: Self.register, codebook: codebook)
        for _ in 0..<20 {
            let start = random.below(all.count)
            let runs = all[start..<random.within(start + 1...all.count)]
            let range = runs[runs.startIndex].lowerBound..<runs[runs.endIndex - 1].upperBound
            let bytes = packer.pack(batch, runs)
            // Who does not know all marks may put others in their place.
            let known = runs.map { random.chance(perMille: 700) ? batch.sightings[$0.lowerBound].vrm : nil }
            let marks = known.map { $0 ?? batch.sightings[0].vrm }
            var found = SightingBatch()
            try unpacker.rows(
                bytes,
                marks: runs.count,
                day: day,
                where: { _ in false },
                vrms: { marks },
                into: &found
            )
            #expect(found.isEmpty)
            var asked: [PageMoments] = []
            try unpacker.rows(
                bytes,
                marks: runs.count,
                day: day,
                where: {
                    asked.append($0)
                    return true
                },
                vrms: { marks },
                into: &found
            )
            var expected = batch.reordered(Array(range))
            for (run, mark) in zip(runs, marks) {
                for row in run { expected.update(row - range.lowerBound) { $0.vrm = mark } }
            }
            #expect(found.sightings == expected.sightings && found.contributions == expected.contributions)
            #expect(found.variants == expected.variants)
            #expect(asked.map(\.times) == [expected.sightings.map(\.first)])
            #expect(asked.map(\.cameras) == [expected.sightings.map(\.camera)])
            #expect(asked[0].counts == runs.map(\.count))
        }
    }

    @Test(
        "marks and where their runs stand come back from a page of an index",
        arguments: [1, 2, 3] as [UInt64]
    )
    func indexPages(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            var marks = OddSightings.Marks()
            let keys = Set((0..<random.within(1...700)).map { _ in MarkKey(marks.next(&random)) }).sorted()
            let partCount = random.one(of: [1, 2, 5, 43, 1000])
            let starts = (0..<partCount).map { _ in random.below(100_000) }
            var page = IndexPage(starts: starts)
            var plain: [(key: UInt64, part: Int, number: Int)] = []
            var next = starts
            for key in keys {
                for part in (0..<random.within(1...3)).map({ _ in random.below(partCount) }).sorted() {
                    page.append(key.value, part: part)
                    plain.append((key.value, part, next[part]))
                    next[part] += 1
                }
            }
            var counts = ByteCounts(kinds: IndexPage.kinds)
            page.count(in: &counts)
            let codebook = Codebook(counts)
            var packer = EntropyPacker(codebook)
            let expected = starts.map { max(0, $0 + random.below(600) - 300) }
            let bytes = page.encoded(expected: expected, &packer)
            var unpacker = EntropyUnpacker(codebook)
            #expect(try IndexPage(bytes, first: keys[0], expected: expected, &unpacker) == page)
            #expect(try IndexPage.marks(bytes, first: keys[0], expected: expected).keys == keys.map(\.value))
            #expect(try IndexPage.starts(bytes, expected: expected) == starts)
            #expect(page.count == plain.count)
            var found: [(key: UInt64, part: Int, number: Int)] = []
            page.forEachRun { found.append((page.keys[$0], $1, $2)) }
            #expect(found.elementsEqual(plain, by: ==))
            let place = random.below(keys.count)
            let own = plain.filter { $0.key == keys[place].value }
            let told = try IndexPage.marks(bytes, first: keys[0], expected: expected)
            let runs = try IndexPage.runs(of: place, told, bytes, &unpacker)
            #expect(runs.elementsEqual(own) { $0.part == $1.part && $0.number == $1.number })
        }
    }

    @Test(
        "an injured page of an index is refused or is one, never more than it has room for",
        arguments: [1, 2] as [UInt64]
    )
    func injuredIndexPages(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var page = IndexPage(starts: [5, 0, 900])
        for key in 0..<300 { page.append(UInt64(key * 7), part: random.below(3)) }
        var counts = ByteCounts(kinds: IndexPage.kinds)
        page.count(in: &counts)
        var packer = EntropyPacker(Codebook(counts))
        let good = page.encoded(expected: [0, 0, 1000], &packer)
        var unpacker = EntropyUnpacker(Codebook(counts))
        for _ in 0..<500 {
            var bad = good
            for _ in 0...random.below(3) { bad[random.below(bad.count)] ^= 1 << UInt8(random.below(8)) }
            if random.chance(perMille: 200) { bad.removeLast(random.below(bad.count)) }
            do throws(FrameFault) {
                let found = try IndexPage(bad, first: MarkKey(value: 0), expected: [0, 0, 1000], &unpacker)
                #expect(found.count <= IndexPage.countMax)
                found.forEachRun { place, part, number in
                    #expect(place < found.keys.count && part < 3 && number >= 0)
                }
                let marks = try IndexPage.marks(bad, first: MarkKey(value: 0), expected: [0, 0, 1000])
                let place = random.below(marks.keys.count)
                var own: [[Int]] = []
                found.forEachRun { if $0 == place { own.append([$1, $2]) } }
                let runs = try IndexPage.runs(of: place, marks, bad, &unpacker)
                #expect(runs.map { [$0.part, $0.number] } == own)
            } catch { #expect(error != .unknownCamera) }
        }
    }

    @Test(
        "injured pages are refused or give sightings that are whole, never more than they have room for",
        arguments: [1, 2, 3] as [UInt64]
    )
    func injuries(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (batch, day) = try Self.batch(&random, count: 300)
        let runs = Self.runs(batch, &random)
        let codebook = Self.codebook(batch, runs, day)
        var packer = PagePacker(register: Self.register, day: day, codebook: codebook)
        let good = packer.pack(batch, runs[...])
        let marks = runs.map { batch.sightings[$0.lowerBound].vrm }
        var unpacker = PageUnpacker(register: Self.register, codebook: codebook)
        for _ in 0..<400 {
            var bad = good
            for _ in 0...random.below(3) { bad[random.below(bad.count)] ^= 1 << UInt8(random.below(8)) }
            if random.chance(perMille: 200) { bad.removeLast(random.below(bad.count)) }
            var found = SightingBatch()
            let asked = random.chance(perMille: 900) ? marks : marks.dropLast(random.below(3)) + [marks[0]]
            do {
                try unpacker.rows(
                    bad,
                    marks: asked.count,
                    day: day,
                    where: { _ in true },
                    vrms: { asked },
                    into: &found
                )
                #expect(found.count <= FrameEncoder.countMax)
            } catch {
                #expect(error is FrameFault || error is CompressionError)
                #expect(found.isEmpty)
            }
        }
    }

    @Test("an index of pages comes back and finds the pages of a range", arguments: [1, 2, 3] as [UInt64])
    func index(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            let partCount = random.within(1...6)
            var index = PageIndex(partCount: partCount)
            var first: UInt64 = 0
            var lengths: [(Int, [Int])] = []
            for _ in 0..<random.below(80) {
                first += UInt64(random.below(random.one(of: [2, 1000])))
                lengths.append(
                    (random.below(3000), (0..<partCount).map { _ in random.below(2) * random.below(9000) })
                )
                index.append(
                    first: MarkKey(value: first),
                    marks: lengths[lengths.count - 1].0,
                    rows: lengths[lengths.count - 1].1
                )
            }
            let found = try PageIndex(index.encoded, partCount: partCount)
            #expect(found == index && found.count == lengths.count)
            for (page, length) in lengths.enumerated() {
                #expect(found.marks(of: page).count == length.0)
                #expect((0..<partCount).map { found.rows(of: page, part: $0).count } == length.1)
            }
            #expect(found.rowsLength == lengths.reduce(0) { $0 + $1.1.reduce(0, +) })
            let low = UInt64(random.below(Int(first) + 5))
            let range = MarkKey(value: low)...MarkKey(value: low + UInt64(random.below(2000)))
            // A page reaches to where the next one begins.
            let expected = index.firsts.indices.filter { page in
                let end = page + 1 < index.count ? index.firsts[page + 1] : MarkKey(value: .max)
                return index.firsts[page] <= range.upperBound && end >= range.lowerBound
            }
            #expect(Set(expected).isSubset(of: Set(found.pages(range))))
            #expect(found.pages(range).count <= expected.count + 1)
        }
    }
}
