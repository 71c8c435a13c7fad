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
}
