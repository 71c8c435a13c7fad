package import ANPRModel

/// How far the clocks of a feed's cameras are off, told from when their reads arrive.
///
/// A read arrives some time after it was captured, never before: the least such time of many is what the way takes plus
/// what the clock is behind. What the way takes is taken to be the middle of the feed's cameras where there are enough of
/// them, and nothing where there are few and the feed comes at once. An estimate, to be looked into by people; no read
/// is changed or refused for it.
package struct CameraClocks: Sendable {
    /// A camera whose clock seems to be off.
    package struct Offset: Sendable, Equatable {
        /// The camera, by its index in the node's register.
        package var camera: CameraIndex
        /// By how many milliseconds its clock is ahead; negative when it is behind.
        package var ahead: Int64
    }

    private struct Delays: Sendable {
        var count = 0
        var least = Int64.max

        mutating func add(_ delay: Int64) {
            count += 1
            least = min(least, delay)
        }
    }

    /// From here on a clock is worth a warning: 2 s.
    package static let tolerance: Int64 = 2000
    /// What came longer ago than two of these counts no more: 5 min.
    package static let span: Int64 = 300_000
    /// Fewer reads tell nothing.
    static let readsMin = 5
    /// Fewer cameras don't tell what the way takes.
    static let camerasMin = 3

    private let arrivesAtOnce: Bool
    private var began = Timestamp.distantPast
    private var current: [CameraIndex: Delays] = [:]
    private var before: [CameraIndex: Delays] = [:]

    /// Nothing known yet.
    ///
    /// - Parameter arrivesAtOnce: whether the feed brings reads as they are captured, or gathers them first.
    package init(arrivesAtOnce: Bool) { self.arrivesAtOnce = arrivesAtOnce }

    /// Takes note of reads that have just arrived.
    package mutating func note(_ reads: [Read], received: Timestamp) {
        turn(received)
        for read in reads {
            let delay = received.milliseconds - read.captured.milliseconds
            current[read.camera, default: Delays()].add(delay)
        }
    }

    private mutating func turn(_ now: Timestamp) {
        guard now.milliseconds - began.milliseconds >= Self.span else { return }
        before = now.milliseconds - began.milliseconds < 2 * Self.span ? current : [:]
        current = [:]
        began = now
    }

    /// The cameras whose clocks are off by more than the tolerance, the worst first.
    package func offsets() -> [Offset] {
        var delays = before
        for (camera, more) in current {
            var all = delays[camera] ?? Delays()
            all.count += more.count
            all.least = min(all.least, more.least)
            delays[camera] = all
        }
        let known = delays.filter { $0.value.count >= Self.readsMin }
        guard let way = way(known.values.map(\.least)) else { return [] }
        return known.map { Offset(camera: $0.key, ahead: way - $0.value.least) }
            .filter { abs($0.ahead) >= Self.tolerance }
            .sorted { (abs($0.ahead), $1.camera) > (abs($1.ahead), $0.camera) }
    }

    /// What the way takes; `nil` when it can't be told.
    private func way(_ least: [Int64]) -> Int64? {
        if least.count >= Self.camerasMin { return least.sorted()[least.count / 2] }
        return arrivesAtOnce && !least.isEmpty ? 0 : nil
    }
}
