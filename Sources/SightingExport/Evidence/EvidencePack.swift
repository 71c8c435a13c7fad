public import Access
public import Archive
import Crypto
import Foundation

/// A folder with the whole answer to a request, by which anyone can tell later that it is as it was.
///
/// It has the sightings twice (`sightings.ndjson`, which has everything, and `sightings.csv`), `request.json`, the SHA-256 of
/// those three as `sha256sum -c` reads them, a signature of these sums by the node's key, and the key's public half. All but the
/// sightings' own words are ASCII.
public enum EvidencePack {
    /// The names of what is in the folder.
    public enum File {
        /// The sightings as everywhere in the engine.
        public static let sightings = "sightings.ndjson"
        /// The sightings for spreadsheets.
        public static let table = "sightings.csv"
        /// What was asked, by whom, why.
        public static let request = "request.json"
        /// The sums, a line each: 64 hexadecimal digits, two spaces, a name.
        public static let sums = "SHA256SUMS"
        /// The signature of the sums: Ed25519, 64 bytes in Base64.
        public static let signature = "SHA256SUMS.sig"
        /// The public key that tells it, as PEM.
        public static let key = "SHA256SUMS.pub"

        /// What the sums are of.
        static let summed = [request, table, sightings]
    }

    /// Why no folder was written.
    public struct Refusal: Error, CustomStringConvertible, Equatable {
        /// The folder, and what is wrong.
        public var description: String
    }

    /// Refuses a folder that exists.
    public static func demandNew(_ folder: String) throws(Refusal) {
        guard !DataFolder.exists(folder) else {
            throw Refusal(description: "\(folder): it exists; evidence is written to a folder of its own")
        }
    }

    /// Writes the folder.
    ///
    /// All of it is written and synced beside, under a name that begins with a dot, and gets its name last: what has the name is
    /// whole, after a loss of power too. What fails leaves nothing; a process that is killed leaves what it had under the other name.
    ///
    /// - Parameters:
    ///   - found: the whole answer.
    ///   - request: what it answers; its audit record must be on disk.
    ///   - key: the node's key.
    ///   - folder: where; the folder above it is made, too, where it is not there.
    /// - Throws: `Refusal` for a folder that exists; `StorageError` where it can't be written.
    public static func write(
        _ found: ResolvedSightings,
        _ request: EvidenceRequest,
        signedWith key: SigningKey,
        to folder: String
    ) throws {
        try demandNew(folder)
        let place = URL(fileURLWithPath: folder).standardizedFileURL
        let above = place.deletingLastPathComponent().path
        let beside =
            "\(above)/.\(place.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).partial"
        try DataFolder.make(beside)
        do {
            let sums = try [
                write(File.request, in: beside) { try $0(Array(try request.text().utf8)) },
                write(File.table, in: beside) { try SightingFormat.csv.write(found, to: $0) },
                write(File.sightings, in: beside) { try SightingFormat.ndjson.write(found, to: $0) },
            ].joined()
            for (name, text) in [
                (File.sums, sums), (File.signature, try key.sign(sums) + "\n"),
                (File.key, PublicKeyText.pem(key.publicKey)),
            ] {
                _ = try write(name, in: beside) { try $0(Array(text.utf8)) }
            }
            try DataFolder.sync(beside)
            // Whoever made the folder meanwhile keeps what is in it: the system gives the name of an empty one only.
            try DataFolder.rename(beside, to: place.path)
        } catch {
            try? FileManager.default.removeItem(atPath: beside)
            throw error
        }
        try DataFolder.sync(above)
    }

    /// Writes a file, synced.
    ///
    /// - Returns: its line among the sums.
    private static func write(
        _ name: String,
        in folder: String,
        _ body: (([UInt8]) throws -> Void) throws -> Void
    ) throws -> String {
        let file = try DataFile("\(folder)/\(name)", .replace)
        var (hash, length) = (SHA256(), 0)
        try body { bytes in
            try file.write(bytes, at: length)
            length += bytes.count
            hash.update(data: bytes)
        }
        try file.sync()
        return "\(FileDigest.text(hash.finalize()))  \(name)\n"
    }
}

/// A node's public key as other programs read it.
enum PublicKeyText {
    /// What stands before the 32 bytes of an Ed25519 key (RFC 8410), in Base64: twelve bytes, so that the key's own follows.
    private static let prefix = "MCowBQYDK2VwAyEA"
    private static let head = "-----BEGIN PUBLIC KEY-----"
    private static let foot = "-----END PUBLIC KEY-----"

    static func pem(_ key: String) -> String { "\(head)\n\(prefix)\(key)\n\(foot)\n" }

    /// The key in Base64; `nil` for a text of any other form.
    static func key(pem text: String) -> String? {
        let lines = text.split(separator: "\n")
        guard lines.count == 3, lines[1].hasPrefix(prefix) else { return nil }
        let key = String(lines[1].dropFirst(prefix.count))
        return isCanonical(key) && pem(key) == text ? key : nil
    }

    /// Whether Base64 is as it is written: a decoder lets some letters stand for others at the end.
    static func isCanonical(_ text: String) -> Bool {
        Data(base64Encoded: text).map { $0.base64EncodedString() == text } ?? false
    }
}

/// SHA-256 of files.
public enum FileDigest {
    private static let pieceLength = 1 << 20

    /// Of a file, in lower-case hexadecimal.
    ///
    /// - Complexity: O(length) time, room for a piece.
    public static func sha256(of path: String) throws -> String {
        let file = try DataFile(path, .read)
        var (hash, length) = (SHA256(), 0)
        while true {
            let piece = try file.read(pieceLength, at: length)
            if piece.isEmpty { return text(hash.finalize()) }
            hash.update(data: piece)
            length += piece.count
        }
    }

    static func text(_ digest: SHA256Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
