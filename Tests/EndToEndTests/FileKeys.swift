import Archive
import Foundation
import Testing

/// Holds the keys of files in a key ring against the files of a data folder.
enum FileKeys {
    private static let headLength = 26

    /// Fails unless each sealed file has its key, no key is left without a file, and nothing is on its way in or out.
    static func expectNoneAstray(_ data: String, _ what: String = "") throws {
        let ring = Set(
            try KeyRing(data: data).names().filter(\.isOfFile).map { [$0.day, Int32(bitPattern: $0.number)] }
        )
        var begun: Set<[Int32]> = []
        var closed: Set<[Int32]> = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: data) {
            // A ring that was being written is written over by the next.
            #expect(!name.hasSuffix(".tmp") || name.hasPrefix("keys/"), "\(what) \(name)")
            let bytes = [UInt8](FileManager.default.contents(atPath: "\(data)/\(name)") ?? Data())
            guard bytes.starts(with: Array("ANPRSEAL".utf8)), bytes.count >= headLength else { continue }
            let key = [12, 16].map { start in
                Int32(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
            }
            begun.insert(key)
            if bytes.count > headLength { closed.insert(key) }
        }
        #expect(ring.isSubset(of: begun), "\(what): keys without a file")
        #expect(closed.isSubset(of: ring), "\(what): files without a key")
    }
}
