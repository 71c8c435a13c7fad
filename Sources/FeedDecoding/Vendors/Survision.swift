extension FeedMapping {
    /// Survision: JSON made of XML.
    ///
    /// The serial number is in a header of HTTP, so that the feed's rules name the camera.
    public static let survision = FeedMapping(
        containers: [.json],
        ignoredDocuments: [MappingPredicate(["anpr"], .missing)],
        fields: [
            "vrm": [.path("anpr.decision.@plate")],
            "captured": [.path("anpr.@date", .time(.epoch(.milliseconds)))],
            "confidence": [.path("anpr.decision.@reliability")],
            "direction": [
                .paths(
                    "anpr.decision.@direction",
                    "anpr.@direction",
                    transform: .words([
                        "approaching": "towards", "receding": "away", "front": "towards", "rear": "away",
                        "unknown": "",
                    ])
                )
            ],
            "country": [.path("anpr.decision.@context")],
            "eventId": [.path("anpr.@id")],
        ]
    )
}
