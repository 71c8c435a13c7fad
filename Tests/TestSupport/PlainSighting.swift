public import ANPRModel

/// A sighting in texts and plain numbers, to be compared and printed.
public struct PlainSighting: Hashable, Sendable {
    /// What one camera added.
    public struct Part: Hashable, Sendable {
        /// The owning force's code.
        public var force: String
        /// The camera's name.
        public var camera: String
        /// How many of its reads are in the sighting.
        public var reads: Int
        /// The earliest of them.
        public var first: Int64
        /// The best confidence of them.
        public var confidence: Int?

        /// A contribution.
        public init(force: String, camera: String, reads: Int, first: Int64, confidence: Int?) {
            self.force = force
            self.camera = camera
            self.reads = reads
            self.first = first
            self.confidence = confidence
        }
    }

    /// The best read, by which the sighting has its camera, force, direction, lane and speed.
    public var best: PlainRead
    /// The earliest read.
    public var first: Int64
    /// The latest read.
    public var last: Int64
    /// The first captured time it was opened with.
    public var opened: Int64
    /// How many reads are joined in it.
    public var reads: Int
    /// By (force, camera).
    public var parts: [Part]
    /// Whether a read behind the watermark opened it.
    public var isLate = false
    /// How often it was amended.
    public var revision = 0

    /// The mark.
    public var vrm: String { best.vrm }
    /// The site.
    public var site: String { best.site }

    /// A sighting of which every part is known.
    public init(best: PlainRead, first: Int64, last: Int64, reads: Int, parts: [Part]) {
        self.best = best
        self.first = first
        self.last = last
        opened = first
        self.reads = reads
        self.parts = parts
    }

    /// The plain form of a sighting of the engine's.
    public init(_ index: Int, of batch: SightingBatch, in register: CameraRegister) {
        let sighting = batch.sightings[index]
        var read = Read(vrm: sighting.vrm, captured: sighting.captured, camera: sighting.camera)
        read.confidence = sighting.confidence
        read.direction = sighting.direction
        read.lane = sighting.lane
        read.speed = sighting.speed
        self.init(
            best: PlainRead(read, in: register),
            first: sighting.first.milliseconds,
            last: sighting.last.milliseconds,
            reads: Int(sighting.reads),
            parts: batch.contributions(of: index).map { part in
                let camera = register.cameras[Int(part.camera)]
                return Part(
                    force: camera.force,
                    camera: camera.name,
                    reads: Int(part.reads),
                    first: part.first.milliseconds,
                    confidence: part.confidence < 0 ? nil : Int(part.confidence)
                )
            }
        )
        opened = sighting.opened.milliseconds
        isLate = sighting.isLate
        revision = Int(sighting.revision)
    }

    /// The plain forms of a whole batch, in its order.
    public static func list(_ batch: SightingBatch, in register: CameraRegister) -> [PlainSighting] {
        (0..<batch.count).map { PlainSighting($0, of: batch, in: register) }
    }
}

/// Tells where two lists part, in a line that fits a test's failure.
///
/// - Returns: `nil` when they are equal.
public func difference<Element: Equatable>(_ found: [Element], _ expected: [Element]) -> String? {
    for (index, (mine, other)) in zip(found, expected).enumerated() where mine != other {
        return "element \(index) is \(mine), expected \(other)"
    }
    return found.count == expected.count ? nil : "\(found.count) elements, expected \(expected.count)"
}
