package import ANPRModel
internal import Compression
package import FeedDecoding
import Glibc

/// A finite feed: a file, plain or gzip, or standard input, read and decoded chunk by chunk.
@safe
package final class FeedFile {
    /// Why a feed could not be read, in whole or from some place on.
    package struct Failure: Error, CustomStringConvertible {
        /// The file and what is wrong.
        package var description: String
        /// Whether nothing of the feed could be used.
        package var isTotal: Bool
    }

    /// What the feed is called in reports and quarantine.
    package let name: String
    /// The path as given.
    package let path: String
    private let descriptor: Int32
    private let inflater: Inflater?
    private let inflated = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var buffer = FeedBuffer()
    private var decoder: FeedDecoder
    private let isFingerprinted: Bool
    private var fingerprint = ContentFingerprint()
    private var opening: [UInt8] = []
    /// What reading ended with, when it was not the end of the file.
    private var failed: SystemError?
    /// Whether everything was decoded.
    package private(set) var isFinished = false

    /// Opens a feed.
    ///
    /// - Parameters:
    ///   - path: a file, or `-` for standard input.
    ///   - name: what to call it.
    ///   - format: how it is written; `nil` to tell by the file's extension.
    ///   - register: the cameras it may name.
    ///   - rules: what it may do.
    ///   - isFingerprinted: whether to keep `content`, so that it can be taken up again after a crash.
    package init(
        path: String,
        name: String,
        format: FeedFormat?,
        register: CameraRegister,
        rules: FeedRules,
        isFingerprinted: Bool = false
    ) throws(Failure) {
        self.isFingerprinted = isFingerprinted
        self.path = path
        self.name = name
        let kind = FeedFileName(path)
        guard let format = format ?? kind.format else {
            let known = FeedFormat.fileExtensions.map { ".\($0.name)" }.joined(separator: " ")
            throw Failure(
                description:
                    "\(path): its format is not told by its extension (\(known), each also .gz): use --format",
                isTotal: true
            )
        }
        descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(description: "\(path): \(SystemError.last.text)", isTotal: true)
        }
        do throws(CompressionError) {
            inflater = kind.isGzip ? try Inflater(.gzip) : nil
        } catch {
            throw Failure(description: "\(path): \(error)", isTotal: true)
        }
        decoder = FeedDecoder(format: format, register: register, rules: rules)
    }

    deinit {
        unsafe inflated.deallocate()
        if descriptor > STDERR_FILENO { close(descriptor) }
    }

    /// Where decoding stands.
    package var position: FeedPosition { decoder.position }

    /// A fingerprint of all bytes read so far, decoded or not.
    package var content: (length: UInt64, hash: UInt64) { (fingerprint.length, fingerprint.value) }

    /// Reads about `size` more bytes and decodes what they complete.
    ///
    /// - Returns: how many bytes came; 0 at the end, when `isFinished` is set.
    package func decodeChunk(_ size: Int, into batch: inout DecodedBatch) throws(Failure) -> Int {
        let count = try fill(size)
        isFinished = count == 0
        decoder.decode(&buffer, isFinal: isFinished, into: &batch)
        if let fault = decoder.unusable {
            throw Failure(description: "\(path): \(fault)", isTotal: true)
        }
        return count
    }

    /// Passes over what was taken in an earlier run, if the feed still begins with the very same bytes.
    ///
    /// - Parameters:
    ///   - position: where that run's decoding stood.
    ///   - length: how many bytes it had read.
    ///   - hash: their fingerprint.
    /// - Returns: `false` if the feed is another one; it must then be opened anew.
    package func resume(at position: FeedPosition, length: UInt64, hash: UInt64) throws(Failure) -> Bool {
        var tail: [UInt8] = []
        var last: UInt8 = 0x0A
        while fingerprint.length < length {
            let count = try fill(Int(min(UInt64(1 << 18), length - fingerprint.length)))
            guard count > 0 else { return false }
            let bytes = buffer.takeAll()
            last = bytes.last ?? last
            if opening.count < 1 << 16 { opening += bytes.prefix(1 << 16 - opening.count) }
            // Bytes behind the position were read but belong to a record that was not whole.
            let end = fingerprint.length
            if end > position.offset {
                let fresh = Int(min(UInt64(bytes.count), end - position.offset))
                tail += bytes.suffix(fresh)
            }
        }
        guard fingerprint.value == hash else { return false }
        // A last record without a line end was taken as whole. If the file has grown it may not have been: the file is
        // then read again, and what is known of it falls out as redelivered.
        if last != 0x0A, position.offset == length, try fill(1) > 0 { return false }
        decoder.resume(at: position, opening: opening)
        buffer.append(tail)
        return true
    }

    private func fill(_ size: Int) throws(Failure) -> Int {
        let count: Int
        do throws(CompressionError) {
            count = inflater == nil ? try fillPlain(size) : try fillInflated(size)
        } catch {
            let place = decoder.position.offset + UInt64(buffer.count)
            throw Failure(
                description: "\(path): \(error), after \(place) unpacked bytes",
                isTotal: place == 0
            )
        }
        if let failed {
            let place = decoder.position.offset + UInt64(buffer.count)
            throw Failure(description: "\(path): \(failed.text), after \(place) bytes", isTotal: place == 0)
        }
        if count > 0, isFingerprinted { fingerprint.take(buffer, last: count) }
        return count
    }

    private func fillPlain(_ size: Int) throws(CompressionError) -> Int {
        unsafe buffer.fill(upTo: size) { target in
            while true {
                let count = unsafe read(descriptor, target.baseAddress, target.count)
                if count < 0, errno == EINTR { continue }
                if count < 0 { failed = SystemError.last }
                return max(count, 0)
            }
        }
    }

    private func fillInflated(_ size: Int) throws(CompressionError) -> Int {
        guard let inflater else { return 0 }
        return try unsafe buffer.fill(upTo: size) { target throws(CompressionError) in
            var produced = 0
            while produced < target.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[produced...])
                produced += try unsafe inflater.read(into: rest)
                guard produced < target.count, inflater.pending == 0 else { continue }
                var count = unsafe read(descriptor, inflated.baseAddress, inflated.count)
                while count < 0, errno == EINTR {
                    unsafe count = read(descriptor, inflated.baseAddress, inflated.count)
                }
                if count < 0 {
                    failed = SystemError.last
                    break
                }
                if count == 0 {
                    guard inflater.isFinished || produced > 0 else { throw .truncated }
                    break
                }
                unsafe inflater.feed(Array(inflated[0..<count]))
            }
            return produced
        }
    }
}

/// What a feed's file name tells.
package struct FeedFileName {
    /// The name without folders and known extensions.
    package let stem: String
    /// The format its extension names.
    package let format: FeedFormat?
    /// Whether it ends in `.gz`.
    package let isGzip: Bool

    /// Takes a path.
    package init(_ path: String) {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        isGzip = name.hasSuffix(".gz")
        if isGzip { name.removeLast(3) }
        let known = FeedFormat.ofFile(named: name)
        format = known?.format
        if let known { name = known.stem }
        stem = path == "-" ? "stdin" : name
    }
}
