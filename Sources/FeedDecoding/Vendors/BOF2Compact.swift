extension FeedMapping {
    /// BOF2 compact captures, one a line: 15 values with `|` between, of which the first seven are required.
    ///
    /// The camera is `feedID/sourceID/cameraID`. Signature and user name are not looked at: the channel is trusted or
    /// not as a whole.
    public static let bof2Compact = FeedMapping(
        containers: [
            .pipe(columns: [
                "signature", "username", "vrm", "feedID", "sourceID", "cameraID", "captureDate", "latitude",
                "longitude", "preset", "pan", "tilt", "zoom", "confidence", "motionTowardCamera",
            ])
        ],
        fields: [
            "vrm": [.path("vrm")],
            "camera": [.joined("feedID", "sourceID", "cameraID", separator: "/")],
            "captured": [.path("captureDate", .time(.iso))],
            "lat": [.path("latitude")],
            "lon": [.path("longitude")],
            "confidence": [.path("confidence")],
            "direction": [.path("motionTowardCamera", .words(["true": "towards", "false": "away"]))],
        ]
    )
}
