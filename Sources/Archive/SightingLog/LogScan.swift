import SightingFrames

/// A walk over one file of a log: where its marks are, and whether it ends as a crash leaves it.
struct LogScan {
    struct End {
        var offset: Int
        var sequence: UInt64
        var mark: StreamMark
        var cameraCount: Int
    }

    let length: Int
    private(set) var lastMark: End?
    /// What can't be read, and is not what a crash leaves.
    private(set) var damage: Int?

    private static let markLength = Block.headerLength + 16

    init(_ bytes: [UInt8]) {
        length = bytes.count
        var position = 0
        var cameras = 0
        while let block = try? Block.read(bytes, at: &position) {
            if block.kind == .register { cameras += Int(block.count) }
            guard block.kind == .mark, let mark = try? StreamMark(block) else { continue }
            lastMark = End(offset: position, sequence: block.sequence, mark: mark, cameraCount: cameras)
        }
        if position < length, !Self.isTorn(bytes, from: position) { damage = position }
    }

    /// Says what is damaged.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    func demandUndamaged(_ path: String) throws(StorageError) {
        guard let damage else { return }
        throw StorageError(.damaged, "\(path): damaged at byte \(damage)")
    }

    /// Whether what can't be read from a position on is what a crash leaves of writes that were not synced.
    ///
    /// Several can wait for a sync: of these a crash of the machine may have kept a later one and not an earlier one, which then has
    /// zeros in its place. The journal gives them all again.
    ///
    /// - Complexity: O(length) of what can't be read.
    private static func isTorn(_ bytes: [UInt8], from position: Int) -> Bool {
        let later = block(bytes, behind: position)
        if TornTail.isHollow(bytes, position..<(later ?? bytes.count)) { return true }
        if later != nil { return false }
        do throws(Block.Fault) {
            let length = try Block.length(bytes, at: position)
            // A mark's length is known, and so that of what must be there of it.
            if bytes[position + 4] == Block.Kind.mark.rawValue, length != markLength { return false }
            return length > bytes.count - position
        } catch .incomplete {
            return true
        } catch {
            return false
        }
    }

    /// Where the first whole block behind a position begins.
    private static func block(_ bytes: [UInt8], behind position: Int) -> Int? {
        let last = bytes.count - Block.headerLength
        guard position < last else { return nil }
        return (position + 1...last).first { start in
            guard bytes[start] == UInt8(ascii: "A"), bytes[start + 1] == UInt8(ascii: "N") else {
                return false
            }
            var place = start
            return (try? Block.read(bytes, at: &place)) != nil
        }
    }
}
