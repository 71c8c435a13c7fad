import ANPRModel
import Archive
import Foundation
import Synchronization

/// Archives what goes to the log, beside a long run, on a thread of its own.
final class BackgroundArchiver: Sendable {
    private let runs = Handoff<NodeCore.LoggedRun>(capacity: 16)
    private let finished = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    /// Starts the thread.
    init(data: String) {
        Thread.detachNewThread { [self] in
            do {
                try work(NodeCore.archiver(data: data))
            } catch {
                failure.withLock { $0 = error }
                // Whoever hands over more must not wait for room.
                while runs.take() != nil {}
            }
            finished.signal()
        }
    }

    private func work(_ archiver: Archiver) throws {
        var register = CameraRegister()
        while let run = runs.take() {
            try archiver.take(run.batch, first: run.first, register: run.register)
            register = run.register
        }
        try archiver.archiveGathered(register)
    }

    /// Takes what has just gone to the log; waits where the archive is far behind.
    func take(_ run: NodeCore.LoggedRun) { runs.put(run) }

    /// Waits until all is archived.
    func finish() throws {
        runs.close()
        finished.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
