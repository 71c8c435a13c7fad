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

func library(_ name: String, on others: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: others, swiftSettings: strict)
}

let package = Package(
    name: "anpr",
    products: [
        .executable(name: "anpr", targets: ["anpr"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The pipeline, each on what stands above it.
        library("ANPRModel"),
        library("Compression", on: ["CZlib"]),
        library("FeedDecoding", on: ["ANPRModel"]),
        library("Deduplication", on: ["ANPRModel"]),

        // Feeds like real ones, from a seed: for samples, tests and benchmarks.
        library("Simulation", on: ["ANPRModel", "FeedDecoding"]),

        // Where it all meets: sources, stages, configuration.
        library("Gateway", on: ["ANPRModel", "Compression", "FeedDecoding", "Deduplication"]),

        .executableTarget(
            name: "anpr",
            dependencies: [
                "ANPRModel", "FeedDecoding", "Deduplication", "Gateway", "Compression",
                "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
