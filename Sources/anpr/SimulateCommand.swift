import ANPRModel
import ArgumentParser
import Compression
import FeedDecoding
import Foundation
import Simulation

/// `anpr simulate`: feeds like real ones, from a seed.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Write a collaboration's register, feeds and true passages, made from a seed with invented marks.",
        discussion: """
            Profiles: \(SimulationProfile.all.map(\.name).joined(separator: ", ")). The same profile, reads and seed \
            give the same files on every machine.
            """
    )

    @Option(help: "Which collaboration.")
    var profile: String

    @Option(help: "About how many reads to make, of all feeds together.")
    var reads: Int = 4000

    @Option(help: "Names the feeds.")
    var seed: UInt64 = 1

    @Option(help: "The folder to write to; made if it is not there.")
    var out: String

    @Option(help: "Bad records for each thousand good ones.")
    var garbagePerMille: Int = 1

    @Flag(help: "Write all feeds as plain NDJSON, whatever the profile says.")
    var ndjson = false

    func validate() throws {
        guard SimulationProfile.all.contains(where: { $0.name == profile }) else {
            let known = SimulationProfile.all.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no profile '\(profile)'; there are \(known).")
        }
        guard (1...50_000_000).contains(reads) else { throw ValidationError("--reads takes 1 to 50000000.") }
        guard (0...500).contains(garbagePerMille) else {
            throw ValidationError("--garbage-per-mille takes 0 to 500.")
        }
    }

    func run() throws {
        guard var profile = SimulationProfile.all.first(where: { $0.name == self.profile }) else { return }
        if ndjson {
            for index in profile.members.indices {
                profile.members[index].format = .ndjson
                profile.members[index].isGzip = false
            }
        }
        let simulated = SimulatedFeeds(profile, reads: reads, seed: seed, garbagePerMille: garbagePerMille)
        try FileManager.default.createDirectory(atPath: "\(out)/feeds", withIntermediateDirectories: true)
        try write(SimulatedFiles.register(simulated.cameras), "cameras.csv")
        for (index, member) in profile.members.enumerated() {
            let bytes = simulated.feeds[index]
            let isGzip = member.isGzip
            try write(
                isGzip ? try Deflater.pack(bytes, level: 9, wrapper: .gzip) : bytes,
                "feeds/\(member.fileName)"
            )
        }
        try write(
            try Deflater.pack(SimulatedFiles.truth(simulated.passages), level: 9, wrapper: .gzip),
            "truth.csv.gz"
        )
        for (name, text) in SimulatedFiles.configurations(profile) { try write(Array(text.utf8), name) }
        Console.note(
            """
            \(out): \(simulated.readCount) reads and \(simulated.garbageCount) bad records of \
            \(simulated.passages.count) passages, \(simulated.cameras.count) cameras, seed \(seed)
            """
        )
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(out)/\(name)"))
    }
}
