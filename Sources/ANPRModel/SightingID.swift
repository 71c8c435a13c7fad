/// A sighting's identity: 128 bits that depend on (vrm, site, first captured) alone.
///
/// Every replay and every replica computes the same one. It is made of two chains of the SplitMix64
/// finaliser, `mix(mix(mix(vrm + seed) + FNV-1a(site)) + first)`, with the seeds below. It is no secret: who can
/// guess the mark can check the guess, so an id is people's data like the mark itself.
public struct SightingID: Hashable, Sendable {
    /// The first eight bytes.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// Computes the id.
    ///
    /// - Parameters:
    ///   - vrm: the sighting's mark.
    ///   - siteHash: `hash(ofSite:)` of the site's name.
    ///   - first: the first captured time with which the sighting was opened.
    public init(vrm: VRM, siteHash: UInt64, first: Timestamp) {
        let time = UInt64(bitPattern: first.milliseconds)
        high = Self.mix(Self.mix(Self.mix(vrm.packed &+ 0x9E37_79B9_7F4A_7C15) &+ siteHash) &+ time)
        low = Self.mix(Self.mix(Self.mix(vrm.packed &+ 0xD1B5_4A32_D192_ED03) &+ siteHash) &+ time)
    }

    /// An id as it was told.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// 32 lower-case hexadecimal digits.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the 32 digits.
    public func append(to bytes: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) { bytes.append(Self.digit(high >> UInt64(shift))) }
        for shift in stride(from: 60, through: 0, by: -4) { bytes.append(Self.digit(low >> UInt64(shift))) }
    }

    /// FNV-1a, 64 bits, of the name's UTF-8.
    public static func hash(ofSite name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    private static func digit(_ value: UInt64) -> UInt8 {
        let nibble = UInt8(truncatingIfNeeded: value & 15)
        return nibble < 10 ? 48 + nibble : 87 + nibble
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension SightingID: Comparable {
    /// Whether one comes before the other, as their texts do.
    public static func < (left: SightingID, right: SightingID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
