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

        /// The latest time in any sighting.
        public var latest: Timestamp {
            steps.reduce(.distantPast) { latest, step in
                guard case .sightings(let batch) = step else { return latest }
                return max(latest, batch.sightings.map(\.last).max() ?? .distantPast)
            }
        }
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
    ///   - latest: no time may lie after this.
    public mutating func take(
        _ bytes: [UInt8],
        forces: Set<String>? = nil,
        latest: Timestamp = .distantFuture
    ) throws(Fault) -> Content {
        var copy = self
        let content = try copy.advance(bytes, forces)
        for step in content.steps {
            switch step {
            case .register: continue
            case .sightings(let batch): try Self.check(batch, latest)
            case .mark(let mark):
                guard mark.closedThrough <= latest else { throw Fault(description: "a mark in the future") }
            }
        }
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

    /// What no honest sender says: empty or endless sightings, counts that don't add up, times out of order.
    private static func check(_ batch: SightingBatch, _ latest: Timestamp) throws(Fault) {
        for index in 0..<batch.count {
            let sighting = batch.sightings[index]
            let parts = batch.contributions(of: index)
            let reads = parts.reduce(UInt64(0)) { $0 + UInt64($1.reads) }
            let span = sighting.first...max(sighting.first, sighting.last)
            guard sighting.reads > 0, sighting.reads <= readsMax, reads == UInt64(sighting.reads),
                sighting.first <= sighting.last, sighting.last <= latest, span.contains(sighting.captured),
                sighting.last.milliseconds - sighting.first.milliseconds <= spanMax,
                abs(sighting.opened.milliseconds - sighting.first.milliseconds) <= spanMax,
                parts.allSatisfy({ $0.reads > 0 && span.contains($0.first) })
            else { throw Fault(description: "a sighting that contradicts itself, or lies in the future") }
        }
    }

    /// A sighting spans a window, which configuration bounds at an hour; two, with amendments.
    private static let spanMax: Int64 = 7_200_000
    private static let readsMax: UInt32 = 1 << 24

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
