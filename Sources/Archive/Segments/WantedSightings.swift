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
    /// Where the marks stand in the order of an archive.
    let keys: [ClosedRange<MarkKey>]
    /// The one mark that is wanted, as a key.
    private let exactKey: UInt64?
    /// Whether everything is wanted.
    let areAll: Bool

    /// An amendment moves a sighting's times by no more than its window, and a sighting lasts no longer than that.
    static let margin: Int64 = 3_600_000

    /// Everything.
    init() {
        mark = nil
        times = .min ... .max
        cameras = nil
        keys = [MarkPattern.allKeys]
        exactKey = nil
        areAll = true
    }

    /// What a query asks for among the cameras of a register.
    init(_ query: SightingQuery, _ register: CameraRegister) {
        mark = query.mark
        // Times can come from another node, and be any.
        let from = max(query.from ?? .distantPast, .distantPast).milliseconds - 2 * Self.margin
        let to = min(query.to ?? .distantFuture, .distantFuture).milliseconds + Self.margin
        times = min(from, to)...max(from, to)
        cameras = query.cameras(of: register)
        keys = query.mark?.keys ?? [MarkPattern.allKeys]
        exactKey = query.mark?.exactKey?.value
        areAll = false
    }

    /// Whether a mark is wanted.
    func contains(_ key: UInt64) -> Bool {
        if let exactKey { return exactKey == key }
        guard let mark else { return true }
        if let alike = mark.alike { return alike.contains(key) }
        if key < MarkKey.firstOther.value, let shape = mark.shape { return shape.matches(key) }
        return MarkKey(value: key).vrm.map(mark.matches) ?? false
    }

    /// Whether a sighting may be wanted.
    ///
    /// - Parameter isAnyMark: whether its mark does not count, because another one may have been merged into it.
    func contains(_ vrm: VRM, _ first: Timestamp, _ camera: CameraIndex, isAnyMark: Bool) -> Bool {
        guard times.contains(first.milliseconds), cameras?[Int(camera)] ?? true else { return false }
        return isAnyMark || mark?.matches(vrm) ?? true
    }
}

extension MarkPattern {
    static let allKeys = MarkKey(value: 0)...MarkKey(value: .max)
    private static let otherKeys = MarkKey.firstOther...MarkKey(value: .max)

    /// The one mark that matches, as a key.
    var exactKey: MarkKey? { exact.map(MarkKey.init) }

    /// Where the marks that match stand in the order of an archive.
    var keys: [ClosedRange<MarkKey>] {
        if let exactKey { return [exactKey...exactKey] }
        if let alike { return alike.ranges }
        // What begins a mark of the current shape, from the least that may follow to the greatest.
        let shape: [(UInt8, UInt8)] = Array("AA00AAA".utf8).map {
            $0 == UInt8(ascii: "A") ? (65, 90) : (48, 57)
        }
        guard prefix.count <= shape.count, zip(prefix, shape).allSatisfy({ $1.0 <= $0 && $0 <= $1.1 }) else {
            return [Self.otherKeys]
        }
        let rest = shape.dropFirst(prefix.count)
        let least = VRM(String(decoding: prefix + rest.map(\.0), as: UTF8.self))
        let greatest = VRM(String(decoding: prefix + rest.map(\.1), as: UTF8.self))
        guard let least, let greatest else { return [Self.allKeys] }
        return [MarkKey(least)...MarkKey(greatest), Self.otherKeys]
    }
}
