package import ANPRModel
import Archive
package import Forwarding

/// Images that come over links.
extension NodeCore {
    /// Keeps an image of another node, as its own are kept; it is on stable storage when this returns.
    ///
    /// Called with nothing waiting for a sync, so that what fails takes nothing else back.
    ///
    /// - Throws: `StorageError`; nothing was kept then.
    package func keep(_ image: LinkImage, now: Timestamp) throws {
        let binding = image.binding
        guard state.register.find(force: binding.force, name: binding.camera) != nil else {
            throw StorageError(
                .mismatch,
                "camera \(binding.camera) of force \(binding.force) is not known here"
            )
        }
        guard binding.captured.milliseconds <= now.milliseconds + Self.clockTolerance else {
            throw StorageError(.mismatch, "it was captured in the future")
        }
        do {
            try images.append(image.jpeg, of: binding)
            try images.sync()
        } catch {
            try images.discardUnsynced()
            throw error
        }
    }

    /// Where patches go on being pushed to a next node: at the first sighting in the log, when none ever were.
    package func patchCursor(to forward: String) throws -> UInt64 {
        let name = NodeConfiguration.patchReader(forward)
        return try catalogue.cursors().first { $0.name == name }?.sequence ?? log.first
    }

    /// Notes that a next node has the patches of all sightings before one.
    package func pushed(patchesBefore sequence: UInt64, to forward: String) throws {
        try catalogue.setCursor(NodeConfiguration.patchReader(forward), sequence)
    }
}

extension NodeConfiguration {
    /// The cursor of the patches pushed to a next node.
    ///
    /// It is none of `logReaders`: patches don't keep the log from letting go what all others have passed.
    static func patchReader(_ forward: String) -> String { "patches:\(forward)" }
}
