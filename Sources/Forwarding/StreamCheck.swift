public import ANPRModel
public import SightingFrames

/// Checks and decodes the blocks of one sender's stream, before anything of them is believed.
///
/// Holds the cameras that the stream has named and the number of the sighting that must come next.
public struct StreamCheck: Sendable {
    /// Why blocks were refused.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// What is wrong, and where.
        public var description: String
    }

    /// What blocks held.
    public struct Content: Sendable {
        /// The steps in order.
        public enum Step: Sendable {
            /// The stream's register is now this.
            case register(CameraRegister)
            /// Sightings, under the stream's register.
            case sightings(SightingBatch)
            /// How far the stream is complete.
            case mark(StreamMark)
        }
        /// The steps in order.
        public var steps: [Step] = []
        /// How many sightings there are.
        public var count = 0
    }

    /// The cameras that the stream has named.
    public private(set) var register: CameraRegister
    /// The number of the sighting that must come next.
    public private(set) var next: UInt64
    private var decoder: FrameDecoder

    /// A stream that stands at a number, with the cameras named before.
    public init(register: CameraRegister = CameraRegister(), next: UInt64 = 0) {
        self.register = register
        self.next = next
        decoder = FrameDecoder(register: register)
    }

    /// Takes blocks; on a fault nothing has changed.
    ///
    /// - Parameters:
    ///   - bytes: whole blocks.
    ///   - forces: the forces that the sender may speak for; `nil` is any.
    public mutating func take(_ bytes: [UInt8], forces: Set<String>? = nil) throws(Fault) -> Content {
        var copy = self
        let content = try copy.advance(bytes, forces)
        self = copy
        return content
    }

    private mutating func advance(_ bytes: [UInt8], _ forces: Set<String>?) throws(Fault) -> Content {
        var content = Content()
        var position = 0
        while position < bytes.count {
            let start = position
            do {
                let block = try Block.read(bytes, at: &position)
                try step(block, forces, &content)
            } catch let fault as Fault {
                throw Fault(description: "block at byte \(start): \(fault.description)")
            } catch {
                throw Fault(description: "block at byte \(start): \(error)")
            }
        }
        return content
    }

    private mutating func step(_ block: Block, _ forces: Set<String>?, _ content: inout Content) throws {
        switch block.kind {
        case .register:
            let cameras = try RegisterBlock.decode(block)
            if block.sequence == 0 { register = CameraRegister() }
            guard block.sequence == UInt64(register.count) else {
                throw Fault(
                    description: "cameras from \(block.sequence) on, where \(register.count) are known"
                )
            }
            register.restore(cameras)
            decoder = FrameDecoder(register: register)
            content.steps.append(.register(register))
        case .frame:
            guard block.sequence <= next else {
                throw Fault(description: "sighting \(block.sequence) where \(next) is due: some are missing")
            }
            let end = block.sequence + UInt64(block.count)
            guard end > next else { return }
            var batch = SightingBatch()
            try decoder.decode(block, into: &batch)
            if let forces { try Self.check(batch, register, forces) }
            let known = Int(next - block.sequence)
            if known > 0 { batch = batch.reordered(Array(known..<batch.count)) }
            next = end
            content.count += batch.count
            content.steps.append(.sightings(batch))
        case .mark:
            guard block.sequence <= next else {
                throw Fault(description: "a mark behind sighting \(block.sequence) where \(next) is due")
            }
            content.steps.append(.mark(try StreamMark(block)))
        }
    }

    /// A register may name any camera, but what a sender reports must be of forces it may speak for.
    private static func check(_ batch: SightingBatch, _ register: CameraRegister, _ forces: Set<String>)
        throws(Fault)
    {
        let isPermitted = register.forces.map(forces.contains)
        for part in batch.contributions {
            let force = Int(register.forceOfCamera[Int(part.camera)])
            guard isPermitted[force] else {
                throw Fault(
                    description:
                        "a read of force \(register.forces[force]), for which this sender may not speak"
                )
            }
        }
    }
}
