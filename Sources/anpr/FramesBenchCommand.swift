import ANPRModel
import ArgumentParser
import Compression
import Bandwidth
import Deduplication
import FeedDecoding
import Foundation
import Gateway

/// `anpr bench frames`: what a sighting takes on the wire and at rest, beside other ways to write it down.
struct FramesBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frames",
        abstract: "Measure bytes a sighting and the speed of packing, in frames of several sizes.",
        discussion: """
            Reads feeds as `anpr dedup` does, then packs all sightings: in frames that build on each other, as on a link \
            (each with a mark and the framing of its message), and in frames that stand alone, as at rest. What comes out \
            is unpacked and compared. The bound is the entropy of the columns taken as independent.
            """
    )

    @Option(help: "The camera register (CSV).")
    var cameras: String

    @Option(help: "How far out of order a feed may be without any effect.")
    var lateness = DurationArgument(milliseconds: 120_000)

    @Option(help: "How often to measure; the median counts.")
    var rounds: Int = 5

    @Option(name: .customLong("size"), help: "How many sightings a frame has; may be given several times.")
    var sizes: [Int] = [10, 100, 1000, 10_000]

    @Option(help: "text or json.")
    var format: BenchFormat = .text

    @Argument(help: "Files, directories, or - for standard input.")
    var feeds: [String]

    func validate() throws {
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds takes 1 to 100.") }
        guard sizes.allSatisfy((1...FrameSizes.sizeMax).contains) else {
            throw ValidationError("--size takes 1 to \(FrameSizes.sizeMax).")
        }
    }

    func run() throws {
        let register = try CommandInput.register(cameras)
        var all = SightingBatch()
        var text = ByteWriter(capacity: 1 << 20)
        var pieces: [UInt8] = []
        let rules = DeduplicationRules(lateness: lateness.milliseconds, variants: .off)
        let files = try CommandInput.files(feeds).map { path in
            try CommandInput.unusable {
                try FeedFile(
                    path: path,
                    name: FeedFileName(path).stem,
                    format: nil,
                    register: register,
                    rules: FeedRules()
                )
            }
        }
        var dedup = StreamDedup(register: register, rules: rules, files: files)
        let summary = try dedup.run { writer, batch in
            for index in 0..<batch.count {
                writer.append(index, of: batch, to: &text)
                if text.count > 100_000 { pieces += text.take() }
            }
            all.append(contentsOf: batch)
        }
        pieces += text.take()
        guard all.count > 0 else {
            Console.note("there are no sightings in these feeds")
            throw CommandInput.unusableInput
        }
        var report = FramesReport(
            reads: Int(summary.counts.accepted),
            sightings: all.count,
            ndjson: pieces.count
        )
        let packed = try Deflater.pack(pieces, level: 6, wrapper: .gzip)
        report.gzip = packed.count
        report.gunzip = try Self.secondsToUnpack(packed, rounds)
        let bound = EntropyBound(all, register)
        for size in sizes {
            let sizes = try FrameSizes(all, register, size: size, rounds: rounds)
            report.rows.append(FramesReport.Row(sizes: sizes, bound: bound.bytes(frame: size)))
        }
        try Console.output(format == .json ? try report.json() : report.text)
    }

    /// Seconds that zlib takes to unpack a gzip, the median of the rounds: says what the machine does at the time.
    private static func secondsToUnpack(_ gzip: [UInt8], _ rounds: Int) throws -> Double {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let times = try (0..<rounds).map { _ in
            let inflater = try Inflater(.gzip)
            let duration = try ContinuousClock().measure {
                inflater.feed(gzip)
                while !inflater.isFinished {
                    _ = try unsafe piece.withUnsafeMutableBytes { try unsafe inflater.read(into: $0) }
                }
            }
            return duration / .seconds(1)
        }
        return times.sorted()[rounds / 2]
    }
}

/// What `anpr bench frames` says.
struct FramesReport {
    struct Row {
        var sizes: FrameSizes
        var bound: Double
    }

    var reads: Int
    var sightings: Int
    var ndjson: Int
    var gzip = 0
    /// Seconds to unpack that.
    var gunzip = 0.0
    var rows: [Row] = []

    private func perSighting(_ bytes: Int) -> Double { Double(bytes) / Double(sightings) }

    /// For people.
    var text: String {
        var text = """
            \(NumberText.grouped(reads)) reads, \(NumberText.grouped(sightings)) sightings; bytes a sighting and M sightings/s on one core

              frames of    bound     link  /bound   at rest  /bound     pack  unpack   at rest: pack  unpack

            """
        for row in rows {
            let link = perSighting(row.sizes.linkBytes)
            let rest = perSighting(row.sizes.restBytes)
            let rates = [
                row.sizes.linkPacking, row.sizes.linkUnpacking, row.sizes.restPacking,
                row.sizes.restUnpacking,
            ].map { Double(sightings) / $0 / 1e6 }
            let columns = [
                Self.cell(String(row.sizes.size), 11), Self.cell(row.bound, 9), Self.cell(link, 9),
                Self.cell(link / row.bound, 8), Self.cell(rest, 10), Self.cell(rest / row.bound, 8),
                Self.cell(rates[0], 9), Self.cell(rates[1], 8), Self.cell(rates[2], 16),
                Self.cell(rates[3], 8),
            ]
            text += columns.joined() + "\n"
        }
        text += """

            as NDJSON \(Self.cell(perSighting(ndjson), 0)), and that in one gzip \(Self.cell(perSighting(gzip), 0)), \
            which zlib unpacks at \(Self.cell(Double(sightings) / gunzip / 1e6, 0)) M/s

            """
        return text
    }

    private static func cell(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func cell(_ value: Double, _ width: Int) -> String {
        cell(String(format: "%.2f", value), width)
    }

    /// For machines.
    func json() throws -> String {
        let frames = rows.map { row in
            [
                "frame": Double(row.sizes.size), "bound": row.bound,
                "link": perSighting(row.sizes.linkBytes), "rest": perSighting(row.sizes.restBytes),
                "linkPackedPerSecond": Double(sightings) / row.sizes.linkPacking,
                "linkUnpackedPerSecond": Double(sightings) / row.sizes.linkUnpacking,
                "restPackedPerSecond": Double(sightings) / row.sizes.restPacking,
                "restUnpackedPerSecond": Double(sightings) / row.sizes.restUnpacking,
            ]
        }
        let all: [String: Any] = [
            "reads": reads, "sightings": sightings, "ndjson": perSighting(ndjson),
            "ndjsonGzip": perSighting(gzip), "ndjsonUnpackedPerSecond": Double(sightings) / gunzip,
            "frames": frames,
        ]
        let data = try JSONSerialization.data(withJSONObject: all, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
