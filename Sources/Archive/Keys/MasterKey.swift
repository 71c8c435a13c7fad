import Crypto
import Foundation

/// Where the key comes from that wraps all others of a data folder.
public enum MasterKeySource: Sendable, Equatable {
    /// A file with 32 bytes in Base64, made at its first use where that is the folder's own.
    case file(String)
    /// A command that prints 32 bytes in Base64 and exits with 0; a shell runs it.
    case command(String)

    /// As it is kept in the catalogue.
    var text: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .command(let command): "command:\(command)"
        }
    }

    /// As written by `text`; `nil` for anything else.
    init?(_ text: String) {
        if text.hasPrefix("file:") {
            self = .file(String(text.dropFirst(5)))
        } else if text.hasPrefix("command:") {
            self = .command(String(text.dropFirst(8)))
        } else {
            return nil
        }
    }
}

/// The key that wraps all others: 256 bits.
struct MasterKey: Sendable {
    let key: SymmetricKey

    /// A new one.
    init() { key = SymmetricKey(size: .bits256) }

    /// What a file or a command says; `nil` for anything but 32 bytes in Base64.
    init?(_ text: String) {
        guard let data = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)),
            data.count == 32
        else { return nil }
        key = SymmetricKey(data: data)
    }

    /// As a file has it.
    var text: String { unsafe key.withUnsafeBytes { unsafe Data($0) }.base64EncodedString() + "\n" }

    /// Tells it from others without telling anything of it.
    var check: [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("anpr master key".utf8), using: key).prefix(8))
    }

    /// A key, wrapped for its name: nonce, key and tag.
    func wrap(_ key: SymmetricKey, _ name: DataKeyName) throws -> [UInt8] {
        let plain = unsafe key.withUnsafeBytes { unsafe Array($0) }
        let sealed = try AES.GCM.seal(plain, using: self.key, authenticating: name.bytes)
        return Array(sealed.nonce) + Array(sealed.ciphertext) + Array(sealed.tag)
    }

    /// What was wrapped; `nil` if it was wrapped by another master key or for another name, or altered.
    func unwrap(_ bytes: [UInt8], _ name: DataKeyName) -> SymmetricKey? {
        guard let sealed = try? AES.GCM.SealedBox(combined: bytes),
            let plain = try? AES.GCM.open(sealed, using: key, authenticating: name.bytes)
        else { return nil }
        return SymmetricKey(data: plain)
    }

    /// What a command prints.
    static func ask(_ command: String) throws -> MasterKey {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw StorageError(
                .system,
                "the command for the master key ended with \(process.terminationStatus)"
            )
        }
        guard let master = MasterKey(String(decoding: said, as: UTF8.self)) else {
            throw StorageError(.mismatch, "the command for the master key did not print 32 bytes in Base64")
        }
        return master
    }

    /// What is to wrap keys from now on: a file's, made if it is not there, or a command's, which must print it each time.
    static func take(_ source: MasterKeySource) throws -> MasterKey {
        switch source {
        case .file(let path):
            if !DataFolder.exists(path) { try MasterKey().write(path) }
            return try read(path)
        case .command(let command):
            let master = try ask(command)
            guard try ask(command).check == master.check else {
                throw StorageError(
                    .mismatch,
                    "the command for the master key prints another one each time: nothing would open again"
                )
            }
            return master
        }
    }

    /// What a file has.
    static func read(_ path: String) throws -> MasterKey {
        let text = String(decoding: try DataFile(path, .read).contents(), as: UTF8.self)
        guard let master = MasterKey(text) else {
            throw StorageError(.mismatch, "\(path): no master key: 32 bytes in Base64")
        }
        return master
    }

    /// Puts it into a file for its owner's eyes only, durable when this returns.
    func write(_ path: String) throws {
        let temporary = path + ".tmp"
        let file = try DataFile(temporary, .secret)
        try file.write(Array(text.utf8), at: 0)
        try file.sync()
        try DataFolder.rename(temporary, to: path)
        try DataFolder.syncName(path)
    }
}
