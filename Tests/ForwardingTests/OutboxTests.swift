import ANPRModel
import Archive
import Deduplication
import Forwarding
import SightingFrames
import Simulation
import TestSupport
import Testing

/// What a log holds arrives at the other end of a connection, however it is cut, and only when it is due.
struct OutboxTests {
    private static let second: Int64 = 1_000_000_000

    /// A log of sightings whose register grows, in appends of random sizes.
    private struct Source {
        let scratch: TemporaryFolder
        let log: SightingLog
        let batch: SightingBatch
        let register: CameraRegister

        init(seed: UInt64) throws {
            var random = SeededRandom(seed: seed)
            let simulated = SimulatedFeeds(
                SimulationProfile.all[0],
                reads: 6000,
                seed: seed,
                garbagePerMille: 0
            )
            register = CameraRegister(simulated.cameras)
            let decoded = DecodedFeeds(simulated, register)
            var run = EngineRun(register, DeduplicationRules(lateness: 5000), feeds: decoded.reads.count)
            run.work(off: decoded.reads, batchMax: 100, &random)
            batch = run.output
            scratch = try TemporaryFolder()
            log = try SightingLog(scratch.path, keys: nil, partLengthMax: 8000)
            try fill(&random)
        }

        private func fill(_ random: inout SeededRandom) throws {
            var start = 0
            var entry: UInt64 = 0
            while start < batch.count {
                let end = min(start + 1 + random.below(700), batch.count)
                var part = SightingBatch()
                part.append(start..<end, of: batch)
                // As many cameras as these and those before need.
                let count = batch.contributions[..<batch.range(end - 1).upperBound].map { Int($0.camera) + 1 }
                let known = CameraRegister(restoring: Array(register.cameras[..<(count.max() ?? 1)]))
                entry += 1
                try log.append(
                    part,
                    mark: StreamMark(
                        journalEntry: entry,
                        closedThrough: Timestamp(milliseconds: Int64(entry) * 1000),
                        isEnd: end == batch.count
                    ),
                    register: known,
                    encoder: FrameEncoder(register: known),
                    frameCount: 1 + random.below(500),
                    isDurable: false
                )
                start = end
            }
        }

        /// Sends everything from where a receiver stands, as far as so many messages.
        func send(_ receiver: inout Receiver, bytesPerSecond: Int?, messages: Int) throws {
            let known = receiver.check.register
            let welcome = LinkWelcome(
                next: receiver.check.next,
                cameras: UInt32(known.count),
                checksum: RegisterBlock.checksum(known, first: known.count)
            )
            var outbox = Outbox(scratch.path, keys: nil, welcome, maxDelay: OutboxTests.second)
            var reader = LinkStreamReader(next: welcome.next)
            for _ in 0..<messages {
                guard
                    let message = try outbox.next(
                        log.extent,
                        at: 0,
                        bytesPerSecond: bytesPerSecond,
                        isFlushing: true
                    )
                else {
                    #expect(outbox.isEmpty(log.extent))
                    return
                }
                if let bytesPerSecond, case .sightings(let body) = message {
                    #expect(body.count < bytesPerSecond, "half a second's, or little more")
                }
                if case .cameras = message { receiver.cameraMessages += 1 }
                try receiver.take(try reader.blocks(of: message))
            }
        }
    }

    /// What has arrived.
    private struct Receiver {
        var check = StreamCheck()
        var sightings: [PlainSighting] = []
        var mark: StreamMark?
        var cameraMessages = 0

        mutating func take(_ blocks: [UInt8]) throws {
            for step in try check.take(blocks).steps {
                switch step {
                case .register: break
                case .sightings(let batch): sightings += PlainSighting.list(batch, in: check.register)
                case .mark(let mark): self.mark = mark
                }
            }
        }
    }

    @Test(
        "all arrives in order over any number of connections, on any line",
        arguments: [1, 2, 3] as [UInt64],
        [nil, 2000, 64_000]
    )
    func delivery(seed: UInt64, bytesPerSecond: Int?) throws {
        var random = SeededRandom(seed: seed)
        let source = try Source(seed: seed)
        var receiver = Receiver()
        while receiver.mark != source.log.extent.mark {
            try source.send(&receiver, bytesPerSecond: bytesPerSecond, messages: 1 + random.below(12))
        }
        let expected = PlainSighting.list(source.batch, in: source.register)
        #expect(difference(receiver.sightings, expected) == nil, "seed \(seed)")
    }

    @Test("cameras that the receiver knows are not told again, others that it took for them are")
    func cameras() throws {
        let source = try Source(seed: 4)
        var receiver = Receiver()
        try source.send(&receiver, bytesPerSecond: nil, messages: .max)
        #expect(receiver.mark?.isEnd == true)
        var again = receiver
        again.cameraMessages = 0
        try source.send(&again, bytesPerSecond: nil, messages: .max)
        #expect(again.cameraMessages == 0)
        // As after a register that was made anew under the same stream.
        let wrong = LinkWelcome(next: 0, cameras: 3, checksum: 12345)
        var outbox = Outbox(source.scratch.path, keys: nil, wrong, maxDelay: 0)
        let first = try outbox.next(source.log.extent, at: 0, bytesPerSecond: nil, isFlushing: true)
        guard case .cameras(let block)? = first else {
            Issue.record("cameras must be told first")
            return
        }
        var position = 0
        #expect(try Block.read(block, at: &position).sequence == 0)
    }

    @Test("after a quiet spell the first goes at once; then nothing for a while, unless a message is full")
    func due() throws {
        let scratch = try TemporaryFolder()
        let register = CameraRegister([Camera(force: "43", name: "43-1", site: "S1")])
        let log = try SightingLog(scratch.path, keys: nil)
        var made: Int64 = 0
        func append(_ count: Int) throws {
            var batch = SightingBatch()
            for _ in 0..<count {
                made += 1
                let time = Timestamp(milliseconds: made * 100)
                let vrm = try #require(VRM("AB27CDE"))
                batch.append(
                    Sighting(
                        vrm: vrm,
                        first: time,
                        last: time,
                        captured: time,
                        opened: time,
                        camera: 0,
                        reads: 1
                    )
                )
                batch.append(Contribution(camera: 0, reads: 1, first: time, confidence: -1))
            }
            let mark = StreamMark(journalEntry: UInt64(made), closedThrough: .earliest, isEnd: false)
            try log.append(
                batch,
                mark: mark,
                register: register,
                encoder: FrameEncoder(register: register),
                isDurable: false
            )
        }
        var outbox = Outbox(scratch.path, keys: nil, LinkWelcome(next: 0), maxDelay: Self.second)
        var reader = LinkStreamReader(next: 0)
        func sent(at now: Int64) throws -> Int {
            var count = 0
            while let message = try outbox.next(
                log.extent,
                at: now,
                bytesPerSecond: nil,
                isFlushing: false
            ) {
                var position = 0
                let blocks = try reader.blocks(of: message)
                while position < blocks.count {
                    let block = try Block.read(blocks, at: &position)
                    if block.kind == .frame { count += Int(block.count) }
                }
            }
            return count
        }
        #expect(try sent(at: 0) == 0)
        try append(1)
        #expect(try sent(at: 5 * Self.second) == 1)
        try append(3)
        #expect(try sent(at: 5 * Self.second + 1) == 0)
        try append(2)
        #expect(try sent(at: 6 * Self.second - 1) == 0)
        #expect(try sent(at: 6 * Self.second) == 5)
        try append(Outbox.countMax + 7)
        #expect(try sent(at: 6 * Self.second + 1) == Outbox.countMax)
        #expect(try sent(at: 7 * Self.second + 1) == 7)
    }

    @Test("what is no message of a stream, or is not whole, is refused with the byte it shows at")
    func faults() throws {
        let source = try Source(seed: 5)
        var messages: [LinkMessage] = []
        var outbox = Outbox(source.scratch.path, keys: nil, LinkWelcome(next: 0), maxDelay: 0)
        while let message = try outbox.next(
            source.log.extent,
            at: 0,
            bytesPerSecond: 2000,
            isFlushing: true
        ) {
            messages.append(message)
        }
        var writer = LinkStreamWriter()
        let markAlone = writer.message(SightingBatch(), 0..<0, source.log.extent.mark)
        var random = SeededRandom(seed: 5)
        let frames = messages.filter { if case .sightings = $0 { true } else { false } }
        for round in 0..<400 {
            // The first has no mark; one has nothing but that.
            guard case .sightings(let body) = round < 300 ? frames[0] : markAlone else { return }
            var hurt = body
            switch random.below(3) {
            case 0: hurt[random.below(hurt.count)] ^= UInt8(1 << random.below(8))
            case 1: hurt.removeLast(1 + random.below(hurt.count))
            default: hurt += (0...random.below(9)).map { _ in UInt8(random.below(256)) }
            }
            var reader = LinkStreamReader(next: 0)
            #expect(throws: LinkStreamReader.Fault.self) { try reader.blocks(of: .sightings(hurt)) }
        }
        var reader = LinkStreamReader(next: 0)
        #expect(throws: LinkStreamReader.Fault.self) { try reader.blocks(of: .heartbeat) }
        // One left out: the next does not follow.
        reader = LinkStreamReader(next: 0)
        #expect(throws: LinkStreamReader.Fault.self) { try reader.blocks(of: frames[1]) }
    }
}
