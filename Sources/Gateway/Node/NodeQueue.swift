import Dispatch

/// Runs a node's work, one thing after another and in order, beside the threads that all tasks share.
///
/// A node waits for disks; on a shared thread each such wait would hold up every connection.
final class NodeQueue: SerialExecutor {
    private let queue: DispatchQueue

    /// A queue.
    ///
    /// - Parameter name: what a debugger calls it.
    init(_ name: String = "node") { queue = DispatchQueue(label: name) }

    /// Takes one step of a task.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
