public import ANPRModel
import Crypto
import Foundation

/// A place in the answer to one query, to go on behind it in another search.
///
/// An answer is ordered by the best read's time, the newest first, and of the same time by id. A cursor is the time and the id of
/// the sighting shown last, so that the place stays where it is whatever arrives meanwhile: pages put together are the answer,
/// none repeated and none left out. Only a sighting that an amendment moves past the place meanwhile, which takes it as far as a
/// sighting lasts at most, can come twice or not at all.
///
/// Its token tells no mark. The id in it lets who guesses mark, site and time check the guess, as every id does.
public struct SearchCursor: Hashable, Sendable {
    /// Why a token was refused.
    public enum Refusal: Error, Equatable, CustomStringConvertible {
        /// It is not the text of any cursor.
        case malformed
        /// It is of another query, or one of its characters is another.
        case otherQuery

        /// The refusal in words.
        public var description: String {
            switch self {
            case .malformed: "that is no cursor: it was not copied whole"
            case .otherQuery: "this cursor belongs to another query"
            }
        }
    }

    /// The best read's time of the sighting shown last.
    public let captured: Timestamp
    /// The id of the sighting shown last.
    public let id: SightingID
    /// Of the query and the place.
    private let check: [UInt8]

    /// How a token begins; another way to write it would have another number.
    private static let version: UInt8 = 1
    private static let checkLength = 6
    private static let length = 1 + 8 + 16 + checkLength

    /// The place behind a sighting in the answer to a query.
    public init(behind row: Int, of found: ResolvedSightings, _ query: SightingQuery) {
        captured = found.batch.sightings[row].captured
        id = found.id(of: row)
        check = Self.check(captured, id, query)
    }

    /// Reads a token.
    ///
    /// - Throws: `.malformed` for what `token` can't have given, `.otherQuery` for what it gave for another query.
    public init(token: String, of query: SightingQuery) throws(Refusal) {
        let standard = token.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: standard + padding), data.count == Self.length,
            data.first == Self.version
        else { throw .malformed }
        let bytes = Array(data)
        captured = Timestamp(milliseconds: Int64(bitPattern: Self.word(bytes[1..<9])))
        id = SightingID(high: Self.word(bytes[9..<17]), low: Self.word(bytes[17..<25]))
        check = Array(bytes[25...])
        try demand(of: query)
    }

    /// The cursor as text: 42 letters, digits, `-` and `_`, never beginning with `-`.
    public var token: String {
        let bytes = [Self.version] + Self.place(captured, id) + check
        return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Refuses the cursor for any query but its own.
    func demand(of query: SightingQuery) throws(Refusal) {
        guard Self.check(captured, id, query) == check else { throw .otherQuery }
    }

    /// Whether a sighting comes behind the place.
    func isBefore(_ row: Int, of found: ResolvedSightings) -> Bool {
        let other = found.batch.sightings[row].captured
        return other == captured ? id < found.id(of: row) : other < captured
    }

    /// A query that finds all that comes behind the place, and less else.
    ///
    /// What was captured at the place or before began no later; how far before or behind other versions of it begin is the
    /// search's own matter, as with every end of time. But what was read under another mark is found by the sighting that names
    /// it, and that one may begin later: by as long as the two can last, for they are linked where they overlap. Where links
    /// are followed the end lies so much further on.
    func narrowed(_ query: SightingQuery) -> SightingQuery {
        let room = query.mark == nil ? 0 : SightingReach.unknown.before
        let place = min(max(captured, .earliest), .latest).milliseconds
        var narrow = query
        narrow.to = min(query.to ?? .distantFuture, Timestamp(milliseconds: place + room))
        return narrow
    }

    private static func check(_ captured: Timestamp, _ id: SightingID, _ query: SightingQuery) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: query.identity)
        hash.update(data: place(captured, id))
        return Array(hash.finalize().prefix(checkLength))
    }

    private static func place(_ captured: Timestamp, _ id: SightingID) -> [UInt8] {
        [UInt64(bitPattern: captured.milliseconds), id.high, id.low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension SightingQuery {
    /// What tells it from every other query, each condition with its length before it.
    fileprivate var identity: Data {
        var parts = [mark?.identity ?? "-"]
        parts += [from, to].map { $0.map { String($0.milliseconds) } ?? "-" }
        parts += [camera, force].map { $0.map { "=" + $0 } ?? "-" }
        parts.append(near.map { "\($0.latitude),\($0.longitude),\($0.radius)" } ?? "-")
        parts.append(within.map { "\($0.corners.map { "\($0.latitude),\($0.longitude)" })" } ?? "-")
        parts.append(confidence.map { String($0) } ?? "-")
        let places = (around?.sites ?? [:]).sorted { $0.key < $1.key }
        parts += places.flatMap { [$0.key, "\($0.value.begins) \($0.value.ends)"] } + [String(places.count)]
        parts += Set(sites).sorted()
        return Data(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8)
    }
}
