import Dispatch
import Glibc
import Synchronization

/// Work that falls into parts, on all processors at once.
enum Parallel {
    /// How many parts keep all processors at work, though some take longer than others.
    static var width: Int { 4 * activeProcessors }

    private static let activeProcessors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// What each part gives, in their order.
    ///
    /// - Throws: what the first of those throws that fail.
    static func map<Part: Sendable, Output: Sendable>(
        _ parts: [Part],
        _ body: @Sendable (Part) throws -> Output
    ) throws -> [Output] {
        if parts.count < 2 { return try parts.map(body) }
        let results = Mutex([Result<Output, any Error>?](repeating: nil, count: parts.count))
        DispatchQueue.concurrentPerform(iterations: parts.count) { place in
            let result = Result { try body(parts[place]) }
            results.withLock { $0[place] = result }
        }
        return try results.withLock { results in try results.compactMap { try $0?.get() } }
    }

    /// The same, where the parts wait for a disk more than they compute: many more at once than there are processors.
    static func mapWaiting<Part: Sendable, Output: Sendable>(
        _ parts: [Part],
        _ body: @Sendable (Part) throws -> Output
    ) throws -> [Output] {
        if parts.count < 2 { return try parts.map(body) }
        let results = Mutex([Result<Output, any Error>?](repeating: nil, count: parts.count))
        let next = Atomic(0)
        let all = DispatchGroup()
        withoutActuallyEscaping(body) { body in
            for _ in 0..<min(waitingMax, parts.count) {
                // A queue of its own each: those have a thread of their own, where a common one has as many as there are processors.
                DispatchQueue(label: "anpr.archive.waiting").async(group: all) {
                    while true {
                        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
                        guard place < parts.count else { return }
                        let result = Result { try body(parts[place]) }
                        results.withLock { $0[place] = result }
                    }
                }
            }
            all.wait()
        }
        return try results.withLock { results in try results.compactMap { try $0?.get() } }
    }

    /// So many look at a disk at once; most disks answer no more any sooner.
    private static let waitingMax = 6

    /// Ranges of about the same length, as many as keep all processors at work.
    static func ranges(_ count: Int) -> [Range<Int>] {
        let length = max(1, (count + width - 1) / width)
        return stride(from: 0, to: count, by: length).map { $0..<min(count, $0 + length) }
    }
}
