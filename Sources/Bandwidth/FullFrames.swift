import ANPRModel

/// Packs all sightings once more in frames as large as a message takes: what they cost where there is always more to send.
struct FullFrames {
    private var packer: LinePacker
    private let settings: ReplayedLine.Settings
    private let countMax: Int
    private var waiting = SightingBatch()
    private var sightings = 0
    private var bytes = 0

    init(_ settings: ReplayedLine.Settings, register: CameraRegister) throws {
        self.settings = settings
        packer = try LinePacker(register: register)
        countMax = ReplayedLine.frameMax(settings.bitsPerSecond)
    }

    mutating func take(_ batch: SightingBatch) {
        waiting.append(contentsOf: batch)
        var start = 0
        while waiting.count - start >= countMax {
            pack(start..<start + countMax)
            start += countMax
        }
        guard start > 0 else { return }
        var rest = SightingBatch()
        rest.append(start..<waiting.count, of: waiting)
        waiting = rest
    }

    mutating func finish() {
        if !waiting.isEmpty { pack(0..<waiting.count) }
        waiting.removeAll()
    }

    /// What a sighting takes of the line in frames of that size, with everything around it.
    var bytesPerSighting: Double { sightings == 0 ? 0 : Double(bytes) / Double(sightings) }

    private mutating func pack(_ range: Range<Int>) {
        bytes += ReplayedLine.cost(packer.pack(waiting, range).total, settings)
        sightings += range.count
    }
}
