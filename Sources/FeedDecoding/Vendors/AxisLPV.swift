extension FeedMapping {
    /// Axis License Plate Verifier, also as FF Group sells it: JSON, alone or in a multipart body.
    ///
    /// One passage gives NEW, UPDATEs and, at its end, LOST with the final mark and direction: only that is a read.
    public static let axisLPV = FeedMapping(
        containers: [.json],
        ignoredDocuments: [MappingPredicate(["carState"], .equals(["new", "update"]))],
        fields: [
            "vrm": [.paths("plateUTF8", "plateASCII", "plateText")],
            "camera": [.paths("camera_info.SerialNumber", "sensorProviderID")],
            "captured": [
                .path("capture_timestamp", .time(.epoch(.milliseconds))),
                .path("capture_ts", .time(.epoch(.nanoseconds))),
                .path("datetime", .time(.patterns(["yyyyMMdd HHmmssSZ"]))),
            ],
            "confidence": [.path("plateConfidence", .scaled(100))],
            "lat": [.path("geotag.lat")],
            "lon": [.path("geotag.lon")],
            "direction": [
                .path(
                    "carMoveDirection",
                    .words(["in": "towards", "out": "away", "unk": "", "unknown": "", "undefined": ""])
                )
            ],
            "country": [.path("plateCountry")],
            "eventId": [.path("carID")],
        ]
    )
}
