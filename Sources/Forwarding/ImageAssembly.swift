import ANPRModel
import Archive

/// Puts an image together from its parts, of which nothing is believed.
///
/// One image at a time, in order, from its first byte to its last: a part that does not follow the one before, a length
/// over what is taken, and bytes that are not those the opening told of, are refused, and with them the connection.
///
/// - Complexity: memory for what has come of one image, never for what was only announced.
public struct ImageAssembly: Sendable {
    /// Why a part was refused.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        /// What is wrong.
        public var description: String
    }

    private let plateMax: Int
    private let overviewMax: Int
    private var open: Open?

    private struct Open {
        var ticket: ImageTicket
        var opening: LinkImagePart.Opening
        var bytes: [UInt8]
    }

    /// An assembly.
    ///
    /// - Parameters:
    ///   - plateMax: the longest patch that is taken, in bytes; 0 takes none.
    ///   - overviewMax: the longest overview that is taken, in bytes; 0 takes none.
    public init(plateMax: Int, overviewMax: Int) {
        self.plateMax = min(plateMax, LinkMessage.imageMax)
        self.overviewMax = min(overviewMax, LinkMessage.imageMax)
    }

    /// Takes a part.
    ///
    /// - Returns: the image, with its last part.
    /// - Throws: `Fault`; nothing more can be taken then.
    public mutating func take(_ part: LinkImagePart) throws(Fault) -> LinkImage? {
        if let opening = part.opening {
            guard open == nil else { throw Fault(description: "begins before the one under way has ended") }
            try check(opening, part)
            open = Open(ticket: part.ticket, opening: opening, bytes: [])
        }
        guard var current = open.take(), current.ticket == part.ticket else {
            throw Fault(description: "is gone on with where none, or another, is under way")
        }
        guard part.kind == current.opening.binding.kind, part.offset == current.bytes.count else {
            throw Fault(
                description: "goes on at byte \(part.offset), where byte \(current.bytes.count) is due"
            )
        }
        guard !part.bytes.isEmpty, part.bytes.count <= current.opening.length - current.bytes.count else {
            throw Fault(
                description: "has a part of \(part.bytes.count) bytes at byte \(part.offset) of "
                    + "\(current.opening.length)"
            )
        }
        current.bytes += part.bytes
        guard current.bytes.count == current.opening.length else {
            open = current
            return nil
        }
        guard current.bytes.starts(with: [0xFF, 0xD8, 0xFF]) else {
            throw Fault(description: "is no JPEG")
        }
        guard ImageHash(of: current.bytes) == current.opening.binding.hash else {
            throw Fault(description: "is not the one that was announced: its bytes have another SHA-256")
        }
        return LinkImage(ticket: current.ticket, binding: current.opening.binding, jpeg: current.bytes)
    }

    private func check(_ opening: LinkImagePart.Opening, _ part: LinkImagePart) throws(Fault) {
        let most = opening.binding.kind == .plate ? plateMax : overviewMax
        guard opening.length > 0, opening.length <= most else {
            throw Fault(description: "is of \(opening.length) bytes, where up to \(most) are taken")
        }
    }
}
