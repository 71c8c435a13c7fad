import Access
import Archive
import Foundation

/// Whether a folder of evidence is as it was written, and who signed it.
public struct EvidenceCheck: Sendable {
    /// What is wrong with a file.
    public struct Fault: Sendable, Equatable, CustomStringConvertible {
        /// Its name in the folder.
        public var file: String
        /// What is wrong.
        public var reason: String

        /// Both, as they are told.
        public var description: String { "\(file): \(reason)" }
    }

    /// All that is wrong, by name; none of a folder that is as it was.
    public let faults: [Fault]
    /// How many files the sums are of.
    public let count: Int
    /// The key in the folder: whose it is only who has the node's from elsewhere can tell.
    public let signer: String?

    /// Looks at a folder.
    ///
    /// Every file is read. Without a key all this tells is that whoever signed the sums saw these files; one who replaced them all
    /// and signed anew is found out by the node's key alone.
    ///
    /// - Parameters:
    ///   - folder: a folder that exists.
    ///   - key: the node's public key, kept elsewhere: 32 bytes in Base64.
    /// - Throws: `StorageError` where a file that is there can't be read.
    public init(_ folder: String, key: String? = nil) throws {
        let names = Set(DataFolder.names(in: folder))
        var faults: [Fault] = []
        let text = { (name: String) throws -> String? in
            guard Self.isFile("\(folder)/\(name)") else { return nil }
            return String(decoding: try DataFile("\(folder)/\(name)", .read).contents(), as: UTF8.self)
        }
        let sums = try text(EvidencePack.File.sums)
        let signature = try text(EvidencePack.File.signature)
        let pem = try text(EvidencePack.File.key)
        let signer = pem.flatMap(PublicKeyText.key)
        if pem == nil {
            faults.append(Fault(file: EvidencePack.File.key, reason: "missing"))
        } else if signer == nil {
            faults.append(Fault(file: EvidencePack.File.key, reason: "altered: it is no key"))
        } else if let key, key != signer {
            faults.append(Fault(file: EvidencePack.File.key, reason: "another key than the one given"))
        }
        if signature == nil { faults.append(Fault(file: EvidencePack.File.signature, reason: "missing")) }
        if let sums, let signature, let by = key ?? signer,
            signature.last != "\n" || !PublicKeyText.isCanonical(String(signature.dropLast()))
                || !SigningKey.isGood(String(signature.dropLast()), of: sums, by: by)
        {
            let whose = key == nil ? "the key beside it" : "the key given"
            faults.append(
                Fault(file: EvidencePack.File.signature, reason: "no signature of the sums by \(whose)")
            )
        }
        var listed: [String: String] = [:]
        if let sums {
            guard let read = Self.read(sums) else {
                faults.append(Fault(file: EvidencePack.File.sums, reason: "altered: it is no list of sums"))
                (self.faults, count, self.signer) = (Self.sorted(faults), 0, signer)
                return
            }
            listed = read
        } else {
            faults.append(Fault(file: EvidencePack.File.sums, reason: "missing"))
        }
        faults += try Self.contents(of: folder, names, listed)
        (self.faults, count, self.signer) = (Self.sorted(faults), listed.count, signer)
    }

    private static func sorted(_ faults: [Fault]) -> [Fault] {
        faults.sorted { ($0.file, $0.reason) < ($1.file, $1.reason) }
    }

    /// What is wrong with what the sums are of, and what is there beside.
    private static func contents(of folder: String, _ names: Set<String>, _ listed: [String: String]) throws
        -> [Fault]
    {
        var faults: [Fault] = []
        let signed = [EvidencePack.File.sums, EvidencePack.File.signature, EvidencePack.File.key]
        for name in Set(EvidencePack.File.summed).union(listed.keys) {
            if !names.contains(name) {
                faults.append(Fault(file: name, reason: "missing"))
            } else if listed[name] == nil {
                faults.append(Fault(file: name, reason: "it has no sum"))
            } else if try !isFile("\(folder)/\(name)")
                || FileDigest.sha256(of: "\(folder)/\(name)") != listed[name]
            {
                faults.append(Fault(file: name, reason: "altered"))
            }
        }
        let known = Set(EvidencePack.File.summed + signed).union(listed.keys)
        return faults + names.subtracting(known).map { Fault(file: $0, reason: "added") }
    }

    /// Sums by name; `nil` where a line is none, or a name comes twice or lies elsewhere.
    private static func read(_ sums: String) -> [String: String]? {
        guard sums.hasSuffix("\n") else { return nil }
        var listed: [String: String] = [:]
        for line in sums.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let parts = line.split(separator: "  ", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].utf8.count == 64, !parts[1].contains("/"),
                listed.updateValue(parts[0], forKey: parts[1]) == nil
            else { return nil }
        }
        return listed
    }

    /// Whether something is a file by itself: what a link leads to can change.
    private static func isFile(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.type] as? FileAttributeType == .typeRegular
    }
}
