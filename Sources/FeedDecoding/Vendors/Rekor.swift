extension FeedMapping {
    /// Rekor Scout (OpenALPR): groups and single results in JSON.
    ///
    /// Heartbeats, alerts and previews of groups are ignored; the group itself follows its previews.
    public static let rekor = FeedMapping(
        containers: [.json],
        records: ["results[]", ""],
        ignoredDocuments: [
            MappingPredicate(["data_type"], .equals(["heartbeat", "alpr_alert"])),
            MappingPredicate(["is_preview"], .equals(["true", "1"])),
        ],
        fields: [
            "vrm": [.paths("best_plate_number", "best_plate.plate", "plate")],
            "camera": [.path("$.camera_id")],
            "captured": [.paths("$.epoch_start", "$.epoch_time", transform: .time(.epoch(.byMagnitude)))],
            "confidence": [.paths("best_confidence", "confidence")],
            "lat": [.path("$.gps_latitude")],
            "lon": [.path("$.gps_longitude")],
            "direction": [.path("$.travel_direction", .degrees)],
            "country": [.path("$.country")],
            "eventId": [.paths("$.best_uuid", "$.uuid")],
        ]
    )
}
