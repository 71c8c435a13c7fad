import ANPRModel
import Deduplication

/// What would go over the lines if each force joined its own reads and sent them by itself, in the same way.
///
/// Each force has its own deduplicator, its own register and its own connection; nothing holds them up.
struct OwnLines {
    fileprivate struct Own {
        var deduplicator: Deduplicator
        var joiner: VariantJoiner
        var line: ReplayedLine
        var closed = SightingBatch()
        var given = SightingBatch()
        var sightings = 0
    }

    private var forces: [Own] = []
    private let forceOfCamera: [ForceIndex]
    /// Each camera's place in its force's own register.
    private var ownCamera: [CameraIndex] = []
    /// Each force's reads of the feed at hand.
    private var sorted: [[Read]]

    init(_ settings: ReplayedLine.Settings, register: CameraRegister, rules: DeduplicationRules) throws {
        forceOfCamera = register.forceOfCamera
        sorted = [[Read]](repeating: [], count: register.forces.count)
        var settings = settings
        settings.isPaced = false
        var cameras = [[Camera]](repeating: [], count: register.forces.count)
        for (index, camera) in register.cameras.enumerated() {
            let force = Int(forceOfCamera[index])
            ownCamera.append(CameraIndex(cameras[force].count))
            cameras[force].append(camera)
        }
        for own in cameras {
            let register = CameraRegister(restoring: own)
            forces.append(
                Own(
                    deduplicator: Deduplicator(register: register, rules: rules),
                    joiner: VariantJoiner(rules.variants, register: register, reconcile: rules.reconcile),
                    line: try ReplayedLine(settings, register: register)
                )
            )
        }
    }

    /// Takes what a feed brought.
    mutating func take(_ reads: [Read], from feed: FeedIndex) {
        for var read in reads {
            let force = Int(forceOfCamera[Int(read.camera)])
            read.camera = ownCamera[Int(read.camera)]
            sorted[force].append(read)
        }
        for force in forces.indices where !sorted[force].isEmpty {
            forces[force].take(sorted[force], from: feed)
            sorted[force].removeAll(keepingCapacity: true)
        }
    }

    /// Says how a feed stands, to those forces that it brought anything of.
    mutating func set(_ feed: FeedIndex, _ state: SourceState) {
        for force in forces.indices where forces[force].deduplicator.counts.count > Int(feed) {
            forces[force].set(feed, state)
        }
    }

    /// Sends on what has closed by a moment.
    mutating func leave(at moment: Timestamp) {
        for force in forces.indices where forces[force].hasNews {
            forces[force].release(through: forces[force].deduplicator.closedThrough)
            forces[force].line.offer(forces[force].given, at: moment)
        }
    }

    /// Sends on what the end of all feeds has closed.
    mutating func leaveLast(_ tail: Tail) {
        for force in forces.indices {
            forces[force].release(through: .distantFuture)
            let given = forces[force].given
            tail.forEach(of: given) { forces[force].line.offer($0, at: $1) }
            forces[force].line.finish()
        }
    }

    /// What all forces together sent: bytes, sightings, and how many forces sent any.
    var outcome: (bytes: LineBytes, sightings: Int, forces: Int) {
        var bytes = LineBytes()
        for own in forces { bytes += own.line.bytes }
        return (
            bytes, forces.reduce(0) { $0 + $1.sightings },
            forces.reduce(0) { $0 + ($1.sightings > 0 ? 1 : 0) }
        )
    }
}

extension OwnLines.Own {
    fileprivate var hasNews: Bool { !closed.isEmpty || joiner.count > 0 }

    fileprivate mutating func take(_ reads: [Read], from feed: FeedIndex) {
        deduplicator.take(reads, from: feed, into: &closed)
    }

    fileprivate mutating func set(_ feed: FeedIndex, _ state: SourceState) {
        deduplicator.set(feed, state, into: &closed)
    }

    fileprivate mutating func release(through: Timestamp) {
        given.removeAll()
        joiner.take(closed, closedThrough: through, into: &given)
        closed.removeAll()
        for sighting in given.sightings where sighting.revision == 0 { sightings += 1 }
    }
}
