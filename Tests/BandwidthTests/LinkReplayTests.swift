import ANPRModel
import Bandwidth
import Deduplication
import Foundation
import Simulation
import TestSupport
import Testing

/// What a replay says adds up, whatever the traffic.
struct LinkReplayTests {
    @Test("all that is counted adds up", arguments: [1, 2, 3] as [UInt64], VariantMode.allCases)
    func conservation(seed: UInt64, variants: VariantMode) throws {
        let outcome = try Replays.simulated(seed: seed) { $0.rules.variants = variants }
        let report = outcome.report
        let bytes = report.bytes
        #expect(
            bytes.sightings + bytes.amendments + bytes.register + bytes.marks + bytes.messages
                + bytes.transport
                == report.bytesTotal
        )
        #expect(outcome.minutes.reduce(0) { $0 + $1.bytes } == report.bytesTotal)
        #expect(outcome.minutes.reduce(0) { $0 + $1.left } == report.sightings + report.amendments)
        let reads = report.reads
        #expect(reads.received == reads.accepted + reads.rejected + reads.redelivered)
        #expect(reads.received == outcome.reads.reduce(0) { $0 + $1.reads.count })
        let kinds = report.duplicates
        #expect(kinds.redelivered == reads.redelivered)
        #expect(
            kinds.sameCamera + kinds.sameSite + kinds.acrossForces + kinds.late
                == reads.accepted - report.sightings
        )
        #expect(report.duplicates.acrossForces > 0 && report.frames > 0)
        for comparison in report.comparisons {
            #expect(comparison.reads == reads.accepted + reads.redelivered)
        }
        #expect(report.alone.forces == 5 && report.alone.sightings > report.sightings)
    }

    @Test(
        "sightings are those of the deduplicator given the same reads at once",
        arguments: [4, 5] as [UInt64]
    )
    func sameSightings(seed: UInt64) throws {
        let outcome = try Replays.simulated(seed: seed)
        var deduplicator = Deduplicator(register: outcome.register, rules: DeduplicationRules())
        var closed = SightingBatch()
        for (feed, reads) in outcome.reads { deduplicator.take(reads, from: feed, into: &closed) }
        for feed in 0..<5 { deduplicator.set(FeedIndex(feed), .ended, into: &closed) }
        #expect(closed.sightings.filter { $0.revision == 0 }.count == outcome.report.sightings)
        let counts = deduplicator.counts.reduce(into: FeedCounts()) { $0 += $1 }
        #expect(Int(counts.accepted) == outcome.report.reads.accepted)
        #expect(Int(counts.redelivered) == outcome.report.reads.redelivered)
    }

    @Test("the same traffic gives the same report")
    func deterministic() throws {
        let one = try Replays.simulated(seed: 6)
        let other = try Replays.simulated(seed: 6)
        #expect(one.report == other.report && one.minutes == other.minutes)
    }

    @Test(
        "a line with more traffic than it carries is full and never over its rate",
        arguments: [7, 8] as [UInt64]
    )
    func overloaded(seed: UInt64) throws {
        let outcome = try Replays.simulated(seed: seed, readsPerDay: 10_000_000, minutes: 8) {
            $0.bitsPerSecond = 9600
        }
        let report = outcome.report
        // Messages of little more than one packet leave a narrow line some of each second.
        #expect(report.use.busiestSecond <= 9600 && report.use.busiestSecond > 4800)
        for minute in outcome.minutes {
            #expect(minute.busiestSecond * 8 <= 9600)
            #expect(minute.bytes * 8 <= 9600 * 60)
        }
        #expect(outcome.minutes.reduce(0) { $0 + $1.bytes } == report.bytesTotal)
        #expect(report.use.mean <= 9600)
        #expect(report.wait.longestSeconds > 60 && report.capacity.growth < 1)
        #expect(report.catchUp.seconds == nil)
        let verdicts = BandwidthTargets().verdicts(on: report, replaySpeed: 1)
        #expect(verdicts.map(\.target) == ["waitMax"] && verdicts.allSatisfy { !$0.isMet })
    }

    @Test(
        "a line with room takes nothing longer than the delay and a frame's time",
        arguments: [0, 500, 5000] as [Int64]
    )
    func waits(delay: Int64) throws {
        let report = try Replays.simulated(seed: 9) { $0.delayMax = delay }.report
        #expect(report.wait.longestSeconds <= Double(delay) / 1000 + 1)
        #expect(report.wait.meanSeconds <= report.wait.longestSeconds)
        #expect(report.wait.mostSeconds <= report.wait.longestSeconds)
    }

    @Test("waiting longer for others takes fewer bytes; TLS takes more")
    func framesAndEncryption() throws {
        let short = try Replays.simulated(seed: 10) { $0.delayMax = 200 }.report
        let long = try Replays.simulated(seed: 10) { $0.delayMax = 5000 }.report
        let plain = try Replays.simulated(seed: 10) { $0.isEncrypted = false }.report
        let encrypted = try Replays.simulated(seed: 10).report
        #expect(long.bytesTotal < short.bytesTotal && long.frames < short.frames)
        #expect(plain.bytesTotal < encrypted.bytesTotal)
        #expect(plain.bytes.sightings == encrypted.bytes.sightings)
    }

    @Test("catching up is what waits over what the line has to spare")
    func catchUp() throws {
        let report = try Replays.simulated(seed: 11, readsPerDay: 3_000_000) { $0.bitsPerSecond = 19_200 }
            .report
        let seconds = try #require(report.catchUp.seconds)
        let spare = 2400 - Double(report.catchUp.bytes) / 3600
        #expect(abs(seconds - Double(report.catchUp.bytes) / spare) < 2)
        #expect(report.catchUp.outageSeconds == 3600)
    }
}

/// Each kind of duplicate by an example of its own.
struct DuplicateKindTests {
    /// Indexes of the small register's cameras at its first site: two of force 45, then two of 43, lanes 2 and 1.
    private static let register = SmallRegister.make()
    private static let base: Int64 = 1_794_808_800_000

    private static func read(_ vrm: String, _ offset: Int64, _ camera: CameraIndex) -> (at: Int64, read: Read)
    {
        (base + offset + 100, Read(vrm, at: base + offset, by: camera, confidence: 80))
    }

    @Test("one passage: a frame, a lane, a force, a copy")
    func kinds() throws {
        let report = try Replays.small(
            [
                Self.read("AB77CDE", 0, 2), Self.read("AB77CDE", 300, 2), Self.read("AB77CDE", 400, 3),
                Self.read("AB77CDE", 900, 0), Self.read("AB77CDE", 900, 0), Self.read("XY88ZZZ", 1000, 1),
            ],
            Self.register
        )
        let kinds = report.duplicates
        #expect(report.reads.received == 6 && report.reads.accepted == 5 && report.sightings == 2)
        #expect(kinds.redelivered == 1 && kinds.sameCamera == 1 && kinds.sameSite == 1)
        #expect(kinds.acrossForces == 1 && kinds.late == 0)
        // Alone, the two forces have a sighting each of the first vehicle.
        #expect(report.alone.sightings == 3 && report.alone.forces == 2)
    }

    @Test("a read that comes after its sighting has left amends it")
    func late() throws {
        let report = try Replays.small(
            [
                Self.read("AB77CDE", 0, 2), Self.read("XY88ZZZ", 200_000, 2),
                (Self.base + 201_000, Read("AB77CDE", at: Self.base + 500, by: 0, confidence: 80)),
            ],
            Self.register
        )
        #expect(report.duplicates.late == 1 && report.amendments == 1 && report.sightings == 2)
        #expect(report.reads.late == 1 && report.bytes.amendments > 0)
    }

    @Test("feeds without a good read give a report all the same")
    func nothing() throws {
        let report = try Replays.small([], Self.register)
        #expect(report.bytesTotal == 0 && report.sightings == 0 && report.traffic.from == nil)
        #expect(report.catchUp.seconds == 0)
    }

    @Test("other forms are as long as what would be sent")
    func forms() throws {
        let line =
            "{\"force\":\"43\",\"camera\":\"43-0-2\",\"vrm\":\"AB77CDE\",\"captured\":\"2026-11-16T06:00:00.000Z\",\"confidence\":80}\n"
        let capture =
            "<captures>s3cr3t|unit7|AB77CDE|43|0|2|2026-11-16T06:00:00.000Z|51.7000|-1.2000|||||80|true</captures>"
        let body =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:b=\"urn:bof2\"><soapenv:Body><b:sendCompoundCapture>\(capture)</b:sendCompoundCapture></soapenv:Body></soapenv:Envelope>"
        let request =
            "POST /bof2/services/inputcapturewebservice HTTP/1.1\r\nHost: bof.example.police.uk\r\nUser-Agent: reader/1.0\r\nContent-Type: text/xml; charset=utf-8\r\nSOAPAction: \"\"\r\nConnection: keep-alive\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let report = try Replays.small([Self.read("AB77CDE", 0, 2)], Self.register)
        let bytes = Dictionary(uniqueKeysWithValues: report.comparisons.map { ($0.form, $0.bytes) })
        // One packet and one record each.
        #expect(bytes["ndjson"] == line.utf8.count + 52 + 29)
        #expect(bytes["bof2Compact"] == request.utf8.count + 52 + 29)
        #expect(try #require(bytes["gzip"]) > 52 + 29)
    }
}
