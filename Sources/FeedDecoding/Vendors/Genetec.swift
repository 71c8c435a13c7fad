extension FeedMapping {
    /// Genetec AutoVu exporter: JSON or XML, with the exporter's default names.
    ///
    /// Dates are in the order that the feed's rules say: exporters are set up either way.
    public static let genetec = FeedMapping(
        containers: [.json, .xml],
        records: ["Reads[]", "Read[]", ""],
        fields: [
            "vrm": [.path("Plate")],
            "camera": [.paths("CameraName", "SourceName")],
            "captured": [
                .joined("DateUtc", "TimeUtc", separator: " ", .time(.patterns(["D HH:mm:ss.SU"])))
            ],
            "confidence": [.paths("ConfidenceScore", "Attributes.Confidence Score")],
            "lat": [.path("LatitudeY")],
            "lon": [.path("LongitudeX")],
            "direction": [
                .path(
                    "Attributes.Relative Motion",
                    .words(["Closer": "towards", "Away": "away", "Farther": "away", "Unknown": ""])
                )
            ],
            "plateImage": [.path("PlateImage")],
            "overviewImage": [.path("ContextImage")],
            "eventId": [.path("Guid")],
        ]
    )
}
