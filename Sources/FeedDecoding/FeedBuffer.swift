/// The bytes of a feed that were received and not yet decoded.
///
/// Always followed by 32 bytes of line feeds: a scanner that looks ahead by a few words stays inside, and every scan
/// ends.
public struct FeedBuffer: Sendable {
    /// Bytes kept behind the content.
    static let padding = 32

    /// Consumed bytes, content, padding.
    private(set) var storage: [UInt8]
    /// Where the content starts and ends in `storage`.
    private(set) var start = 0
    private(set) var end = 0

    /// An empty buffer with room for `capacity` bytes before it must grow.
    public init(capacity: Int = 1 << 18) {
        storage = [UInt8](repeating: 0x0A, count: capacity + FeedBuffer.padding)
    }

    /// How many bytes wait to be decoded.
    public var count: Int { end - start }

    /// Lets `body` write up to `room` more bytes behind the content.
    ///
    /// - Parameters:
    ///   - room: the most bytes that may be written.
    ///   - body: fills the front of what it is given and returns how many bytes it wrote.
    /// - Returns: what `body` returned.
    public mutating func fill<Failure: Error>(
        upTo room: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        makeRoom(room)
        let from = end
        var outcome: Result<Int, Failure> = .success(0)
        unsafe storage.withUnsafeMutableBytes { all in
            do throws(Failure) {
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: all[from..<from + room])
                outcome = .success(try unsafe body(target))
            } catch { outcome = .failure(error) }
        }
        let written = try outcome.get()
        precondition((0...room).contains(written))
        end += written
        seal()
        return written
    }

    /// Appends bytes at hand.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        makeRoom(bytes.count)
        for byte in bytes {
            storage[end] = byte
            end += 1
        }
        seal()
    }

    /// Takes all bytes out.
    public mutating func takeAll() -> [UInt8] {
        let bytes = Array(storage[start..<end])
        consume(count)
        return bytes
    }

    /// Shows the last `count` bytes.
    public func withLast<Result>(_ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        body(storage.span.extracting(end - count..<end))
    }

    /// Drops `count` bytes from the front: they are decoded.
    mutating func consume(_ count: Int) {
        start += count
        if start == end {
            start = 0
            end = 0
            seal()
        }
    }

    /// Moves the content to the front of the storage.
    mutating func moveToFront() {
        guard start > 0 else { return }
        let content = end - start
        for offset in 0..<content { storage[offset] = storage[start + offset] }
        start = 0
        end = content
        seal()
    }

    private mutating func makeRoom(_ room: Int) {
        moveToFront()
        let needed = end + room + FeedBuffer.padding
        if storage.count < needed { storage += [UInt8](repeating: 0x0A, count: needed - storage.count) }
    }

    private mutating func seal() {
        for offset in 0..<FeedBuffer.padding { storage[end + offset] = 0x0A }
    }
}
