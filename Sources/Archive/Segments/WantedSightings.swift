import ANPRModel
import SightingFrames

/// What a segment is read for: by what no amendment changes, so that all versions of a sighting are found.
struct WantedSightings {
    /// The marks that are wanted; `nil` for all.
    let mark: MarkPattern?
    /// When a sighting begins, in any version.
    private let times: ClosedRange<Int64>
    /// By camera whether it stands where it is asked for; `nil` for all.
    private let cameras: [Bool]?
    /// By camera the times at its site that are asked for; `nil` for all.
    private let around: [TimeSpans]?
    /// Where the marks stand in the order of an archive.
    let keys: [ClosedRange<MarkKey>]
    /// The one mark that is wanted, as a key.
    private let exactKey: UInt64?
    /// Whether everything is wanted.
    let areAll: Bool

    private static let dayLength: Int64 = 86_400_000

    private static func times(_ day: Int32) -> ClosedRange<Int64> {
        Int64(day) * dayLength...Int64(day) * dayLength + dayLength - 1
    }

    /// Everything.
    init() {
        mark = nil
        times = .min ... .max
        cameras = nil
        around = nil
        keys = [MarkPattern.allKeys]
        exactKey = nil
        areAll = true
    }

    /// What a query asks for among the cameras of a register.
    ///
    /// - Parameter day: the one of the sightings that are looked at, if they are all of one; what is asked of others is left out.
    init(_ query: SightingQuery, _ register: CameraRegister, _ reach: SightingReach, day: Int32? = nil) {
        mark = query.mark
        // Times can come from another node, and be any.
        let from = max(query.from ?? .distantPast, .distantPast).milliseconds - reach.before
        let to = min(query.to ?? .distantFuture, .distantFuture).milliseconds + reach.behind
        times = min(from, to)...max(from, to)
        let wanted = query.cameras(of: register)
        if let asked = query.around {
            let sites = asked.sites.mapValues { $0.widened(before: reach.before, behind: reach.behind) }
            let around = register.cameras.indices.map { camera in
                guard wanted?[camera] ?? true else { return TimeSpans([]) }
                return sites[register.siteName(of: CameraIndex(camera))] ?? TimeSpans([])
            }
            self.around = around
            let times = day.map(Self.times) ?? .min ... .max
            cameras = around.map { $0.overlap(times.lowerBound, times.upperBound) }
        } else {
            (around, cameras) = (nil, wanted)
        }
        keys = query.mark?.keys ?? [MarkPattern.allKeys]
        exactKey = query.mark?.exactKey?.value
        areAll = false
    }

    /// The places of the marks of a page that are wanted; `nil` for all.
    ///
    /// - Parameter page: keys, ascending.
    func places(in page: [UInt64]) -> [Int]? {
        guard let mark else { return nil }
        if let exactKey { return page.place(of: exactKey).map { [$0] } ?? [] }
        guard let list = mark.keyList, let first = page.first, let last = page.last else {
            return page.indices.filter { contains(page[$0]) }
        }
        return list[list.lowerBound(first)...].prefix { $0 <= last }.compactMap { page.place(of: $0) }
    }

    /// Whether a mark is wanted.
    ///
    /// - Parameter key: the value of its key.
    func contains(_ key: UInt64) -> Bool {
        guard let mark else { return true }
        if let alike = mark.alike { return alike.contains(key) }
        if key < MarkKey.firstOther.value, let shape = mark.shape { return shape.matches(key) }
        return MarkKey(value: key).vrm.map(mark.matches) ?? false
    }

    /// Whether it does not matter which cameras a sighting is of.
    var isAnywhere: Bool { cameras == nil && around == nil }

    /// By force whether a day's sightings may be wanted that one of its cameras has the best read of.
    ///
    /// By site, as all that is asked of places, because of one sighting's versions two forces may have the best read.
    func isWanted(of forces: [String], _ register: CameraRegister, day: Int32) -> [Bool] {
        if isAnywhere { return forces.map { _ in true } }
        let times = Self.times(day)
        var wanted: Set<String> = []
        for (index, camera) in register.cameras.enumerated() where cameras?[index] ?? true {
            guard around?[index].overlap(times.lowerBound, times.upperBound) ?? true else { continue }
            wanted.insert(camera.force)
        }
        return forces.map(wanted.contains)
    }

    /// Whether any sighting of a part of a page may be wanted.
    ///
    /// - Parameter isWanted: by mark whether that one is; `nil` if any is.
    func containsAny(_ moments: PageMoments, _ isWanted: [Bool]?) -> Bool {
        guard let isWanted else { return containsAny(moments, 0..<moments.times.count) }
        var row = 0
        for (mark, count) in moments.counts.enumerated() {
            if isWanted[mark], containsAny(moments, row..<row + count) { return true }
            row += count
        }
        return false
    }

    /// The runs with sightings that may be wanted.
    func runs(in moments: PageMoments) -> [Int] {
        var runs: [Int] = []
        var row = 0
        guard let cameras else {
            for (run, count) in moments.counts.enumerated() {
                if containsAny(moments, row..<row + count) { runs.append(run) }
                row += count
            }
            return runs
        }
        // Most are elsewhere.
        let (isThere, places, counts) = (cameras.span, moments.cameras.span, moments.counts.span)
        for run in counts.indices {
            var isWanted = false
            for _ in 0..<counts[run] {
                if isThere[Int(places[row])], !isWanted {
                    isWanted = contains(moments.times[row], places[row])
                }
                row += 1
            }
            if isWanted { runs.append(run) }
        }
        return runs
    }

    private func containsAny(_ moments: PageMoments, _ rows: Range<Int>) -> Bool {
        rows.contains { contains(moments.times[$0], moments.cameras[$0]) }
    }

    /// Whether a sighting may be wanted, whatever its mark.
    private func contains(_ first: Timestamp, _ camera: CameraIndex) -> Bool {
        let time = first.milliseconds
        guard times.contains(time), cameras?[Int(camera)] ?? true else { return false }
        guard let around else { return true }
        return around[Int(camera)].overlap(time, time)
    }

    /// Whether a sighting may be wanted.
    ///
    /// - Parameter isAnyMark: whether its mark does not count, because another one may have been merged into it.
    func contains(_ vrm: VRM, _ first: Timestamp, _ camera: CameraIndex, isAnyMark: Bool) -> Bool {
        contains(first, camera) && (isAnyMark || mark?.matches(vrm) ?? true)
    }
}

/// How far the versions of a sighting may begin from what an answer holds of it.
struct SightingReach: Sendable, Equatable {
    /// How long before a span of time a sighting may begin, in any version, whose newest version lies in it.
    let before: Int64
    /// How long behind it.
    let behind: Int64

    /// Of an archive that does not know: no rule joins reads that are further apart than an hour.
    static let unknown = SightingReach(3_600_000)

    /// Of an archive in which no sighting lasts longer, or begins further from when it was opened, in milliseconds.
    init(_ longest: Int64) {
        // Its newest version may begin so long before the span, and any other twice as far from that one.
        before = 3 * longest
        behind = 2 * longest
    }
}

extension MarkPattern {
    static let allKeys = MarkKey(value: 0)...MarkKey(value: .max)

    /// Where the marks of other shapes that match stand: those of the pattern's length, where it has one.
    private var otherKeys: ClosedRange<MarkKey> {
        length.map(MarkKey.others) ?? MarkKey.firstOther...MarkKey(value: .max)
    }

    /// The one mark that matches, as a key.
    var exactKey: MarkKey? { exact.map(MarkKey.init) }

    /// All marks that match as keys, ascending, where they are told one by one.
    var keyList: [UInt64]? { list ?? guesses ?? alike.flatMap { $0.keys.isEmpty ? nil : $0.keys } }

    /// Where the marks that match stand in the order of an archive.
    var keys: [ClosedRange<MarkKey>] {
        if let exactKey { return [exactKey...exactKey] }
        if let keyList { return Self.ranges(keyList) }
        if alike != nil { return [Self.allKeys] }
        // What begins a mark of the current shape, from the least that may follow to the greatest.
        let shape: [(UInt8, UInt8)] = Array("AA00AAA".utf8).map {
            $0 == UInt8(ascii: "A") ? (65, 90) : (48, 57)
        }
        guard prefix.count <= shape.count, zip(prefix, shape).allSatisfy({ $1.0 <= $0 && $0 <= $1.1 }) else {
            return [otherKeys]
        }
        let rest = shape.dropFirst(prefix.count)
        let least = VRM(String(decoding: prefix + rest.map(\.0), as: UTF8.self))
        let greatest = VRM(String(decoding: prefix + rest.map(\.1), as: UTF8.self))
        guard let least, let greatest else { return [Self.allKeys] }
        return [MarkKey(least)...MarkKey(greatest), otherKeys]
    }

    /// Where keys stand: those that follow one another together.
    private static func ranges(_ keys: [UInt64]) -> [ClosedRange<MarkKey>] {
        var ranges: [ClosedRange<MarkKey>] = []
        for key in keys {
            if let last = ranges.last, last.upperBound.value + 1 == key {
                ranges[ranges.count - 1] = last.lowerBound...MarkKey(value: key)
            } else {
                ranges.append(MarkKey(value: key)...MarkKey(value: key))
            }
        }
        return ranges
    }
}
