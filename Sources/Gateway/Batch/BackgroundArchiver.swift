import Archive
import Foundation
import Synchronization

/// Moves the log into the archive beside a long run, on a thread of its own.
final class BackgroundArchiver: Sendable {
    private let extents = Handoff<UInt64>(capacity: 1024)
    private let finished = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)
    private let lastAsked = Mutex<UInt64>(0)

    /// So many sightings are worth a segment.
    private static let step: UInt64 = 131_072

    /// Starts the thread.
    init(data: String) {
        Thread.detachNewThread { [self] in
            do {
                let archiver = try NodeCore.archiver(data: data)
                while let extent = extents.take() { _ = try archiver.archive(before: extent) }
            } catch {
                failure.withLock { $0 = error }
                // Whoever asks again must not wait for room.
                while extents.take() != nil {}
            }
            finished.signal()
        }
    }

    /// Says how far the log has come.
    func note(_ extent: UInt64) {
        let isDue = lastAsked.withLock { last in
            guard extent >= last + Self.step else { return false }
            last = extent
            return true
        }
        if isDue { extents.put(extent) }
    }

    /// Waits for the thread to end.
    func finish() throws {
        extents.close()
        finished.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
