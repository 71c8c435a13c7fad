import ANPRModel
import Compression
import SightingFrames

/// What a register and a codebook are made into, which takes longer than all else; segments that have the same ones share it.
struct SegmentPrototype: Sendable {
    let registerBlock: [UInt8]
    let codebook: [UInt8]
    let register: CameraRegister
    let unpacker: PageUnpacker

    /// Of the register block and the codebook that a file begins with.
    ///
    /// - Parameters:
    ///   - registerLength: how long the register block is.
    ///   - codebookLength: how long the codebook behind it is with its checksum, which must hold.
    ///   - prototypes: of other files, one of which may be the same.
    static func of(
        _ file: DataFile,
        _ registerLength: Int,
        _ codebookLength: Int,
        like prototypes: [SegmentPrototype]
    ) throws -> SegmentPrototype {
        let bytes = try file.read(registerLength + codebookLength, at: 0)
        guard codebookLength > 4, bytes.count == registerLength + codebookLength,
            Checksum.crc32(bytes, registerLength + 4..<bytes.count)
                == LittleEndian.read(bytes, at: registerLength) as UInt32
        else {
            throw StorageError(
                .damaged,
                "\(file.path): the codebook at byte \(registerLength) has another checksum"
            )
        }
        let block = Array(bytes[..<registerLength])
        let codebook = Array(bytes[(registerLength + 4)...])
        if let known = prototypes.first(where: { $0.codebook == codebook && $0.registerBlock == block }) {
            return known
        }
        let register: CameraRegister
        do {
            // Registers that share their storage are found to be the same at a glance.
            let same = prototypes.first { $0.registerBlock == block }?.register
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
            throw StorageError(.damaged, "\(file.path): the codebook at byte \(registerLength): \(error)")
        }
    }
}
