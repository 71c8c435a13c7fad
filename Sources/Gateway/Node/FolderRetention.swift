package import ANPRModel
import Access
package import Archive

/// How retention stands in a node's data folder, whether the node runs or not; changes nothing.
package struct FolderRetention {
    /// What is wrong with a purge's record.
    package struct Fault: Sendable, Equatable {
        /// Its number, from 1.
        package var number: Int
        /// What is wrong.
        package var reason: String
    }

    private let configuration: NodeConfiguration
    private let catalogue: Catalogue
    private let keys: KeyRing
    private let retention: Retention

    /// Looks at the data folder of a configuration.
    package init(_ configuration: NodeConfiguration) throws {
        let data = configuration.data
        self.configuration = configuration
        catalogue = try Catalogue("\(data)/catalogue.sqlite", isReadOnly: true)
        keys = try KeyRing(data: data, catalogue)
        retention = Retention(
            archiver: try Archiver(
                "\(data)/archive",
                log: "\(data)/sightings",
                catalogue: catalogue,
                keys: keys
            ),
            catalogue: catalogue,
            policy: configuration.retention,
            images: RetentionImages(
                try ImageStore("\(data)/images", keys: keys, isReadOnly: true),
                search: ArchiveSearch(data: data),
                site: try Self.site(configuration, keys)
            )
        )
    }

    /// Where the camera of an image stands: by the node's register, which the sighting log has, or by the register's file, where
    /// a camera has not sent anything yet that is in the log.
    private static func site(
        _ configuration: NodeConfiguration,
        _ keys: KeyRing
    ) throws -> @Sendable (ImageBinding) -> String? {
        let folder = "\(configuration.data)/sightings"
        var log = SightingLogReader(folder, keys: keys, from: try SightingLog.end(of: folder, keys: keys))
        while try log.readBlock() != nil {}
        let known = NodeCore.site(log.register)
        // A file that can't be read tells nothing: what is not known is taken to be held.
        let registered = configuration.cameras.flatMap { try? NodeConfiguration.register($0) } ?? []
        let others = NodeCore.site(CameraRegister(registered))
        return { known($0) ?? others($0) }
    }

    /// What is past its date at a moment, of what is in the archive, and of alerts, refused and audit records.
    package func plan(now: Timestamp) throws -> [RetentionOutcome] {
        var outcomes = try retention.plan(now: now)
        let holds = try catalogue.activeHolds()
        let records = RecordRetention(configuration, configuration.retention, keys, holds, now: now)
        try records.plan(into: &outcomes)
        return outcomes
    }

    /// What should have gone when retention was due last, and did not.
    package func overdue(now: Timestamp) throws -> [RetentionOutcome] {
        try plan(now: Timestamp(milliseconds: now.milliseconds - configuration.retentionEvery))
            .filter(\.isAny)
    }

    /// When retention was applied last.
    package var applied: Timestamp? { get throws { try catalogue.lastRetention()?.at } }

    /// The versions of the policy, oldest first.
    package var policies: [Catalogue.PolicyVersion] { get throws { try catalogue.policies() } }

    /// The records of all purges, oldest first.
    package var purges: [Catalogue.Purge] { get throws { try catalogue.purges() } }

    /// How many purges were begun and have not ended.
    package var begun: Int { get throws { try catalogue.begunCount() } }

    /// All holds, oldest first.
    package var holds: [Hold] { get throws { try catalogue.holds() } }

    /// The key that purges are signed with, as others keep it.
    package var publicKey: String {
        get throws { try SigningKey.purges(of: configuration.data).publicKey }
    }

    /// The records that are not as the node signed them, and those that are missing.
    ///
    /// What was cut off at the end can't be told from what never was: the audit log has that.
    ///
    /// - Parameter key: the node's public key, kept elsewhere; by default what the folder says itself.
    package func faults(key: String? = nil) throws -> [Fault] {
        let purges = try purges
        // Purges of before there were records have none; after the first record each has one.
        guard let first = purges.firstIndex(where: { $0.signed != nil }) else { return [] }
        let key = try key ?? publicKey
        var faults: [Fault] = []
        var expected = purges.first?.number ?? 1
        for (place, purge) in purges.enumerated() {
            for number in expected..<max(expected, purge.number) {
                faults.append(Fault(number: Int(number), reason: "it is missing"))
            }
            expected = purge.number + 1
            guard place >= first, let reason = Self.fault(purge, key) else { continue }
            faults.append(Fault(number: Int(purge.number), reason: reason))
        }
        return faults
    }

    private static func fault(_ purge: Catalogue.Purge, _ key: String) -> String? {
        guard let signed = purge.signed else { return "its record is missing or can't be read" }
        guard SigningKey.isGood(signed.signature, of: signed.text, by: key) else {
            return "its signature is not the node's"
        }
        let record = signed.record
        let isSame =
            record.rule == purge.rule && record.sightings == purge.sightings
            && record.contributions == purge.contributions
        return isSame ? nil : "the catalogue says otherwise"
    }
}
