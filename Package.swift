// swift-tools-version: 6.3
import PackageDescription

/// Every target is held to the same rules: all warnings are errors, and each unsafe expression is marked.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func tests(_ name: String, on others: [Target.Dependency], fixtures: [String] = []) -> Target {
    .testTarget(name: name, dependencies: others, exclude: fixtures, swiftSettings: strict)
}

func library(_ name: String, on others: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: others, swiftSettings: strict)
}

let package = Package(
    name: "anpr",
    products: [
        .executable(name: "anpr", targets: ["anpr"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        // The pipeline, each on what stands above it.
        library("ANPRModel"),
        library("Compression", on: ["CZlib"]),
        library("FeedDecoding", on: ["ANPRModel"]),
        library("Deduplication", on: ["ANPRModel"]),
        library("SightingFrames", on: ["ANPRModel", "Compression"]),

        library(
            "Archive",
            on: [
                "ANPRModel", "SightingFrames", "Compression", "CSQLite",
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),

        library("Forwarding", on: ["ANPRModel", "Compression", "SightingFrames", "Archive"]),
        library("Access", on: [.product(name: "Crypto", package: "swift-crypto")]),

        // Vehicles of interest: lists, matching, alerts.
        library("Interest", on: ["ANPRModel", "FeedDecoding"]),

        // Feeds like real ones, from a seed: for samples, tests and benchmarks.
        library("Simulation", on: ["ANPRModel", "FeedDecoding"]),

        // What a line carries, and what sightings and traffic take of it.
        library(
            "Bandwidth",
            on: ["ANPRModel", "Compression", "Deduplication", "SightingFrames", "Forwarding"]
        ),

        // Sightings for others: columns, text, signed evidence.
        library(
            "SightingExport",
            on: [
                "ANPRModel", "Compression", "Archive", "Access",
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),

        // Where it all meets: sources, stages, configuration.
        library(
            "Gateway",
            on: [
                "ANPRModel", "Compression", "FeedDecoding", "Deduplication", "SightingFrames", "Archive",
                "Forwarding", "Bandwidth",
                "Access", "Interest",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),

        .executableTarget(
            name: "anpr",
            dependencies: [
                "ANPRModel", "FeedDecoding", "Deduplication", "Archive", "Access", "Gateway", "Compression",
                "SightingFrames", "SightingExport", "Simulation", "Interest", "Bandwidth", "Forwarding",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // Seeded feeds and the slow reference model that answers are compared with.
        .target(
            name: "TestSupport",
            dependencies: [
                "ANPRModel", "FeedDecoding", "Deduplication", "Simulation",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("ANPRModelTests", on: ["ANPRModel", "Simulation", "TestSupport"]),
        tests("CompressionTests", on: ["Compression", "Simulation"]),
        tests("FeedDecodingTests", on: ["ANPRModel", "FeedDecoding", "Simulation", "TestSupport"]),
        tests(
            "DeduplicationTests",
            on: ["ANPRModel", "Deduplication", "FeedDecoding", "Simulation", "TestSupport"]
        ),
        tests(
            "SightingFramesTests",
            on: ["ANPRModel", "Compression", "Deduplication", "SightingFrames", "Simulation", "TestSupport"],
            fixtures: ["Fixtures"]
        ),
        tests(
            "ArchiveTests",
            on: [
                "ANPRModel", "Archive", "Compression", "Deduplication", "SightingFrames", "Simulation",
                "TestSupport",
            ],
            fixtures: ["Fixtures"]
        ),
        tests(
            "ForwardingTests",
            on: [
                "ANPRModel", "Archive", "Compression", "Deduplication", "Forwarding", "SightingFrames",
                "Simulation", "TestSupport",
            ]
        ),
        tests(
            "BandwidthTests",
            on: [
                "ANPRModel", "Bandwidth", "Deduplication", "Forwarding", "Gateway", "Simulation",
                "TestSupport",
            ]
        ),
        tests(
            "SightingExportTests",
            on: [
                "ANPRModel", "Access", "Archive", "Compression", "Simulation", "SightingExport",
                "TestSupport",
            ]
        ),
        tests("InterestTests", on: ["ANPRModel", "Interest", "Simulation", "TestSupport"]),
        tests("HygieneTests", on: []),
        tests("AccessTests", on: ["Access", "TestSupport"]),
        tests(
            "GatewayTests",
            on: [
                "ANPRModel", "Archive", "Deduplication", "FeedDecoding", "Gateway", "Interest", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]
        ),
        tests(
            "EndToEndTests",
            on: ["anpr", "Access", "ANPRModel", "Compression", "FeedDecoding", "Simulation", "TestSupport"]
        ),
    ],
    swiftLanguageModes: [.v6]
)
