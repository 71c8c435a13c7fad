package import Bandwidth
import Foundation
import Yams

extension BandwidthTargets {
    private static let keys = [
        "bytesPerSightingMax", "bytesPerReadMax", "busiestSecondMax", "headroomMin", "waitMax", "catchUpMax",
        "savedMin", "readsPerDayMin", "replaySpeedMin",
    ]

    /// Reads a file of targets: YAML, each by its name.
    ///
    /// Numbers are plain, rates such as `64kbit/s`, shares such as `20%`, durations such as `2s` or `2h`.
    ///
    /// - Throws: `ConfigurationRefused` with all problems at once.
    package static func read(_ path: String) throws -> BandwidthTargets {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationRefused(path: path, problems: [.init(line: 0, text: "can't be read")])
        }
        let reader = ConfigurationReader()
        var targets = BandwidthTargets()
        do {
            guard let text = String(validating: data, as: UTF8.self), let root = try Yams.compose(yaml: text)
            else {
                throw ConfigurationRefused(
                    path: path,
                    problems: [.init(line: 0, text: "empty, or not UTF-8")]
                )
            }
            targets.parse(root, reader)
        } catch let error as YamlError {
            throw ConfigurationRefused(path: path, problems: [NodeConfiguration.problem(error)])
        }
        guard reader.problems.isEmpty else {
            throw ConfigurationRefused(path: path, problems: reader.problems.sorted { $0.line < $1.line })
        }
        return targets
    }

    private mutating func parse(_ root: Node, _ reader: ConfigurationReader) {
        let members = reader.members(root, of: "targets", known: Self.keys)
        bytesPerSightingMax = reader.number(members["bytesPerSightingMax"], "bytesPerSightingMax")
        bytesPerReadMax = reader.number(members["bytesPerReadMax"], "bytesPerReadMax")
        busiestSecondMax = reader.rate(members["busiestSecondMax"], "busiestSecondMax", 1...1_000_000_000_000)
            .map { Double($0) }
        headroomMin = reader.share(members["headroomMin"], "headroomMin")
        waitMax = reader.duration(members["waitMax"], "waitMax").map { Double($0) / 1000 }
        catchUpMax = reader.duration(members["catchUpMax"], "catchUpMax").map { Double($0) / 1000 }
        savedMin = reader.share(members["savedMin"], "savedMin")
        readsPerDayMin = reader.number(members["readsPerDayMin"], "readsPerDayMin")
        replaySpeedMin = reader.number(members["replaySpeedMin"], "replaySpeedMin")
    }
}

extension ConfigurationReader {
    /// A number above nothing.
    fileprivate func number(_ node: Node?, _ what: String) -> Double? {
        guard let node else { return nil }
        guard let value = node.scalar.flatMap({ Double($0.string) }), value > 0, value < 1e15 else {
            note("\(what) must be a number above 0", at: node)
            return nil
        }
        return value
    }

    /// A share from `0%` to `100%`.
    fileprivate func share(_ node: Node?, _ what: String) -> Double? {
        guard let node else { return nil }
        let text = node.scalar?.string ?? ""
        guard text.hasSuffix("%"), let value = Double(text.dropLast()), (0...100).contains(value) else {
            note("\(what) must be a share such as 20%, from 0% to 100%", at: node)
            return nil
        }
        return value / 100
    }
}
