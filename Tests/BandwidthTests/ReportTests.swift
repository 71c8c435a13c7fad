import ANPRModel
import Bandwidth
import Foundation
import Gateway
import TestSupport
import Testing

/// What people and machines are told.
struct ReportTests {
    private static func keys(_ value: Any, _ path: String) -> [String] {
        if let object = value as? [String: Any] {
            return object.flatMap { keys($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
        }
        if let list = value as? [Any] { return list.first.map { keys($0, "\(path)[]") } ?? [path] }
        return [path]
    }

    @Test("the keys of the JSON are these")
    func jsonKeys() throws {
        let report = try Replays.simulated(seed: 1, minutes: 6) { $0.readsPerDay = 300_000 }.report
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
        let expected = """
            alone.bytes alone.forces alone.saved alone.sightings amendments bytes.amendments bytes.marks bytes.messages
            bytes.register bytes.sightings bytes.transport bytesPerRead bytesPerSighting bytesReturned bytesTotal
            capacity.growth capacity.readsPerDay capacity.readsPerDayFull capacity.readsPerDayShaped
            capacity.readsPerSecond catchUp.bytes catchUp.outageSeconds catchUp.seconds catchUp.sightings
            comparisons[].bytes comparisons[].bytesPerRead comparisons[].form comparisons[].reads comparisons[].times
            duplicates.acrossForces duplicates.late duplicates.redelivered duplicates.sameCamera duplicates.sameSite
            frameBytesPerSighting frames fullBytesPerSighting line.bitsPerSecond line.delayMaxSeconds line.isEncrypted
            reads.accepted reads.late reads.received reads.redelivered reads.rejected sightings traffic.busiestSecondAt
            traffic.busiestSecondReads traffic.from traffic.readsPerDay traffic.readsPerSecond traffic.seconds traffic.to
            use.busiestMinute use.busiestMinuteAt use.busiestSecond use.busiestSecondAt use.headroomMinute
            use.headroomSecond use.mean wait.longestSeconds wait.meanSeconds wait.mostSeconds
            """
        #expect(
            Self.keys(json, "").sorted()
                == expected.split(whereSeparator: \.isWhitespace).map(String.init).sorted()
        )
        let again = try JSONDecoder().decode(BandwidthReport.self, from: JSONEncoder().encode(report))
        #expect(again == report)
    }

    @Test("each target is met at its limit and missed beyond it")
    func targets() throws {
        let report = try Replays.simulated(seed: 2, minutes: 6).report
        func verdicts(_ change: (inout BandwidthTargets) -> Void) -> [String] {
            var targets = BandwidthTargets()
            change(&targets)
            return targets.verdicts(on: report, replaySpeed: 1000).filter { !$0.isMet }.map(\.target)
        }
        let met = verdicts {
            $0.waitMax = report.wait.longestSeconds
            $0.bytesPerSightingMax = report.bytesPerSighting
            $0.bytesPerReadMax = report.bytesPerRead
            $0.busiestSecondMax = report.use.busiestSecond
            $0.headroomMin = report.use.headroomMinute
            $0.catchUpMax = report.catchUp.seconds
            $0.savedMin = report.alone.saved
            $0.readsPerDayMin = Double(report.capacity.readsPerDay)
            $0.replaySpeedMin = 1000
        }
        #expect(met.isEmpty)
        let missed = verdicts {
            $0.waitMax = report.wait.longestSeconds - 0.01
            $0.bytesPerSightingMax = report.bytesPerSighting - 0.01
            $0.bytesPerReadMax = report.bytesPerRead - 0.01
            $0.busiestSecondMax = report.use.busiestSecond - 1
            $0.headroomMin = report.use.headroomMinute + 0.01
            $0.catchUpMax = report.catchUp.seconds.map { $0 - 1 }
            $0.savedMin = report.alone.saved + 0.01
            $0.readsPerDayMin = Double(report.capacity.readsPerDay + 1)
            $0.replaySpeedMin = 1001
        }
        #expect(missed.count == 9)
        #expect(verdicts { _ in }.isEmpty)
    }

    @Test("a file of targets")
    func targetsFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/targets.yaml"
        let text = """
            bytesPerSightingMax: 9.0
            bytesPerReadMax: 6
            busiestSecondMax: 64kbit/s
            headroomMin: 20%
            waitMax: 2s
            catchUpMax: 2h
            savedMin: 30%
            readsPerDayMin: 90000000
            replaySpeedMin: 1000
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        var expected = BandwidthTargets()
        expected.bytesPerSightingMax = 9
        expected.bytesPerReadMax = 6
        expected.busiestSecondMax = 64_000
        expected.headroomMin = 0.2
        expected.waitMax = 2
        expected.catchUpMax = 7200
        expected.savedMin = 0.3
        expected.readsPerDayMin = 90_000_000
        expected.replaySpeedMin = 1000
        #expect(try BandwidthTargets.read(path) == expected)
    }

    @Test("what is wrong with a file of targets is said at once, with lines")
    func badTargets() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/targets.yaml"
        try "waitMax: soon\nspeed: 3\nheadroomMin: 2\n".write(toFile: path, atomically: true, encoding: .utf8)
        let refused = #expect(throws: ConfigurationRefused.self) { try BandwidthTargets.read(path) }
        #expect(refused?.problems.map(\.line) == [1, 2, 3])
        #expect(refused?.description.contains("targets has no 'speed'") == true)
        #expect(throws: ConfigurationRefused.self) { try BandwidthTargets.read(path + ".none") }
    }
}

/// The picture of a line's use.
struct UsePlotTests {
    @Test(
        "it draws what it is given, and nothing from elsewhere",
        arguments: [1, 90, 1440, 600_000] as [Int64]
    )
    func drawing(span: Int64) {
        let uses = stride(from: 0, to: span, by: Int(max(1, span / 500))).map { minute in
            MinuteUse(minute: minute, bytes: 60_000, busiestSecond: 2000, left: 1)
        }
        let plot = UsePlot(
            title: "north & <south>",
            minutes: uses,
            base: Timestamp(milliseconds: 1_794_808_800_000),
            bitsPerSecond: 64_000
        )
        let svg = plot.svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("north &amp; &lt;south&gt;") && svg.contains("64 kbit/s"))
        #expect(svg.contains("time (UTC)") && !svg.contains("href") && !svg.contains("url("))
        #expect(svg.utf8.count < 40_000)
    }

    @Test("nothing used and a line far above are drawn too")
    func extremes() {
        let base = Timestamp(milliseconds: 0)
        let empty = UsePlot(title: "", minutes: [], base: base, bitsPerSecond: 64_000).svg
        #expect(empty.contains("is above") && empty.hasSuffix("</svg>\n"))
        let low = [MinuteUse(minute: 0, bytes: 10, busiestSecond: 10, left: 1)]
        let far = UsePlot(title: "", minutes: low, base: base, bitsPerSecond: 1_000_000_000).svg
        #expect(far.contains("the line, 1000 Mbit/s, is above"))
    }
}
