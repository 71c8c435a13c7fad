import ANPRModel
import Glibc

/// A place in a feed.
public struct FeedPosition: Sendable, Equatable {
    /// Records (for NDJSON: lines, blank ones included) before it.
    public var line: UInt64
    /// Bytes before it, after decompression.
    public var offset: UInt64

    /// A place; by default the start.
    public init(line: UInt64 = 0, offset: UInt64 = 0) {
        self.line = line
        self.offset = offset
    }
}

/// Cuts a feed's bytes into lines and keeps account of where they stand.
///
/// A line of over 1 MiB is refused in pieces of 1 MiB as it arrives, so that no line, however long, needs more memory.
struct LineSplitter: Sendable {
    /// The longest line that is taken, its line feed included.
    static let lineMax = 1 << 20

    var position = FeedPosition()
    /// Where in the buffer the search for a line feed goes on.
    private var searched = 0
    /// Inside a line that was refused as too long.
    private var isSkipping = false

    /// Whether a line starts where the buffer's content does.
    var isAtStart: Bool { !isSkipping }

    /// The next line, without its line feed.
    mutating func next(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) -> Range<
        Int
    >? {
        while true {
            let start = buffer.start
            let end = Self.lineEnd(buffer.storage.span, from: max(start, searched), to: buffer.end)
            let isWhole = end < buffer.end
            let length = end - start + (isWhole ? 1 : 0)
            if isSkipping || length > Self.lineMax {
                guard refuseLong(&buffer, length: length, isWhole: isWhole, isFinal: isFinal, into: &batch)
                else {
                    return nil
                }
                continue
            }
            guard isWhole || (isFinal && end > start) else {
                searched = end
                return nil
            }
            return start..<end
        }
    }

    /// Consumes a line that `next` gave.
    mutating func finish(_ line: Range<Int>, _ buffer: inout FeedBuffer) {
        let length = min(line.upperBound + 1, buffer.end) - line.lowerBound
        position.line += 1
        consume(length, &buffer)
    }

    /// Remembers nothing of the buffer that its next filling would move.
    mutating func settle(_ buffer: inout FeedBuffer) {
        searched = buffer.count == 0 ? 0 : max(0, searched - buffer.start)
        if buffer.start > 0, buffer.count > 0 { buffer.moveToFront() }
    }

    /// Records a refusal of a line.
    func refuse(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        _ reason: ReadRefusal,
        into batch: inout DecodedBatch
    ) {
        batch.rejected += 1
        batch.refusals.append(
            RefusedRecord(
                reason: reason,
                line: position.line + 1,
                offset: position.offset,
                raw: line.map { bytes[$0] }
            )
        )
    }

    static func isBlank(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        for index in line {
            let byte = bytes[index]
            guard byte == 0x20 || (0x09...0x0D).contains(byte) else { return false }
        }
        return true
    }

    /// Refuses what there is of an over-long line: whole pieces of 1 MiB, and the rest once its end is there.
    ///
    /// - Returns: whether the line is over and the next can be looked for.
    private mutating func refuseLong(
        _ buffer: inout FeedBuffer,
        length: Int,
        isWhole: Bool,
        isFinal: Bool,
        into batch: inout DecodedBatch
    ) -> Bool {
        let isOver = isWhole || isFinal
        var rest = length
        while rest > Self.lineMax || (isOver && rest > 0) {
            let piece = min(rest, Self.lineMax)
            let isEnd = isWhole && piece == rest
            let raw = buffer.storage[buffer.start..<buffer.start + piece - (isEnd ? 1 : 0)]
            batch.refuseLong(Array(raw), at: position, isContinuation: isSkipping)
            isSkipping = true
            consume(piece, &buffer)
            rest -= piece
        }
        guard isOver else {
            searched = buffer.end
            return false
        }
        isSkipping = false
        position.line += 1
        return isWhole
    }

    private mutating func consume(_ count: Int, _ buffer: inout FeedBuffer) {
        position.offset += UInt64(count)
        buffer.consume(count)
        searched = buffer.start
    }

    @inline(__always)
    private static func lineEnd(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        guard start < end, end <= bytes.count else { return end }
        return unsafe bytes.withUnsafeBytes { all in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: all[start..<end])
            guard let base = rest.baseAddress, let found = unsafe memchr(base, 0x0A, rest.count) else {
                return end
            }
            return start + (unsafe UnsafeRawPointer(found) - base)
        }
    }
}
