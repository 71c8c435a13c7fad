import Compression
import Crypto
import Foundation
import SightingFrames

/// Closes the pieces of a file, so that each is read by itself, only by who has the key, and never altered without notice.
///
/// AES-256-GCM under a key that belongs to one file and part of it, and to nothing else; a piece's number in the file is its
/// nonce, so that none is used twice and pieces can't change places. Without a key there is a CRC-32 before each piece instead.
struct PieceSeal: Sendable {
    private let key: SymmetricKey?

    /// How much longer a piece is when it is closed.
    var overhead: Int { key == nil ? 4 : 16 }

    /// With a key, or without.
    init(_ key: SymmetricKey?) { self.key = key }

    /// The piece as it stands in a file.
    ///
    /// - Parameter number: no other piece under the same key has it.
    func close(_ bytes: [UInt8], _ number: Int) throws -> [UInt8] {
        guard let key else {
            var closed: [UInt8] = []
            closed.reserveCapacity(bytes.count + 4)
            LittleEndian.append(Checksum.crc32(bytes), to: &closed)
            return closed + bytes
        }
        let sealed = try AES.GCM.seal(bytes, using: key, nonce: try AES.GCM.Nonce(data: Self.nonce(number)))
        guard let combined = sealed.combined else { return Array(sealed.ciphertext) + Array(sealed.tag) }
        return Array(combined[combined.startIndex + Self.nonceLength..<combined.endIndex])
    }

    /// What was closed; `nil` if it is not as it was then, or another key or number closed it.
    func open(_ bytes: ArraySlice<UInt8>, _ number: Int) -> [UInt8]? {
        guard bytes.count >= overhead else { return nil }
        guard let key else {
            let body = Array(bytes.dropFirst(4))
            let checksum: UInt32 = LittleEndian.read(Array(bytes.prefix(4)), at: 0)
            return Checksum.crc32(body) == checksum ? body : nil
        }
        // Nonce, piece and tag in one go: to put them together from three costs more than to open them.
        var combined = Data(capacity: Self.nonceLength + bytes.count)
        unsafe withUnsafeBytes(of: (UInt64(number).littleEndian, 0 as UInt32)) {
            unsafe combined.append(contentsOf: $0.prefix(Self.nonceLength))
        }
        combined.append(contentsOf: bytes)
        guard let sealed = try? AES.GCM.SealedBox(combined: combined),
            let opened = try? AES.GCM.open(sealed, using: key)
        else { return nil }
        return Array(opened)
    }

    private static let nonceLength = 12

    private static func nonce(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(nonceLength)
        LittleEndian.append(UInt64(number), to: &bytes)
        LittleEndian.append(UInt32(0), to: &bytes)
        return bytes
    }
}
