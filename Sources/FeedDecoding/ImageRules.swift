public import ANPRModel

/// Which pictures of reads are kept, and how long they may be.
///
/// A picture that is not kept costs no more than the bytes it came in; one that is too long, not base 64 or no JPEG is dropped
/// and counted, and its read stays.
public struct ImageRules: Sendable, Equatable {
    /// The longest patch that is kept, in bytes of JPEG; 0 keeps none.
    public var plateMax: Int
    /// The longest overview that is kept, in bytes of JPEG; 0 keeps none.
    public var overviewMax: Int

    /// Rules; without limits none is kept.
    public init(plateMax: Int = 0, overviewMax: Int = 0) {
        self.plateMax = plateMax
        self.overviewMax = overviewMax
    }

    /// The longest picture of a kind; 0 where none is kept.
    public func lengthMax(_ kind: ImageKind) -> Int { kind == .plate ? plateMax : overviewMax }
}

extension DecodedBatch {
    /// Keeps a picture of a read that came as base 64, if the rules have it so.
    ///
    /// White space in it is passed over, as is a `data:` prefix.
    ///
    /// - Parameters:
    ///   - bytes: where the text stands.
    ///   - range: the text.
    ///   - kind: what the picture shows.
    ///   - read: whose it is.
    ///   - rules: which are kept.
    /// - Returns: whether it was kept.
    @discardableResult
    public mutating func take(
        base64 bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ kind: ImageKind,
        of read: Read,
        _ rules: ImageRules
    ) -> Bool {
        images += 1
        let most = rules.lengthMax(kind)
        guard most > 0 else { return false }
        let text = Base64Text.withoutPrefix(bytes, range)
        guard let jpeg = Base64Text.decode(bytes, text, most: most), Self.isJPEG(jpeg) else {
            imagesDropped += 1
            return false
        }
        keep(ReadImage(of: read, kind: kind, jpeg: jpeg))
        return true
    }

    /// Adds a picture that is known to be one.
    mutating func keep(_ image: ReadImage) {
        pictures.append(image)
        pictureBytes += image.jpeg.count
    }

    /// Whether bytes begin as a JPEG file does; whether it can be shown is for those who look at it.
    static func isJPEG(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count >= 4 && bytes.starts(with: [0xFF, 0xD8, 0xFF])
    }
}

/// Base 64 (RFC 4648, the standard alphabet) in texts.
enum Base64Text {
    private static let bad: UInt8 = 0xFF
    private static let space: UInt8 = 0xFE

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: bad, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, letter) in alphabet.utf8.enumerated() { values[Int(letter)] = UInt8(value) }
        for byte in [0x09, 0x0A, 0x0D, 0x20] { values[byte] = space }
        return values
    }()

    /// The text behind `data:image/jpeg;base64,` or the like.
    static func withoutPrefix(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        let prefix = Array("data:".utf8)
        guard range.count > prefix.count,
            prefix.indices.allSatisfy({ bytes[range.lowerBound + $0] == prefix[$0] }),
            let comma = range.prefix(64).first(where: { bytes[$0] == UInt8(ascii: ",") })
        else { return range }
        return comma + 1..<range.upperBound
    }

    /// The bytes that a text stands for.
    ///
    /// - Returns: `nil` when it is not base 64, or for more than `most` bytes.
    static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>, most: Int) -> [UInt8]? {
        let values = Self.values
        var decoded: [UInt8] = []
        decoded.reserveCapacity(min(range.count / 4 * 3 + 3, most + 3))
        var word: UInt32 = 0
        var count = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = bytes[position]
            position += 1
            let value = values[Int(byte)]
            if value < 64 {
                word = word << 6 | UInt32(value)
                count += 1
                guard count == 4 else { continue }
                guard decoded.count + 3 <= most + 2 else { return nil }
                decoded.append(UInt8(truncatingIfNeeded: word >> 16))
                decoded.append(UInt8(truncatingIfNeeded: word >> 8))
                decoded.append(UInt8(truncatingIfNeeded: word))
                word = 0
                count = 0
            } else if byte == UInt8(ascii: "=") {
                // Nothing but padding and space may follow.
                for place in position..<range.upperBound
                where bytes[place] != byte && values[Int(bytes[place])] != space { return nil }
                break
            } else if value != space {
                return nil
            }
        }
        switch count {
        case 2: decoded.append(UInt8(truncatingIfNeeded: word >> 4))
        case 3:
            decoded.append(UInt8(truncatingIfNeeded: word >> 10))
            decoded.append(UInt8(truncatingIfNeeded: word >> 2))
        case 1: return nil
        default: break
        }
        return decoded.count <= most ? decoded : nil
    }
}
