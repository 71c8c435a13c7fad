import ANPRModel
import Archive
import SightingExport

/// What was counted, in writing.
struct SummaryText {
    private let summary: SightingSummary
    private let subject: SightingSummary.Subject

    init(_ summary: SightingSummary, _ subject: SightingSummary.Subject) {
        (self.summary, self.subject) = (summary, subject)
    }

    func text(_ format: QueryCommand.Format) -> String {
        switch format {
        case .ndjson: lines
        case .csv: csv
        case .table, .parquet: table
        }
    }

    private var table: String {
        if summary.groups.isEmpty { return "" }
        let rows =
            [[subject.rawValue, "sightings", "first (UTC)", "last (UTC)"]]
            + summary.groups.map { group in
                [
                    (group.isApproximate ? "~" : "") + group.value, NumberText.grouped(group.sightings),
                    TimestampWriter.text(group.first), TimestampWriter.text(group.last),
                ]
            }
        return TextTable.text(rows)
    }

    private var csv: String {
        "\(subject.rawValue),sightings,first,last,approximate\n"
            + summary.groups.map { group in
                "\(SightingCSV.quoted(group.value)),\(group.sightings),\(TimestampWriter.text(group.first)),"
                    + "\(TimestampWriter.text(group.last)),\(group.isApproximate ? "yes" : "")\n"
            }.joined()
    }

    private var lines: String {
        summary.groups.map { group in
            "{\"\(subject.rawValue)\":\(JSONText.quoted(group.value)),\"sightings\":\(group.sightings),"
                + "\"first\":\"\(TimestampWriter.text(group.first))\",\"last\":\"\(TimestampWriter.text(group.last))\""
                + (group.isApproximate ? ",\"approximate\":true" : "") + "}\n"
        }.joined()
    }
}
