package import ANPRModel

extension NodeCore {
    /// What opening a data folder found.
    package struct Recovery: Sendable, Equatable {
        /// Entries replayed.
        package var entries = 0
        /// Bytes of a torn tail that were cut off the journal.
        package var tornBytes = 0
        /// Segment files that no transaction had named.
        package var strays = 0
    }

    /// Sightings that have gone to the log.
    package struct LoggedRun: Sendable {
        /// The sightings.
        package let batch: SightingBatch
        /// The number of the first of them.
        package let first: UInt64
        /// The node's register then.
        package let register: CameraRegister
    }
}
