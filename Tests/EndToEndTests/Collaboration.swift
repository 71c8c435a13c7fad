import ANPRModel
import Compression
import FeedDecoding
import Foundation
import Simulation
import TestSupport

/// A simulated collaboration written to a folder as its users would have it.
struct Collaboration {
    /// A gateway: its name, its configuration and its feeds.
    struct Gateway {
        var node: String
        var config: String
        var data: String
        var feeds: [String]
        var forces: [String]
    }

    let scratch: Scratch
    let cameras: String
    let gateways: [Gateway]
    let archive: ArchiveProcess

    /// Writes feeds and configurations, and starts the archive.
    init(_ profileName: String, reads: Int, seed: UInt64, garbagePerMille: Int = 2) throws {
        scratch = try Scratch()
        let profile = SimulationProfile.all.first { $0.name == profileName } ?? SimulationProfile.all[0]
        let simulated = SimulatedFeeds(profile, reads: reads, seed: seed, garbagePerMille: garbagePerMille)
        cameras = scratch.path + "/cameras.csv"
        try Data(SimulatedFiles.register(simulated.cameras)).write(to: URL(fileURLWithPath: cameras))
        var files: [String] = []
        for (index, member) in profile.members.enumerated() {
            let bytes = simulated.feeds[index]
            let packed = member.isGzip ? try Deflater.pack(bytes, wrapper: .gzip) : bytes
            files.append("\(scratch.path)/\(member.fileName)")
            try Data(packed).write(to: URL(fileURLWithPath: files[index]))
        }
        let all = Array(profile.members.indices)
        let groups = profile.hasGatewayEach ? all.map { [$0] } : [all]
        let names = groups.map { profile.hasGatewayEach ? profile.members[$0[0]].slug : profile.name }
        let codes = groups.map { $0.map { profile.members[$0].code } }
        archive = try ArchiveProcess(
            scratch,
            gateways: Array(zip(names, codes)).map { (node: $0, forces: $1) }
        )
        var gateways: [Gateway] = []
        for (place, members) in groups.enumerated() {
            let data = "\(scratch.path)/\(names[place])"
            let forces = codes[place].map { "  - { code: \"\($0)\" }" }.joined(separator: "\n")
            let feeds = members.map { member in
                """
                  - name: \(profile.members[member].slug)
                    force: "\(profile.members[member].code)"
                    path: \(files[member])
                """
            }
            let config = try scratch.write(
                """
                node: \(names[place])
                data: \(data)
                forces:
                \(forces)
                cameras: \(cameras)
                feeds:
                \(feeds.joined(separator: "\n"))
                forward:
                  - to: 127.0.0.1:\(archive.port)
                """,
                "\(names[place]).yaml"
            )
            gateways.append(
                Gateway(
                    node: names[place],
                    config: config,
                    data: data,
                    feeds: members.map { files[$0] },
                    forces: codes[place]
                )
            )
        }
        self.gateways = gateways
    }

    /// What the gateway's feeds are by the reference model, with complete knowledge.
    func expected(_ gateway: Gateway, window: Int64 = 10_000) throws -> [PlainSighting] {
        let register = CameraRegister(
            try CameraRegisterFile.cameras(Array(Data(contentsOf: URL(fileURLWithPath: cameras))))
        )
        var reads: [PlainRead] = []
        for feed in gateway.feeds {
            var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: feed)))
            if feed.hasSuffix(".gz") { bytes = try Self.unpacked(bytes) }
            let format: FeedFormat = feed.contains(".csv") ? .csv : .ndjson
            var decoder = FeedDecoder(format: format, register: register, rules: FeedRules())
            var buffer = FeedBuffer(capacity: bytes.count)
            buffer.append(bytes)
            var batch = DecodedBatch()
            decoder.decode(&buffer, isFinal: true, into: &batch)
            reads += batch.reads.map { PlainRead($0, in: register) }
        }
        return ReferenceModel(.init(window: window)).answer(reads).sightings
    }

    private static func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
        let inflater = try Inflater(.gzip)
        inflater.feed(bytes)
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try unsafe piece.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
            if count == 0 { return result }
            result += piece[0..<count]
        }
    }

    /// Everything in a data folder, as `anpr query` gives it, in order of output.
    static func stored(_ data: String) throws -> [PlainSighting] {
        let found = try Program.succeed([
            "query", "--from", "2000-01-01", "--reason", "comparing with the reference model", "--format",
            "ndjson",
            "--data", data,
        ])
        let decoder = JSONDecoder()
        return try found.lines.map { try decoder.decode(SightingLine.self, from: Data($0.utf8)).plain }
            .sorted { ($0.first, $0.vrm, $0.site) < ($1.first, $1.vrm, $1.site) }
    }
}

/// A sighting's line of NDJSON.
struct SightingLine: Decodable {
    struct Part: Decodable {
        var force: String
        var camera: String
        var reads: Int
        var first: String
        var confidence: Int?
    }

    var vrm: String
    var site: String
    var first: String
    var last: String
    var captured: String
    var force: String
    var camera: String
    var confidence: Int?
    var direction: String?
    var lane: Int?
    var speed: Double?
    var reads: Int
    var contributions: [Part]

    /// The line's content, without what tells of its history.
    var plain: PlainSighting {
        var best = PlainRead(
            vrm: vrm,
            force: force,
            camera: camera,
            site: site,
            captured: Self.time(captured)
        )
        best.confidence = confidence
        best.direction = direction
        best.lane = lane
        best.speed = speed.map { Int(($0 * 10).rounded()) }
        return PlainSighting(
            best: best,
            first: Self.time(first),
            last: Self.time(last),
            reads: reads,
            parts: contributions.map { part in
                .init(
                    force: part.force,
                    camera: part.camera,
                    reads: part.reads,
                    first: Self.time(part.first),
                    confidence: part.confidence
                )
            }
        )
    }

    private static func time(_ text: String) -> Int64 {
        guard case .moment(let time) = TimestampReader.read(text) else { return .min }
        return time.milliseconds
    }
}
