import ANPRModel

/// The columns of a frame.
enum FrameColumn: Int, CaseIterable {
    /// Time of the first read, as difference to the sighting before.
    case first
    /// The mark by shape: the five letters and the two digits of `AA00AAA`, a column each; the first is 0 for marks of
    /// other shapes, which stand whole in `otherMarks`.
    case letter1, letter2, age, letter3, letter4, letter5
    case otherMarks
    /// The best read's camera: low byte, rest.
    case cameraLow, cameraHigh
    case confidence
    /// How a sighting's contributions are told, see `PartsForm`; not in the first layout.
    case form
    case reads
    case last, captured
    /// How many contributions there are; in the first layout only.
    case partCount
    case partCamera, partReads
    /// Which contribution is the earliest; not in the first layout.
    case partLead
    case partFirst, partConfidence
    /// All of those sightings that are told in no shorter way; not in the first layout.
    case unusual
    /// Exceptions, each with the distance from the row of the one before: direction and lane that are not the
    /// camera's own; speed; an identity that is not the first read's, revision and lateness.
    case bearings, speeds, identities
    /// Exceptions too: the other marks of a sighting's vehicle. Only in frames that have any, which say so.
    case variants

    /// The bit in a block's flags of a frame that has the column `variants`.
    static let variantsFlag: UInt16 = 2
    /// The bit of a frame in the layout written now; without it, in the first.
    static let layoutFlag: UInt16 = 4

    /// Whether frames with these flags are written now.
    static func areWritten(flags: UInt16) -> Bool {
        flags & layoutFlag != 0
            && flags & ~(layoutFlag | variantsFlag | FrameEncoder.Order.mark.rawValue) == 0
    }

    /// The columns of a frame, in the order in which they are stored.
    static func stored(flags: UInt16) -> [FrameColumn] { storedByFlags[Int(flags >> 1 & 3)] }

    private static let storedByFlags = (0..<4 as Range<UInt16>).map { bits in
        let absent: [FrameColumn] =
            bits << 1 & layoutFlag == 0 ? [.form, .partLead, .unusual] : [.partCount]
        return allCases.filter {
            !absent.contains($0) && ($0 != .variants || bits << 1 & variantsFlag != 0)
        }
    }
}

/// Something for each of the columns, by their number.
typealias ByColumn<Element> = InlineArray<26, Element>

/// How the column `form` says in which way a sighting's contributions are told; from `joint` on it is their number.
enum PartsForm {
    /// There is one, and it says what the sighting says.
    static let single: UInt64 = 0
    /// They stand in the column `unusual`, each value by itself.
    static let unusual: UInt64 = 1
    /// Several, from which first, last, reads and confidence of the sighting follow.
    static let joint: UInt64 = 2
}

/// How the column `captured` says when the best read was, after the first read of its camera.
enum CapturedForm {
    static let atFirst: UInt64 = 0
    static let atLast: UInt64 = 1

    /// What is written of a time between the two.
    static func code(_ captured: Timestamp, first: Timestamp, last: Timestamp) -> UInt64 {
        if captured == first { return atFirst }
        return captured == last ? atLast : UInt64(captured.milliseconds - first.milliseconds) + 1
    }
}

/// How the column `variants` says which other mark it means.
enum VariantForm {
    /// Mark and difference of times follow: of a sighting beside this one, or of one merged into it.
    static let beside: UInt64 = 0
    static let merged: UInt64 = 1
    /// This and more: the sighting so many rows before this one, less this; it names this one in turn.
    static let near: UInt64 = 2
}

/// Splits marks of the current shape into five letters and an age, exactly.
enum CurrentShape {
    /// The letters (1-26) and the two digits (0-99) of a mark of the shape `AA00AAA`.
    struct Parts {
        var letter1: UInt8, letter2: UInt8, age: UInt8, letter3: UInt8, letter4: UInt8, letter5: UInt8
    }

    /// 37^5: what the seven characters of the shape leave unused.
    private static let unused: UInt64 = 69_343_957

    @inline(__always)
    static func split(_ vrm: VRM) -> Parts? {
        guard vrm.packed % unused == 0 else { return nil }
        var rest = vrm.packed / unused
        var codes: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        codes.6 = rest % 37
        rest /= 37
        codes.5 = rest % 37
        rest /= 37
        codes.4 = rest % 37
        rest /= 37
        codes.3 = rest % 37
        rest /= 37
        codes.2 = rest % 37
        rest /= 37
        codes.1 = rest % 37
        codes.0 = rest / 37
        let lettersMin = min(min(codes.0, codes.1), min(codes.4, min(codes.5, codes.6)))
        guard lettersMin > 10, codes.2 &- 1 < 10, codes.3 &- 1 < 10 else { return nil }
        return Parts(
            letter1: UInt8(codes.0 - 10),
            letter2: UInt8(codes.1 - 10),
            age: UInt8((codes.2 - 1) * 10 + codes.3 - 1),
            letter3: UInt8(codes.4 - 10),
            letter4: UInt8(codes.5 - 10),
            letter5: UInt8(codes.6 - 10)
        )
    }

    /// The mark of the parts, or `nil` when one is out of range.
    @inline(__always)
    static func join(_ parts: Parts) -> VRM? {
        // 0 wraps round and is too large as well.
        let largest = max(
            max(parts.letter1 &- 1, parts.letter2 &- 1),
            max(parts.letter3 &- 1, max(parts.letter4 &- 1, parts.letter5 &- 1))
        )
        guard largest < 26, parts.age < 100 else { return nil }
        var packed = UInt64(parts.letter1) + 10
        packed = packed * 37 + UInt64(parts.letter2) + 10
        packed = packed * 37 + UInt64(parts.age / 10) + 1
        packed = packed * 37 + UInt64(parts.age % 10) + 1
        packed = packed * 37 + UInt64(parts.letter3) + 10
        packed = packed * 37 + UInt64(parts.letter4) + 10
        packed = packed * 37 + UInt64(parts.letter5) + 10
        return VRM(trusted: packed * unused)
    }
}

/// What a register says of each camera, and the cameras of each site in the order of their registration: a contribution names
/// its camera by its place there.
///
/// Registers only grow, so places never change.
struct SiteCameras: Sendable {
    /// What is known of a camera.
    struct Facts {
        /// The site, by its index.
        var site: UInt32
        /// The place among the site's cameras.
        var place: UInt32
        /// The rank among all by (force, name).
        var rank: UInt32
        /// The raw value of its direction; 0 for none.
        var direction: UInt8
        /// Its lane; -1 for none.
        var lane: Int8
    }

    /// By camera.
    private(set) var facts: [Facts] = []
    /// By site: where its cameras start in `cameras`; and where the last one's end.
    private var starts: [Int]
    private var cameras: [CameraIndex]

    init(_ register: CameraRegister) {
        var counts = [UInt32](repeating: 0, count: register.sites.count)
        facts.reserveCapacity(register.count)
        for (index, site) in register.siteOfCamera.enumerated() {
            let camera = register.cameras[index]
            facts.append(
                Facts(
                    site: site,
                    place: counts[Int(site)],
                    rank: register.cameraOrder[index],
                    direction: camera.direction?.rawValue ?? 0,
                    lane: camera.lane.map { Int8($0) } ?? -1
                )
            )
            counts[Int(site)] += 1
        }
        starts = [0]
        for count in counts { starts.append(starts[starts.count - 1] + Int(count)) }
        cameras = [CameraIndex](repeating: 0, count: register.count)
        for (index, own) in facts.enumerated() {
            cameras[starts[Int(own.site)] + Int(own.place)] = CameraIndex(index)
        }
    }

    /// How many cameras there are.
    var count: Int { facts.count }

    /// How many cameras a site has.
    @inline(__always)
    func count(at site: UInt32) -> Int { starts[Int(site) + 1] - starts[Int(site)] }

    /// The camera at a place of a site; `nil` if the site has no so many.
    @inline(__always)
    func camera(at place: UInt64, of site: UInt32) -> CameraIndex? {
        place < UInt64(count(at: site)) ? cameras[starts[Int(site)] + Int(place)] : nil
    }
}
