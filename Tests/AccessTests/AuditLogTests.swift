import Access
import Foundation
import TestSupport
import Testing

/// The audit log can't be altered, cut or reordered without `verify` saying where.
struct AuditLogTests {
    private static func record(_ number: Int) -> AuditRecord {
        AuditRecord(
            at: "2026-11-16T06:00:00.000Z",
            actor: "analyst",
            action: .search,
            reason: "reason number \(number)",
            request: ["vrm": "AB27CD?"],
            count: number
        )
    }

    private func log(_ count: Int) throws -> (AuditLog, URL, TemporaryFolder) {
        let folder = try TemporaryFolder()
        let log = AuditLog(folder.path)
        for number in 1...count { try log.append(Self.record(number)) }
        return (log, URL(fileURLWithPath: folder.path + "/audit.ndjson"), folder)
    }

    @Test("records follow each other and verify")
    func good() throws {
        let (log, _, folder) = try log(5)
        let head = try log.verify()
        #expect(head.count == 5)
        #expect(try log.records().map(\.sequence) == [1, 2, 3, 4, 5])
        try log.append(Self.record(6))
        #expect(try log.verify(expected: head).count == 6)
        #expect(try AuditLog(folder.path + "/none").verify() == .empty)
    }

    /// How a log is tampered with, and the line that `verify` must name.
    enum Tampering: CaseIterable {
        case alteredReason, alteredCount, cutFirst, cutMiddle, cutLast, swapped, doubled, emptied, madeUp

        func apply(_ lines: [String]) -> [String] {
            var lines = lines
            switch self {
            case .alteredReason: lines[2] = lines[2].replacing("number 3", with: "number 7")
            case .alteredCount: lines[1] = lines[1].replacing("\"count\":2", with: "\"count\":0")
            case .cutFirst: lines.removeFirst()
            case .cutMiddle: lines.remove(at: 2)
            case .cutLast: lines.removeLast()
            case .swapped: lines.swapAt(1, 2)
            case .doubled: lines.insert(lines[2], at: 2)
            case .emptied: lines = []
            case .madeUp: lines.append("{\"action\":\"search\"}")
            }
            return lines
        }

        var line: Int {
            switch self {
            case .alteredReason, .cutMiddle: 3
            case .alteredCount, .swapped: 2
            case .cutFirst: 1
            case .cutLast: 4
            case .doubled: 4
            case .emptied: 0
            case .madeUp: 6
            }
        }
    }

    @Test("tampering is found and the line named", arguments: Tampering.allCases)
    func tampering(_ kind: Tampering) throws {
        let (log, file, folder) = try log(5)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        let changed = kind.apply(lines)
        #expect(changed != lines)
        try changed.map { $0 + "\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        do {
            _ = try log.verify()
            Issue.record("\(kind) was not found")
        } catch let failure as AuditLog.Failure {
            #expect(failure.line == kind.line, "\(failure)")
        }
        withExtendedLifetime(folder) {}
    }

    @Test("a log rewritten whole is found by a head noted down before")
    func rewritten() throws {
        let (log, file, folder) = try log(3)
        let head = try log.verify()
        try FileManager.default.removeItem(at: file)
        try FileManager.default.removeItem(atPath: folder.path + "/head.json")
        for number in 4...8 { try log.append(Self.record(number)) }
        _ = try log.verify()
        #expect(throws: AuditLog.Failure.self) { try log.verify(expected: head) }
    }

    @Test("a record that a crash tore is cut off by the next append")
    func torn() throws {
        let (log, file, folder) = try log(3)
        let handle = try FileHandle(forWritingTo: file)
        _ = try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"action\":\"sea".utf8))
        try handle.close()
        try log.append(Self.record(4))
        #expect(try log.verify().count == 4)
        withExtendedLifetime(folder) {}
    }

    @Test("several writers at once still make one chain")
    func concurrent() async throws {
        let (log, _, folder) = try log(1)
        try await withThrowingTaskGroup { group in
            for number in 0..<20 { group.addTask { try log.append(Self.record(number)) } }
            try await group.waitForAll()
        }
        #expect(try log.verify().count == 21)
        withExtendedLifetime(folder) {}
    }

    // MARK: - Retention

    private static func dated(_ number: Int) -> AuditRecord {
        var record = record(number)
        record.at = "2026-11-\(10 + number)T06:00:00.000Z"
        return record
    }

    /// A log of seven days, its first lines as they were, and the purge's own record.
    private func dropped(_ count: Int) throws -> (AuditLog, URL, old: [String], TemporaryFolder) {
        let folder = try TemporaryFolder()
        let log = AuditLog(folder.path)
        for number in 1...7 { try log.append(Self.dated(number)) }
        let file = URL(fileURLWithPath: folder.path + "/audit.ndjson")
        let old = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        let time = "2026-11-\(11 + count)T00:00:00.000Z"
        #expect(try log.count(before: time).count == count)
        #expect(try log.drop(before: time, Self.dated(8)).count == count)
        return (log, file, old, folder)
    }

    @Test("what is past its date goes from the beginning, and the rest verifies", arguments: [0, 1, 6, 7])
    func dropping(count: Int) throws {
        let (log, _, _, folder) = try dropped(count)
        let isCut = count > 0
        #expect(try log.records().map(\.sequence) == (UInt64(count) + 1...(isCut ? 8 : 7)).map { $0 })
        let head = try log.verify()
        #expect(head.count == (isCut ? 8 : 7))
        if isCut {
            let record = try #require(try log.records().last)
            #expect(record.action == .purge && record.count == count)
            #expect(record.request["through"] == String(count))
        }
        // A later cut takes the record of the one before with it.
        for number in 9...12 { try log.append(Self.dated(number)) }
        #expect(try log.drop(before: "2026-11-20T00:00:00.000Z", Self.dated(13)).count > 0)
        #expect(try log.verify(expected: try log.verify()).count == (isCut ? 13 : 12))
        #expect(try log.records().first?.sequence == (isCut ? 10 : 9))
        withExtendedLifetime(folder) {}
    }

    @Test("a head that was let go can't be held against the log any more, and that is said")
    func expectedHeads() throws {
        let folder = try TemporaryFolder()
        let log = AuditLog(folder.path)
        let heads = try (1...7).map { try log.append(Self.dated($0)) }
        try log.drop(before: "2026-11-14T00:00:00.000Z", Self.dated(8))
        for (index, head) in heads.enumerated() {
            if index >= 2 {
                #expect(try log.verify(expected: head).count == 8)
            } else {
                let failure = #expect(throws: AuditLog.Failure.self) { try log.verify(expected: head) }
                #expect(failure?.description.contains("went with those up to 3") == true)
            }
        }
    }

    @Test("a cut that no record tells is found, and so is one that differs from its record", arguments: 0..<5)
    func unnamedCuts(kind: Int) throws {
        let folder = try TemporaryFolder()
        let log = AuditLog(folder.path)
        let heads = try (1...7).map { try log.append(Self.dated($0)) }
        // A record as a cut leaves it, under the chain's own hash: only the last of them tells the cut that is made.
        var record = Self.dated(8)
        record.action = .purge
        record.request = ["class": "audit", "through": "3", "hash": heads[2].hash]
        switch kind {
        case 0: record.action = .search
        case 1: record.request["class"] = "sighting"
        case 2: record.request["through"] = "2"
        case 3: record.request["hash"] = heads[1].hash
        default: break
        }
        try log.append(record)
        #expect(try log.verify().count == 8)
        let file = URL(fileURLWithPath: folder.path + "/audit.ndjson")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst(3)
        try lines.map { $0 + "\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        if kind == 4 {
            #expect(try log.verify().count == 8)
        } else {
            let failure = #expect(throws: AuditLog.Failure.self) { try log.verify() }
            #expect(failure?.line == 1 && failure?.description.contains("no record says") == true)
        }
    }

    @Test("a crash between the record and the cut leaves a log that verifies, and is cut the next time")
    func crashBeforeCut() throws {
        let (log, file, old, folder) = try dropped(3)
        let record = try #require(
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").last.map(String.init)
        )
        try (old + [record]).map { $0 + "\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        #expect(try log.verify().count == 8)
        #expect(try log.drop(before: "2026-11-14T00:00:00.000Z", Self.dated(9)).count == 3)
        #expect(try log.verify().count == 9)
        #expect(try log.records().map(\.sequence) == Array(4...9))
        withExtendedLifetime(folder) {}
    }

    @Test("what a cut that was killed left goes with the next pass, whether anything is past its date or not")
    func leftOver() throws {
        let (log, file, _, folder) = try dropped(2)
        let left = URL(fileURLWithPath: file.path + ".tmp")
        try Data("past its date".utf8).write(to: left)
        #expect(try log.drop(before: "2026-11-01T00:00:00.000Z", Self.dated(9)).count == 0)
        #expect(!FileManager.default.fileExists(atPath: left.path))
        withExtendedLifetime(folder) {}
    }

    @Test("what root's commands replace stays the daemon's", .enabled(if: geteuid() == 0))
    func owner() throws {
        let (log, file, folder) = try log(1)
        let daemon: [FileAttributeKey: Any] = [
            .ownerAccountID: 4711, .groupOwnerAccountID: 4712, .posixPermissions: 0o660,
        ]
        try FileManager.default.setAttributes(daemon, ofItemAtPath: file.path)
        for number in 1...3 { try log.append(Self.dated(number)) }
        #expect(try log.drop(before: "2026-11-30T00:00:00.000Z", Self.dated(9)).count == 4)
        for name in ["audit.ndjson", "head.json"] {
            let found = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
            #expect(found[.ownerAccountID] as? Int == 4711 && found[.groupOwnerAccountID] as? Int == 4712)
            #expect(found[.posixPermissions] as? Int == 0o660)
        }
        #expect(try log.verify().count == 5)
    }

    @Test("what others append while records go is not lost")
    func concurrentCuts() async throws {
        let (log, _, folder) = try log(1)
        try await withThrowingTaskGroup { group in
            for number in 1...20 {
                group.addTask { _ = try log.append(Self.record(number)) }
                guard number % 5 == 0 else { continue }
                group.addTask { _ = try log.drop(before: "2026-11-17T00:00:00.000Z", Self.dated(9)) }
                group.addTask { _ = try log.verify() }
            }
            try await group.waitForAll()
        }
        let head = try log.verify()
        #expect(head.count >= 21)
        let records = try log.records()
        #expect(records.last?.sequence == head.count)
        withExtendedLifetime(folder) {}
    }
}
