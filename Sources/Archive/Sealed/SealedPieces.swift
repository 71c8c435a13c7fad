import Compression
import Crypto
import Foundation

/// The pieces of a sealed file: where they stand, and what is in them.
///
/// Only where each begins is remembered, 8 bytes a piece, and the content of the one opened last. What another process adds is
/// found by `look`; what it takes back and writes anew is told by the nonces, of which there are no two alike.
struct SealedPieces: Sendable {
    private let file: DataFile
    private let keys: KeyRing?
    private let name: DataKeyName
    private var known: SymmetricKey?
    /// Where the content of each piece ends, in the content of the file.
    private var ends: [Int] = []
    private var opened: (number: Int, start: [UInt8], content: [UInt8])?
    /// The piece met last that does not open.
    private var unopened = 0
    /// What is behind the last piece, if anything: how long the file is with it, and how it begins.
    private var tail: (size: Int, start: [UInt8])?

    private static let windowLength = 4096

    /// The pieces of a file, none of which was looked at yet.
    init(_ file: DataFile, _ keys: KeyRing?, _ head: SealedHead) {
        self.file = file
        self.keys = keys
        name = head.key
    }

    /// How long the content is.
    var length: Int { ends.last ?? 0 }
    /// Where the next piece goes in the file.
    private var end: Int { place(of: ends.count) }
    /// How many bytes behind the last piece are none, as a crash tears them.
    var torn: Int { tail.map { $0.size - end } ?? 0 }

    private func start(of number: Int) -> Int { number > 0 ? ends[number - 1] : 0 }

    private func place(of number: Int) -> Int {
        SealedHead.length + number * PieceHead.overhead + start(of: number)
    }

    /// The piece that has a byte of the content, which must be there.
    private func piece(at offset: Int) -> Int {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func damaged(_ number: Int) -> StorageError {
        StorageError(.damaged, "\(file.path): damaged at byte \(place(of: number))")
    }

    /// Forgets where pieces stand: others stand there now.
    private mutating func forget() {
        ends = []
        opened = nil
        tail = nil
    }

    // MARK: - The key

    /// The file's key.
    ///
    /// - Throws: `StorageError` of code `destroyed` where it is no more.
    mutating func key() throws(StorageError) -> SymmetricKey {
        if let known { return known }
        guard let keys else {
            throw StorageError(.mismatch, "\(file.path): encrypted, and read without the keys of its folder")
        }
        guard let key = try StorageError.told(of: file.path, { try keys.key(ofFile: name) }) else {
            throw StorageError(.destroyed, "\(file.path): its key was destroyed, or is not in keys/ring")
        }
        known = key
        return key
    }

    // MARK: - Reading

    /// Finds the pieces that were added since.
    ///
    /// The last of them counts only if it opens: it may be torn. What is behind it is torn unless a piece stands behind that.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    mutating func look() throws(StorageError) {
        if try !isAsKnown() { forget() }
        let size = try file.length()
        guard size > end else {
            tail = nil
            return
        }
        if let tail, tail.size == size, try tail.start == file.read(PieceHead.length, at: end) { return }
        let before = ends.count
        try walk(to: size)
        if ends.count > before, try open(ends.count - 1) == nil { ends.removeLast() }
        tail = nil
        guard end < size else { return }
        guard try !hasPiece(behind: end, before: size) else { throw damaged(ends.count) }
        tail = (size, try file.read(PieceHead.length, at: end))
    }

    /// Says that what is behind the last piece is none that a crash tore: it is all there, and does not open.
    ///
    /// - Throws: `StorageError` of code `damaged` with file and byte.
    func demandTorn() throws(StorageError) {
        guard let tail else { return }
        let place = end
        let bytes = try file.read(tail.size - place, at: place)
        guard bytes.count >= PieceHead.length else { return }
        // What is damaged in a head does not make the piece longer: its checksum tells.
        if let head = PieceHead(bytes, at: 0), head.number == ends.count,
            head.length > bytes.count - PieceHead.overhead
        {
            return
        }
        guard TornTail.isHollow(bytes, 0..<bytes.count, at: place) else { throw damaged(ends.count) }
    }

    /// Whether the last piece stands where it stood, and with it the place behind it.
    private func isAsKnown() throws(StorageError) -> Bool {
        guard let last = ends.indices.last else { return true }
        let head = PieceHead(try file.read(PieceHead.length, at: place(of: last)), at: 0)
        return head?.number == last && head?.length == ends[last] - start(of: last)
    }

    private mutating func walk(to size: Int) throws(StorageError) {
        var window: [UInt8] = []
        var windowStart = 0
        while size - end >= PieceHead.overhead {
            if end + PieceHead.length > windowStart + window.count {
                window = try file.read(min(Self.windowLength, size - end), at: end)
                windowStart = end
            }
            guard let head = PieceHead(window, at: end - windowStart), head.number == ends.count,
                head.length <= size - end - PieceHead.overhead
            else { return }
            ends.append(length + head.length)
        }
    }

    /// Whether a later piece than the one that should stand at a place begins behind it.
    private func hasPiece(behind place: Int, before size: Int) throws(StorageError) -> Bool {
        let numbers = ends.count + 1...ends.count + 1 + (size - place) / PieceHead.overhead
        var from = place + 1
        while from + PieceHead.length <= size {
            let bytes = try file.read(min(1 << 20, size - from), at: from)
            guard bytes.count >= PieceHead.length else { return false }
            for start in 0...bytes.count - PieceHead.length {
                if let head = PieceHead(bytes, at: start), numbers.contains(head.number) { return true }
            }
            from += bytes.count - PieceHead.length + 1
        }
        return false
    }

    /// The content of a piece; `nil` if it does not open.
    private mutating func open(_ number: Int) throws(StorageError) -> [UInt8]? {
        let place = place(of: number)
        if let opened, opened.number == number,
            try file.read(PieceHead.length, at: place) == opened.start
        {
            return opened.content
        }
        let count = ends[number] - start(of: number)
        let bytes = try file.read(count + PieceHead.overhead, at: place)
        guard bytes.count == count + PieceHead.overhead, let head = PieceHead(bytes, at: 0),
            head.number == number, head.length == count,
            let content = Self.open(bytes, try key())
        else { return nil }
        opened = (number, Array(bytes[..<PieceHead.length]), content)
        return content
    }

    private static func open(_ bytes: [UInt8], _ key: SymmetricKey) -> [UInt8]? {
        guard
            let nonce = try? AES.GCM.Nonce(data: bytes[PieceHead.length - 12..<PieceHead.length]),
            let sealed = try? AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: bytes[PieceHead.length..<bytes.count - 16],
                tag: bytes.suffix(16)
            ),
            let opened = try? AES.GCM.open(
                sealed,
                using: key,
                authenticating: bytes[..<PieceHead.fieldsLength]
            )
        else { return nil }
        return Array(opened)
    }

    /// Reads content from a place, as far as it goes.
    ///
    /// - Parameters:
    ///   - count: so many bytes at least, if they are there.
    ///   - most: no more than so many; what is beyond `count` is given only where it need not be opened.
    /// - Throws: `StorageError` of code `damaged` with file and byte for what does not open.
    mutating func read(_ count: Int, upTo most: Int, at offset: Int) throws(StorageError) -> [UInt8] {
        try look()
        if let bytes = try readKnown(count, upTo: most, at: offset) { return bytes }
        // Another process may have cut the file and written on since: the last piece is where it was, and others are not.
        forget()
        try look()
        if let bytes = try readKnown(count, upTo: most, at: offset) { return bytes }
        throw damaged(unopened)
    }

    /// Reads of the pieces that are known; `nil` if one does not open.
    private mutating func readKnown(_ count: Int, upTo most: Int, at offset: Int) throws(StorageError)
        -> [UInt8]?
    {
        let end = min(offset + count, length)
        guard offset >= 0, offset < end else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end - offset)
        var number = piece(at: offset)
        while offset + bytes.count < end {
            guard let content = try open(number) else {
                unopened = number
                return nil
            }
            let from = offset + bytes.count - start(of: number)
            let to = min(content.count, offset + most - start(of: number))
            bytes += content[from..<to]
            number += 1
        }
        return bytes
    }
}

// MARK: - Writing

extension SealedPieces {
    /// Adds pieces behind the others: at least one for each part.
    ///
    /// What a write that fails leaves is cut off, then or before the next one.
    mutating func append(_ parts: [[UInt8]]) throws(StorageError) {
        if let keys, ends.isEmpty, known == nil {
            // A file without a piece may be one that was just begun: it is named first, and then has a key.
            try StorageError.told(of: file.path) { try keys.make(name) }
        }
        let key = try key()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count + PieceHead.overhead })
        var fresh = ends.count
        var contents: [Int] = []
        for part in parts {
            for start in stride(from: 0, to: part.count, by: PieceHead.contentMax) {
                let content = part[start..<min(start + PieceHead.contentMax, part.count)]
                try Self.seal(content, fresh, key, into: &bytes)
                contents.append(content.count)
                fresh += 1
            }
        }
        do throws(StorageError) {
            try file.write(bytes, at: end)
        } catch {
            try? file.truncate(to: end)
            throw error
        }
        for count in contents { ends.append(length + count) }
    }

    private static func seal(
        _ content: ArraySlice<UInt8>,
        _ number: Int,
        _ key: SymmetricKey,
        into bytes: inout [UInt8]
    ) throws(StorageError) {
        let head = PieceHead.bytes(length: content.count, number: number)
        do {
            let sealed = try AES.GCM.seal(
                content,
                using: key,
                nonce: AES.GCM.Nonce(),
                authenticating: head[..<PieceHead.fieldsLength]
            )
            bytes += head
            bytes += Array(sealed.nonce)
            bytes += sealed.ciphertext
            bytes += sealed.tag
        } catch {
            throw StorageError(.system, "a piece could not be sealed: \(error)")
        }
    }

    /// Cuts the content to a length, and off the file what is torn.
    ///
    /// A cut falls into a piece only where a write of several was torn: none of that was synced, so nobody was told of any of it.
    /// What is kept of the piece is sealed anew. Who dies in between loses the piece whole, and no other, and leaves nothing behind
    /// the last piece that could be taken for damage.
    mutating func truncate(to length: Int) throws(StorageError) {
        let number = length < self.length ? piece(at: max(length, 0)) : ends.count
        guard number < ends.count else {
            if torn > 0 { try file.truncate(to: end) }
            tail = nil
            return
        }
        let kept = length - start(of: number)
        guard kept > 0 else {
            try file.truncate(to: place(of: number))
            ends.removeLast(ends.count - number)
            tail = nil
            return
        }
        guard let content = try open(number) else { throw damaged(number) }
        var bytes: [UInt8] = []
        try Self.seal(content[..<kept], number, try key(), into: &bytes)
        try file.truncate(to: place(of: number))
        ends.removeLast(ends.count - number)
        tail = nil
        try file.write(bytes, at: end)
        ends.append(length)
    }
}
