import ANPRModel
import Compression
import SightingFrames
import Synchronization

/// What a register and a codebook are made into, which takes longer than all else; segments that have the same ones share it.
struct SegmentPrototype: Sendable {
    let registerBlock: [UInt8]
    let codebook: [UInt8]
    let register: CameraRegister
    let unpacker: PageUnpacker

    fileprivate func isOf(_ registerBlock: [UInt8], _ codebook: [UInt8]) -> Bool {
        self.codebook == codebook && self.registerBlock == registerBlock
    }
}

/// The prototypes of segments and the codebooks of indexes that were opened, each made once whoever asks first.
final class SegmentPrototypes: Sendable {
    private struct Known {
        var prototypes: [SegmentPrototype] = []
        var codebooks: [(bytes: [UInt8], codebook: Codebook)] = []
    }

    private let known = Mutex(Known())
    /// Each is of a codebook and a register, which change seldom.
    private static let countMax = 64

    /// Of the register block and the codebook that a segment begins with.
    ///
    /// - Parameters:
    ///   - registerLength: how long the register block is.
    ///   - codebookLength: how long the codebook behind it is with its checksum, which must hold.
    func prototype(of file: DataFile, _ registerLength: Int, _ codebookLength: Int) throws -> SegmentPrototype
    {
        let bytes = try file.read(registerLength + codebookLength, at: 0)
        guard bytes.count == registerLength + codebookLength,
            let codebook = Self.checked(bytes[min(registerLength, bytes.count)...])
        else {
            throw StorageError(
                .damaged,
                "\(file.path): the codebook at byte \(registerLength) has another checksum"
            )
        }
        let block = Array(bytes[..<registerLength])
        return try known.withLock { known in
            if let found = known.prototypes.first(where: { $0.isOf(block, codebook) }) { return found }
            let made = try Self.make(block, codebook, file, known.prototypes)
            if known.prototypes.count == Self.countMax { known.prototypes.removeFirst() }
            known.prototypes.append(made)
            return made
        }
    }

    /// Of the codebook that an index begins with; `nil` if it is not as it was written.
    ///
    /// - Parameter length: how long it is with its checksum.
    func codebook(of file: DataFile, _ length: Int) throws -> Codebook? {
        guard let bytes = Self.checked(try file.read(length, at: 0)[...]) else { return nil }
        return known.withLock { known in
            if let found = known.codebooks.first(where: { $0.bytes == bytes }) { return found.codebook }
            guard let made = try? Codebook(bytes, kinds: IndexPage.kinds) else { return nil }
            if known.codebooks.count == Self.countMax { known.codebooks.removeFirst() }
            known.codebooks.append((bytes, made))
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
            return SegmentPrototype(
                registerBlock: block,
                codebook: codebook,
                register: register,
                unpacker: PageUnpacker(
                    register: register,
                    codebook: try Codebook(codebook, kinds: PageKinds.count)
                )
            )
        } catch {
            throw StorageError(.damaged, "\(file.path): the codebook at byte \(block.count): \(error)")
        }
    }
}
