extension FeedMapping {
    /// Milesight: JSON; counting events come on the same way and have no plate.
    public static let milesight = FeedMapping(
        containers: [.json],
        ignoredDocuments: [MappingPredicate(["plate"], .missing)],
        fields: [
            "vrm": [.path("plate")],
            "camera": [.path("device")],
            "captured": [.paths("time_msec", "time", transform: .time(.iso))],
            "confidence": [.path("confidence")],
            "direction": [
                .path("direction", .words(["Approach": "towards", "Away": "away", "-": "", "Unknown": ""]))
            ],
            "speed": [.path("speed", .words(["-": ""]))],
            "country": [.path("region", .words(["-": "", "unknown": ""]))],
            "plateImage": [.path("plate_image")],
            "overviewImage": [.path("full_image")],
        ]
    )
}
