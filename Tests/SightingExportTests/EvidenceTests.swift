import ANPRModel
import Access
import Archive
import Foundation
import SightingExport
import TestSupport
import Testing

/// Evidence is as it was written, or what is not is named.
struct EvidenceTests {
    private let folder: TemporaryFolder
    private let key: SigningKey
    private var pack: String { "\(folder.path)/pack" }

    init() throws {
        folder = try TemporaryFolder()
        key = try SigningKey(file: "\(folder.path)/keys/node.key")
    }

    private static func request(_ found: ResolvedSightings) -> EvidenceRequest {
        EvidenceRequest(
            actor: "analyst",
            at: "2026-01-05T10:00:00.000Z",
            reason: "a test of evidence",
            category: "serious",
            reference: nil,
            query: ["vrm": "AB27CDE", "fuzzy": "yes"],
            found: found.batch.count,
            approximate: found.approximate.count,
            audit: .init(sequence: 7, hash: String(repeating: "a", count: 64)),
            policy: .init(version: 2, since: "2026-01-01T00:00:00.000Z", rules: ["keep 12mo"]),
            holdsVersion: 3,
            program: .init(version: "1", sha256: nil)
        )
    }

    private func write(_ count: Int = 50) throws {
        let found = ParquetTests.sightings(count, seed: 5)
        try EvidencePack.write(found, Self.request(found), signedWith: key, to: pack)
    }

    private func faults(key: String? = nil) throws -> [String] {
        try EvidenceCheck(pack, key: key).faults.map(\.description)
    }

    private func change(_ name: String, _ body: (inout Data) -> Void) throws {
        let file = URL(fileURLWithPath: "\(pack)/\(name)")
        var data = try Data(contentsOf: file)
        body(&data)
        try data.write(to: file)
    }

    @Test(
        "a folder has all it should and nothing else, is good, and other programs say so",
        arguments: [0, 50]
    )
    func good(count: Int) throws {
        try write(count)
        let names = try FileManager.default.contentsOfDirectory(atPath: pack).sorted()
        let expected = [
            "SHA256SUMS", "SHA256SUMS.pub", "SHA256SUMS.sig", "request.json", "sightings.csv",
            "sightings.ndjson",
        ]
        #expect(names == expected)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["keys", "pack"]
        )
        let check = try EvidenceCheck(pack, key: key.publicKey)
        #expect(check.faults.isEmpty && check.count == 3 && check.signer == key.publicKey)
        #expect(try faults().isEmpty)
        let found = ParquetTests.sightings(count, seed: 5)
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(pack)/request.json"))
        #expect(try JSONDecoder().decode(EvidenceRequest.self, from: data) == Self.request(found))
        var lines: [UInt8] = []
        try SightingFormat.ndjson.write(found) { lines += $0 }
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(pack)/sightings.ndjson")) == Data(lines))
        let sums = try ChildProcess(
            "/bin/sh",
            ["-c", "cd \(pack) && sha256sum --status --strict -c SHA256SUMS"]
        )
        #expect(sums.wait() == 0)
        // What the documentation says to do without this program.
        let openssl = """
            base64 -d \(pack)/SHA256SUMS.sig > \(folder.path)/sig && openssl pkeyutl -verify -pubin \
            -inkey \(pack)/SHA256SUMS.pub -rawin -in \(pack)/SHA256SUMS -sigfile \(folder.path)/sig
            """
        if FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") {
            #expect(try ChildProcess("/bin/sh", ["-c", openssl]).wait() == 0)
        }
    }

    @Test("a folder that exists is refused and stays as it is")
    func existing() throws {
        try FileManager.default.createDirectory(atPath: pack, withIntermediateDirectories: true)
        #expect(throws: EvidencePack.Refusal.self) { try write() }
        #expect(try FileManager.default.contentsOfDirectory(atPath: pack).isEmpty)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["keys", "pack"]
        )
    }

    @Test("what can't be written whole leaves nothing")
    func failing() throws {
        try Data().write(to: URL(fileURLWithPath: "\(folder.path)/file"))
        let found = ParquetTests.sightings(3, seed: 5)
        #expect(throws: (any Error).self) {
            try EvidencePack.write(
                found,
                Self.request(found),
                signedWith: key,
                to: "\(folder.path)/file/pack"
            )
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["file", "keys"]
        )
    }

    /// An injury, the file it is done to, and what must be said of it.
    enum Injury: CaseIterable, Sendable {
        case alteredLines, alteredTable, alteredRequest, truncatedLines, truncatedTable, truncatedRequest
        case longerLines, emptyTable
        case removedLines, removedTable, removedRequest, removedSums, removedSignature, removedKey
        case alteredSums, alteredSignature, alteredKey, truncatedSums, truncatedSignature, truncatedKey
        case added, addedFolder, swappedFiles, swappedSums, sumLeftOut, sumTwice, sumElsewhere, linked

        var said: [String] {
            switch self {
            case .alteredLines, .truncatedLines, .longerLines, .linked: ["sightings.ndjson: altered"]
            case .alteredTable, .truncatedTable, .emptyTable: ["sightings.csv: altered"]
            case .alteredRequest, .truncatedRequest: ["request.json: altered"]
            case .removedLines: ["sightings.ndjson: missing"]
            case .removedTable: ["sightings.csv: missing"]
            case .removedRequest: ["request.json: missing"]
            case .removedSums: ["SHA256SUMS: missing"]
            case .removedSignature: ["SHA256SUMS.sig: missing"]
            case .removedKey: ["SHA256SUMS.pub: missing"]
            case .alteredSums: ["SHA256SUMS.sig: no signature of the sums", "request.json: altered"]
            case .truncatedSums: ["SHA256SUMS.sig: no signature of the sums", "SHA256SUMS: altered"]
            case .alteredSignature, .truncatedSignature: ["SHA256SUMS.sig: no signature of the sums"]
            case .alteredKey: ["SHA256SUMS.sig: no signature of the sums by the key beside it"]
            case .truncatedKey: ["SHA256SUMS.pub: altered"]
            case .added: ["more.txt: added"]
            case .addedFolder: ["more: added"]
            case .swappedFiles: ["request.json: altered", "sightings.csv: altered"]
            case .swappedSums:
                ["SHA256SUMS.sig: no sig", "request.json: altered", "sightings.csv: altered"]
            case .sumLeftOut: ["SHA256SUMS.sig: no signature", "request.json: it has no sum"]
            case .sumTwice, .sumElsewhere: ["SHA256SUMS.sig: no signature", "SHA256SUMS: altered"]
            }
        }
    }

    @Test("every injury is said, by file", arguments: Injury.allCases)
    func injuries(injury: Injury) throws {
        try write()
        try inflict(injury)
        let faults = try faults()
        for said in injury.said {
            #expect(faults.contains { $0.hasPrefix(said) }, "\(faults)")
        }
        #expect(faults.count >= injury.said.count)
        let isOfSums = injury.said.contains { $0.hasPrefix("SHA256SUMS") }
        if !isOfSums { #expect(faults.count == injury.said.count, "\(faults)") }
        #expect(try !self.faults(key: key.publicKey).isEmpty)
    }

    private func inflict(_ injury: Injury) throws {
        let flip = { (data: inout Data) in data[data.count / 3] ^= 1 }
        let cut = { (data: inout Data) in _ = data.removeLast() }
        let remove = { (name: String) in try FileManager.default.removeItem(atPath: "\(pack)/\(name)") }
        switch injury {
        case .alteredLines: try change("sightings.ndjson", flip)
        case .alteredTable: try change("sightings.csv", flip)
        case .alteredRequest: try change("request.json", flip)
        case .truncatedLines: try change("sightings.ndjson", cut)
        case .truncatedTable: try change("sightings.csv", cut)
        case .truncatedRequest: try change("request.json", cut)
        case .longerLines: try change("sightings.ndjson") { $0.append(0x0A) }
        case .emptyTable: try change("sightings.csv") { $0 = Data() }
        case .removedLines: try remove("sightings.ndjson")
        case .removedTable: try remove("sightings.csv")
        case .removedRequest: try remove("request.json")
        case .removedSums: try remove("SHA256SUMS")
        case .removedSignature: try remove("SHA256SUMS.sig")
        case .removedKey: try remove("SHA256SUMS.pub")
        case .alteredSums: try change("SHA256SUMS") { $0[3] ^= 1 }
        case .alteredSignature: try change("SHA256SUMS.sig") { $0[3] = $0[3] == 0x41 ? 0x42 : 0x41 }
        case .alteredKey: try change("SHA256SUMS.pub") { $0[50] = $0[50] == 0x41 ? 0x42 : 0x41 }
        case .truncatedSums: try change("SHA256SUMS", cut)
        case .truncatedSignature: try change("SHA256SUMS.sig", cut)
        case .truncatedKey: try change("SHA256SUMS.pub") { $0.removeLast(20) }
        case .added: try Data([1]).write(to: URL(fileURLWithPath: "\(pack)/more.txt"))
        case .addedFolder:
            try FileManager.default.createDirectory(
                atPath: "\(pack)/more",
                withIntermediateDirectories: false
            )
        case .swappedFiles:
            let names = ["request.json", "sightings.csv"].map { URL(fileURLWithPath: "\(pack)/\($0)") }
            let contents = try names.map { try Data(contentsOf: $0) }
            try contents[1].write(to: names[0])
            try contents[0].write(to: names[1])
        case .linked:
            try FileManager.default.moveItem(
                atPath: "\(pack)/sightings.ndjson",
                toPath: "\(folder.path)/elsewhere"
            )
            try FileManager.default.createSymbolicLink(
                atPath: "\(pack)/sightings.ndjson",
                withDestinationPath: "\(folder.path)/elsewhere"
            )
        case .swappedSums, .sumLeftOut, .sumTwice, .sumElsewhere:
            try change("SHA256SUMS") { data in
                var lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
                Self.inflict(injury, onSums: &lines)
                data = Data((lines.joined(separator: "\n") + "\n").utf8)
            }
        }
    }

    private static func inflict(_ injury: Injury, onSums lines: inout [String]) {
        switch injury {
        case .swappedSums:
            let sums = lines.map { String($0.prefix(64)) }
            lines[0] = sums[1] + lines[0].dropFirst(64)
            lines[1] = sums[0] + lines[1].dropFirst(64)
        case .sumLeftOut: lines.removeFirst()
        case .sumTwice: lines.append(lines[0])
        default: lines[0] = lines[0].prefix(66) + "../" + lines[0].dropFirst(66)
        }
    }

    @Test(
        "any one byte that is another is said to be altered",
        arguments: ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pub", "request.json", "sightings.csv"]
    )
    func everyByte(name: String) throws {
        try write(2)
        let file = URL(fileURLWithPath: "\(pack)/\(name)")
        let whole = try Data(contentsOf: file)
        for place in whole.indices {
            for bit in [1, 0x20] as [UInt8] {
                var injured = whole
                injured[place] ^= bit
                try injured.write(to: file)
                let faults = try faults()
                #expect(
                    faults.contains { $0.hasPrefix("SHA256SUMS") || $0 == "\(name): altered" },
                    "\(place)"
                )
            }
        }
        try whole.write(to: file)
        #expect(try faults().isEmpty)
    }

    @Test("what was altered and signed anew by another key is found out by the node's key alone")
    func signedAnew() throws {
        let found = ParquetTests.sightings(20, seed: 6)
        let other = try SigningKey(file: "\(folder.path)/keys/other.key")
        try EvidencePack.write(found, Self.request(found), signedWith: other, to: pack)
        #expect(try faults().isEmpty)
        #expect(
            try faults(key: key.publicKey) == [
                "SHA256SUMS.pub: another key than the one given",
                "SHA256SUMS.sig: no signature of the sums by the key given",
            ]
        )
        // With the node's key laid beside it, it is no better.
        let own = "\(folder.path)/own"
        try EvidencePack.write(found, Self.request(found), signedWith: key, to: own)
        try change("SHA256SUMS.pub") { data in
            data = (try? Data(contentsOf: URL(fileURLWithPath: "\(own)/SHA256SUMS.pub"))) ?? Data()
        }
        #expect(try faults() == ["SHA256SUMS.sig: no signature of the sums by the key beside it"])
    }
}
