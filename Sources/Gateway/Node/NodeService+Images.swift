import ANPRModel
import Archive
package import FeedDecoding
import Forwarding
import Foundation

/// Images that come over links, and those that go.
extension NodeService {
    /// Which images the node keeps.
    package var imageRules: ImageRules { core.configuration.images }

    /// Keeps an image of a sender; it is on stable storage when this returns.
    ///
    /// - Throws: `Refused` for a force that the sender may not speak for, and what the disk says.
    func keep(_ image: LinkImage, from sender: FeedIndex) throws {
        guard forces(of: sender).contains(image.binding.force) else {
            throw Refused(
                description: "it is of force \(image.binding.force), for which this sender may not speak"
            )
        }
        settle()
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        try core.keep(image, now: now)
    }

    /// Ends a purge of a day's images that was prepared beside what the node does.
    func finish(_ sweep: ImageSweep) throws -> ImageStore.Purge {
        settle()
        return try core.images.finish(sweep)
    }

    /// Where patches go on being pushed to a next node.
    func patchCursor(to forward: String) throws -> UInt64 { try core.patchCursor(to: forward) }

    /// Notes that a next node has the patches of all sightings before one.
    func pushed(patchesBefore sequence: UInt64, to forward: String) throws {
        try core.pushed(patchesBefore: sequence, to: forward)
    }
}
