extension FeedMapping {
    /// Plate Recognizer Stream: JSON, the field `json` of a multipart body, or its CSV.
    ///
    /// In vehicle mode the plate is an object. The CSV names no camera: the feed's rules must.
    public static let plateRecognizer = FeedMapping(
        containers: [.json, .csv(delimiter: UInt8(ascii: ","))],
        records: ["data.results[]", ""],
        ignoredDocuments: [MappingPredicate(["hook.event"], .differs(["recognition"]))],
        fields: [
            "vrm": [.paths("plate.props.plate[].value", "plate")],
            "camera": [.paths("$.data.camera_id", "$.hook.id")],
            "captured": [
                .paths("$.data.timestamp", "$.data.timestamp_local", "timestamp", transform: .time(.iso))
            ],
            "confidence": [
                .paths("plate.props.plate[].score", "plate.score", "score", transform: .scaled(100))
            ],
            "direction": [.path("direction", .degrees)],
            "country": [.paths("region.code", "plate.props.region[].value")],
            "eventId": [.paths("$.data.filename", "$.hook.filename")],
        ]
    )
}
