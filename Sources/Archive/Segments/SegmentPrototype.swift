import ANPRModel
import Compression
import Crypto
import SightingFrames
import Synchronization

/// What a register and a codebook are made into, which takes longer than all else; segments that have the same ones share it.
struct SegmentPrototype: Sendable {
    fileprivate let registerBlock: [UInt8]
    let register: CameraRegister
    let unpackers: Unpackers<PageUnpacker>
}

/// What an index's codebook is made into; indexes that have the same one share it.
struct IndexPrototype: Sendable {
    let codebook: Codebook
    let unpackers: Unpackers<EntropyUnpacker>
}

/// What pages are unpacked with: as many as unpack at a time, and the same ones again.
///
/// A history has a page in each of some hundred files. What all are unpacked into stays near the processor; what each had for itself
/// would not. Each is made by itself and shares nothing with the others: two processors that count who holds the same tables take
/// longer for that than to read them.
final class Unpackers<Unpacker: Sendable>: Sendable {
    private let make: @Sendable () -> Unpacker
    private let idle = Mutex<[Unpacker]>([])

    /// No more are kept than search beside one another usually.
    private static var idleMax: Int { 8 }

    init(_ make: @escaping @Sendable () -> Unpacker) { self.make = make }

    /// Unpacks; what something is thrown over is not used again.
    @inline(__always)
    func use<Result>(_ body: (inout Unpacker) throws -> Result) rethrows -> Result {
        var own = idle.withLock { $0.popLast() } ?? make()
        let result = try body(&own)
        idle.withLock { if $0.count < Self.idleMax { $0.append(own) } }
        return result
    }

    /// Lets go of what was unpacked.
    func clear() { idle.withLock { $0 = [] } }
}

/// The prototypes of segments and the codebooks of indexes that were opened, each made once whoever asks first.
final class SegmentPrototypes: Sendable {
    private struct Known {
        var prototypes: [(digest: [UInt8], prototype: SegmentPrototype)] = []
        var indexes: [(digest: [UInt8], prototype: IndexPrototype)] = []

        func prototype(_ digest: [UInt8]) -> SegmentPrototype? {
            prototypes.first { $0.digest == digest }?.prototype
        }

        func index(_ digest: [UInt8]) -> IndexPrototype? { indexes.first { $0.digest == digest }?.prototype }
    }

    private let known = Mutex(Known())
    /// Each is of a codebook and a register, which change seldom.
    private static let countMax = 64

    /// Lets go of what was unpacked by all of them.
    func clear() {
        let (prototypes, indexes) = known.withLock { ($0.prototypes, $0.indexes) }
        for one in prototypes { one.prototype.unpackers.clear() }
        for one in indexes { one.prototype.unpackers.clear() }
    }

    /// What tells a register and a codebook from all others.
    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Of the register block and the codebook that a segment begins with.
    ///
    /// - Parameters:
    ///   - registerLength: how long the register block is.
    ///   - codebookLength: how long the codebook behind it is with its checksum, which must hold.
    ///   - digest: of both, where it is known: then they are not read if others had the same ones.
    func prototype(
        of file: DataFile,
        _ registerLength: Int,
        _ codebookLength: Int,
        digest told: [UInt8]? = nil
    ) throws -> SegmentPrototype {
        if let told, let found = known.withLock({ $0.prototype(told) }) { return found }
        let bytes = try file.read(registerLength + codebookLength, at: 0)
        let digest = Self.digest(bytes)
        guard bytes.count == registerLength + codebookLength, told == nil || told == digest,
            let codebook = Self.checked(bytes[min(registerLength, bytes.count)...])
        else {
            throw StorageError(
                .damaged,
                "\(file.path): the codebook at byte \(registerLength) has another checksum"
            )
        }
        let block = Array(bytes[..<registerLength])
        return try known.withLock { known in
            if let found = known.prototype(digest) { return found }
            let made = try Self.make(block, codebook, file, known.prototypes.map(\.prototype))
            if known.prototypes.count == Self.countMax { known.prototypes.removeFirst() }
            known.prototypes.append((digest, made))
            return made
        }
    }

    /// Of the codebook that an index begins with; `nil` if it is not as it was written.
    ///
    /// - Parameters:
    ///   - length: how long it is with its checksum.
    ///   - digest: of it, where it is known: then it is not read if others had the same one.
    func prototype(of file: DataFile, _ length: Int, digest told: [UInt8]? = nil) throws -> IndexPrototype? {
        if let told, let found = known.withLock({ $0.index(told) }) { return found }
        let all = try file.read(length, at: 0)
        let digest = Self.digest(all)
        guard told == nil || told == digest, let bytes = Self.checked(all[...]) else { return nil }
        return known.withLock { known in
            if let found = known.index(digest) { return found }
            guard let codebook = try? Codebook(bytes, kinds: IndexPage.kinds) else { return nil }
            let made = IndexPrototype(codebook: codebook, unpackers: Unpackers { EntropyUnpacker(codebook) })
            if known.indexes.count == Self.countMax { known.indexes.removeFirst() }
            known.indexes.append((digest, made))
            return made
        }
    }

    /// What stands behind a checksum that holds.
    private static func checked(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count > 4 else { return nil }
        let all = Array(bytes)
        guard Checksum.crc32(all, 4..<all.count) == LittleEndian.read(all, at: 0) as UInt32 else {
            return nil
        }
        return Array(all[4...])
    }

    private static func make(
        _ block: [UInt8],
        _ codebook: [UInt8],
        _ file: DataFile,
        _ others: [SegmentPrototype]
    ) throws -> SegmentPrototype {
        let register: CameraRegister
        do {
            // Registers that share their storage are found to be the same at a glance.
            let same = others.first { $0.registerBlock == block }?.register
            var position = 0
            register = try same ?? CameraRegister(RegisterBlock.decode(try Block.read(block, at: &position)))
        } catch { throw StorageError(.damaged, "\(file.path): the register at byte 0: \(error)") }
        do {
            let packedBy = try Codebook(codebook, kinds: PageKinds.count)
            return SegmentPrototype(
                registerBlock: block,
                register: register,
                unpackers: Unpackers { PageUnpacker(register: register, codebook: packedBy) }
            )
        } catch {
            throw StorageError(.damaged, "\(file.path): the codebook at byte \(block.count): \(error)")
        }
    }
}
