import ANPRModel
import Deduplication
import TestSupport
import Testing

@Suite("Late reads")
struct LateReadTests {
    /// What happens, in order of arrival.
    enum Step: Sendable {
        /// A read of the mark under test; cameras 0 and 1 are of force 45, 2 and 3 of 43, all at one site.
        case read(Int64, by: CameraIndex = 3, confidence: Int8 = -1)
        /// A read of another mark, that moves the watermark to its time.
        case tick(Int64)
    }

    /// The newest form of a sighting of the mark under test.
    struct Left: Equatable, Sendable {
        var first: Int64
        var last: Int64
        var reads = 1
        var best: Int64?
        var confidence: Int?
        var revision = 0
        var isLate = false
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var cause: String
        var steps: [Step]
        var left: [Left]
        var redelivered: UInt64 = 0
        var gap: Int64?
        var reconcile: Int64 = 86_400_000
        var testDescription: String { cause }
    }

    static let joining: [Case] = [
        Case(
            cause: "joins the closed sighting it fits",
            steps: [.read(0), .read(2000), .tick(60_000), .read(1000, by: 2)],
            left: [Left(first: 0, last: 2000, reads: 3, revision: 1)]
        ),
        Case(
            cause: "lies before the first, and the id stays",
            steps: [.read(5000), .tick(60_000), .read(1000)],
            left: [Left(first: 1000, last: 5000, reads: 2, best: 1000, revision: 1)]
        ),
        Case(
            cause: "lies at the very end of the window",
            steps: [.read(0), .tick(60_000), .read(10_000)],
            left: [Left(first: 0, last: 10_000, reads: 2, revision: 1)]
        ),
        Case(
            cause: "is the better best read",
            steps: [.read(0, confidence: 50), .tick(60_000), .read(1000, by: 0, confidence: 90)],
            left: [Left(first: 0, last: 1000, reads: 2, best: 1000, confidence: 90, revision: 1)]
        ),
        Case(
            cause: "is not the better best read",
            steps: [.read(0, confidence: 90), .tick(60_000), .read(1000, confidence: 90)],
            left: [Left(first: 0, last: 1000, reads: 2, confidence: 90, revision: 1)]
        ),
        Case(
            cause: "fits two, and joins the earlier",
            steps: [.read(0), .read(12_000), .tick(60_000), .read(8000)],
            left: [Left(first: 0, last: 8000, reads: 2, revision: 1), Left(first: 12_000, last: 12_000)]
        ),
        Case(
            cause: "fits the second only",
            steps: [.read(0), .read(12_000), .tick(60_000), .read(11_000)],
            left: [
                Left(first: 0, last: 0),
                Left(first: 11_000, last: 12_000, reads: 2, best: 11_000, revision: 1),
            ]
        ),
        Case(
            cause: "comes while its sighting is open, which is no amendment",
            steps: [.read(0), .tick(5000), .read(2000)],
            left: [Left(first: 0, last: 2000, reads: 2)]
        ),
        Case(
            cause: "lies before the first of an open sighting, whose id then follows it",
            steps: [.read(3000), .tick(5000), .read(1000)],
            left: [Left(first: 1000, last: 3000, reads: 2)]
        ),
        Case(
            cause: "joins one after another, each an amendment",
            steps: [.read(0), .tick(60_000), .read(1000), .read(2000), .read(3000, by: 1)],
            left: [Left(first: 0, last: 3000, reads: 4, revision: 3)]
        ),
        Case(
            cause: "lies at the edge of the horizon",
            steps: [.read(0), .tick(60_000), .read(1000)],
            left: [Left(first: 0, last: 1000, reads: 2, revision: 1)],
            reconcile: 60_000
        ),
        Case(
            cause: "fits an open sighting and a later one that was opened late, and joins the earlier",
            steps: [.read(100_000), .read(101_000), .tick(109_000), .read(105_000), .read(103_000)],
            left: [
                Left(first: 100_000, last: 103_000, reads: 3),
                Left(first: 105_000, last: 105_000, isLate: true),
            ],
            gap: 2000
        ),
    ]

    static let alone: [Case] = [
        Case(
            cause: "finds nothing of its mark and site",
            steps: [.tick(60_000), .read(0)],
            left: [Left(first: 0, last: 0, isLate: true)]
        ),
        Case(
            cause: "would make the whole span more than the window",
            steps: [.read(0), .read(9000), .tick(60_000), .read(-1001)],
            left: [Left(first: -1001, last: -1001, isLate: true), Left(first: 0, last: 9000, reads: 2)]
        ),
        Case(
            cause: "lies a millisecond behind the window",
            steps: [.read(0), .tick(60_000), .read(10_001)],
            left: [Left(first: 0, last: 0), Left(first: 10_001, last: 10_001, isLate: true)]
        ),
        Case(
            cause: "is followed by another of its passage",
            steps: [.tick(60_000), .read(0), .read(10_000), .read(-1)],
            left: [
                Left(first: -1, last: -1, isLate: true),
                Left(first: 0, last: 10_000, reads: 2, revision: 1, isLate: true),
            ]
        ),
        Case(
            cause: "lies beyond the horizon",
            steps: [.read(0), .tick(60_001), .read(1000)],
            left: [Left(first: 0, last: 0), Left(first: 1000, last: 1000, isLate: true)],
            reconcile: 60_000
        ),
        Case(
            cause: "lies further off than the gap",
            steps: [.read(0), .tick(60_000), .read(2001)],
            left: [Left(first: 0, last: 0), Left(first: 2001, last: 2001, isLate: true)],
            gap: 2000
        ),
    ]

    static let copies: [Case] = [
        Case(
            cause: "of a closed read counts as redelivered",
            steps: [.read(0, confidence: 50), .tick(60_000), .read(0, confidence: 50)],
            left: [Left(first: 0, last: 0, confidence: 50)],
            redelivered: 1
        ),
        Case(
            cause: "that is better amends",
            steps: [.read(0, confidence: 50), .tick(60_000), .read(0, confidence: 80)],
            left: [Left(first: 0, last: 0, confidence: 80, revision: 1)],
            redelivered: 1
        ),
        Case(
            cause: "that is worse changes nothing",
            steps: [.read(0, confidence: 50), .tick(60_000), .read(0, confidence: 49), .read(0)],
            left: [Left(first: 0, last: 0, confidence: 50)],
            redelivered: 2
        ),
        Case(
            cause: "that becomes the best read amends",
            steps: [
                .read(0, confidence: 50), .read(1000, by: 0, confidence: 60), .tick(60_000),
                .read(0, confidence: 60),
            ],
            left: [Left(first: 0, last: 1000, reads: 2, confidence: 60, revision: 1)],
            redelivered: 1
        ),
        Case(
            cause: "of a late read counts as redelivered",
            steps: [.tick(60_000), .read(0), .read(0)],
            left: [Left(first: 0, last: 0, isLate: true)],
            redelivered: 1
        ),
        Case(
            cause: "of a read that amended counts as redelivered",
            steps: [.read(5000), .tick(60_000), .read(1000), .read(1000), .read(5000)],
            left: [Left(first: 1000, last: 5000, reads: 2, best: 1000, revision: 1)],
            redelivered: 2
        ),
        Case(
            cause: "of a read in an open sighting counts as redelivered, the better one kept",
            steps: [
                .read(0, confidence: 50), .tick(5000), .read(0, confidence: 80), .read(0, confidence: 70),
            ],
            left: [Left(first: 0, last: 0, confidence: 80)],
            redelivered: 2
        ),
        Case(
            cause: "of a late read in an open sighting counts as redelivered",
            steps: [.read(0), .tick(5000), .read(2000), .read(1000), .read(2000), .read(1000), .read(0)],
            left: [Left(first: 0, last: 2000, reads: 3)],
            redelivered: 3
        ),
        Case(
            cause:
                "of a late read beyond the horizon counts as redelivered, for its sighting closed just now",
            steps: [.tick(60_000), .read(-90_000_000), .read(-90_000_000)],
            left: [Left(first: -90_000_000, last: -90_000_000, isLate: true)],
            redelivered: 1
        ),
    ]

    @Test("A late read amends the sighting it fits", arguments: joining)
    func joins(row: Case) { check(row) }

    @Test("A late read that fits none opens a sighting marked late", arguments: alone)
    func opens(row: Case) { check(row) }

    @Test("A late copy is a copy", arguments: copies)
    func isCopy(row: Case) { check(row) }

    private func check(_ row: Case) {
        let rules = DeduplicationRules(
            window: DeduplicationRules.Window(window: 10_000, gap: row.gap),
            lateness: 0,
            reconcile: row.reconcile
        )
        var run = EngineRun(SmallRegister.make(), rules)
        var reads: UInt64 = 0
        for step in row.steps {
            switch step {
            case .read(let time, let camera, let confidence):
                run.take([Read("AB27CDE", at: time, by: camera, confidence: confidence)])
                reads += 1
            case .tick(let time): run.take([Read("XY88ZZT", at: time, by: 4)])
            }
            #expect(run.counts.balances)
        }
        run.set(0, .ended)
        let (newest, faults) = run.newest
        let found = newest.filter { $0.vrm == "AB27CDE" }.sorted { $0.first < $1.first }.map { sighting in
            Left(
                first: sighting.first,
                last: sighting.last,
                reads: sighting.reads,
                best: sighting.best.captured == sighting.first ? nil : sighting.best.captured,
                confidence: sighting.best.confidence,
                revision: sighting.revision,
                isLate: sighting.isLate
            )
        }
        let expected = row.left.map { left in
            var left = left
            if left.best == left.first { left.best = nil }
            return left
        }
        #expect(difference(found, expected) == nil)
        #expect(faults == [])
        #expect(run.counts.redelivered == row.redelivered)
        #expect(
            newest.filter { $0.vrm == "AB27CDE" }.map(\.reads).reduce(0, +) == Int(reads - row.redelivered)
        )
    }
}
