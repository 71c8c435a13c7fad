import Crypto
import Foundation
import Glibc

/// A node's own key, with which it signs what it says of itself: Ed25519.
///
/// Who keeps the public key elsewhere can tell what this node signed from what anyone else wrote later.
public struct SigningKey: Sendable {
    /// Why a key could not be had.
    public struct Failure: Error, CustomStringConvertible, Equatable {
        /// The file, and what is wrong.
        public var description: String
    }

    private let key: Curve25519.Signing.PrivateKey

    /// The key in a file, made there at its first use, for its owner's eyes only.
    public init(file path: String) throws {
        if let data = FileManager.default.contents(atPath: path) {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let raw = Data(base64Encoded: text),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: raw)
            else { throw Failure(description: "\(path): it is no key") }
            self.key = key
            return
        }
        key = Curve25519.Signing.PrivateKey()
        try Self.write(key.rawRepresentation.base64EncodedString() + "\n", path)
    }

    /// Written beside and linked into place: of two processes that make one at once, one fails and finds the other's next time.
    private static func write(_ text: String, _ path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(temporary) }
        defer {
            close(descriptor)
            unsafe unlink(temporary)
        }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
            unsafe link(temporary, path) == 0
        else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(description: "\(path): \(unsafe String(cString: strerror(errno)))")
    }

    /// What others tell this node's signatures by: 32 bytes in Base64.
    public var publicKey: String { key.publicKey.rawRepresentation.base64EncodedString() }

    /// The signature of a text: 64 bytes in Base64.
    public func sign(_ text: String) throws -> String {
        try key.signature(for: Data(text.utf8)).base64EncodedString()
    }

    /// Whether a signature is of a text, by the one who has this key.
    public static func isGood(_ signature: String, of text: String, by publicKey: String) -> Bool {
        guard let raw = Data(base64Encoded: publicKey), let signature = Data(base64Encoded: signature),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw)
        else { return false }
        return key.isValidSignature(signature, for: Data(text.utf8))
    }
}
