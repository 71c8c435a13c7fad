import ANPRModel
import Gateway
import Simulation
import Testing

/// Clocks that are off, told from when reads arrive.
@Suite
struct CameraClocksTests {
    private static let start = Timestamp(milliseconds: 1_795_000_000_000)

    /// Reads of cameras whose clocks are off, a minute long, with a delay and more of it now and then.
    private static func run(
        _ ahead: [Int64],
        delay: Int64,
        arrivesAtOnce: Bool = true,
        from begin: Int64 = 0,
        into clocks: inout CameraClocks,
        seed: UInt64 = 1
    ) throws {
        var random = SeededRandom(seed: seed)
        let vrm = try #require(VRM("AB27CDE"))
        for step in 0..<60 {
            let now = Timestamp(milliseconds: start.milliseconds + begin + Int64(step) * 1000)
            let reads = ahead.enumerated().map { camera, ahead in
                let late = delay + Int64(random.below(random.below(5) == 0 ? 60_000 : 400))
                let captured = now.milliseconds - late + ahead
                return Read(
                    vrm: vrm,
                    captured: Timestamp(milliseconds: captured),
                    camera: CameraIndex(camera)
                )
            }
            clocks.note(reads, received: now)
        }
    }

    @Test(
        "the cameras whose clocks are off, and by how much, whatever the way takes",
        arguments: [50, 3000, 120_000] as [Int64]
    )
    func offsets(delay: Int64) throws {
        var clocks = CameraClocks(arrivesAtOnce: true)
        try Self.run([0, 0, 5000, -9000, 0, 1500, -1500], delay: delay, into: &clocks)
        let offsets = clocks.offsets()
        #expect(offsets.map(\.camera) == [3, 2])
        #expect(abs(offsets[0].ahead + 9000) < 500 && abs(offsets[1].ahead - 5000) < 500)
    }

    @Test("a camera alone is held against the clock only where reads come at once")
    func alone() throws {
        var live = CameraClocks(arrivesAtOnce: true)
        try Self.run([-4000], delay: 50, into: &live)
        #expect(live.offsets().map(\.camera) == [0])
        var gathered = CameraClocks(arrivesAtOnce: false)
        try Self.run([-4000], delay: 50, into: &gathered)
        #expect(gathered.offsets().isEmpty)
    }

    @Test("a clock that was set right is forgiven within two spans; silence says nothing; few reads neither")
    func time() throws {
        var clocks = CameraClocks(arrivesAtOnce: true)
        try Self.run([0, 0, 7000], delay: 100, into: &clocks)
        #expect(clocks.offsets().map(\.camera) == [2])
        for span in 1...3 {
            try Self.run([0, 0, 0], delay: 100, from: Int64(span) * CameraClocks.span, into: &clocks)
        }
        #expect(clocks.offsets().isEmpty)
        #expect(CameraClocks(arrivesAtOnce: true).offsets().isEmpty)
        var few = CameraClocks(arrivesAtOnce: true)
        let vrm = try #require(VRM("AB27CDE"))
        let read = Read(vrm: vrm, captured: Timestamp(milliseconds: 0), camera: 0)
        few.note([read, read], received: Self.start)
        #expect(few.offsets().isEmpty)
    }
}
