import ANPRModel
import FeedDecoding
import TestSupport

/// The register and the record that the tables of this target vary.
enum Sample {
    /// `43-0-1` and `43-0-2` at `SITE-0` and so on, and `43/ALONE`, which has no direction and no lane.
    static let register = SmallRegister.make(sites: 1, forces: ["43", "45"], camerasEach: 2)

    static let required = #""vrm":"AB27CDE","force":"43","camera":"43-0-1","captured":"2026-11-20T06:00:00Z""#

    static let captured = Timestamp(milliseconds: 1_795_154_400_000)

    /// A good object with more members behind the required ones.
    static func object(_ more: String = "") -> String {
        "{\(required)\(more.isEmpty ? "" : ",")\(more)}"
    }

    /// A good object in which one of the required members is replaced.
    static func object(replacing name: String, by member: String) -> String {
        let members = [
            "vrm": #""vrm":"AB27CDE""#, "force": #""force":"43""#, "camera": #""camera":"43-0-1""#,
            "captured": #""captured":"2026-11-20T06:00:00Z""#,
        ]
        let kept = ["vrm", "force", "camera", "captured"].filter { $0 != name }.compactMap { members[$0] }
        return "{" + (member.isEmpty ? kept : kept + [member]).joined(separator: ",") + "}"
    }

    static func decode(_ text: String, _ format: FeedFormat = .ndjson, _ rules: FeedRules = FeedRules())
        -> DecodedFeed
    {
        FeedBytes.decode(text.utf8, format, register, rules)
    }
}

/// A refusal as a table states it.
struct Refused: Equatable {
    var reason: ReadRefusal
    var line: UInt64
    var offset: UInt64
    var raw: String

    init(_ reason: ReadRefusal, line: UInt64, offset: Int, raw: String) {
        self.reason = reason
        self.line = line
        self.offset = UInt64(offset)
        self.raw = raw
    }

    init(_ record: RefusedRecord) {
        reason = record.reason
        line = record.line
        offset = record.offset
        raw = String(decoding: record.raw, as: UTF8.self)
    }
}
