import Archive
import Forwarding
import Foundation
import TestSupport
import Testing

/// Which alert goes over a link next.
struct AlertOutboxTests {
    private static func fill(_ folder: String, _ count: Int) throws {
        let log = try AlertLog(folder, keys: nil)
        try log.append(day: 20_000) { first in
            (0..<count).map { Array("{\"sequence\":\(first + UInt64($0))}".utf8) }
        }
    }

    @Test("the newest goes first; what comes meanwhile goes before the backlog")
    func newestFirst() throws {
        let scratch = try TemporaryFolder()
        try Self.fill(scratch.path, 5)
        var outbox = AlertOutbox(scratch.path, keys: nil, from: 2)
        #expect(try outbox.next(before: 6)?.sequence == 5)
        #expect(try outbox.next(before: 6)?.sequence == 4)
        try Self.fill(scratch.path, 2)
        #expect(try outbox.next(before: 7)?.sequence == 6)
        #expect(try outbox.next(before: 8)?.sequence == 7)
        #expect(try outbox.next(before: 8)?.sequence == 3)
        #expect(try outbox.next(before: 8)?.sequence == 2)
        #expect(try outbox.next(before: 8) == nil)
        // All before the cursor are there, whatever order they came in.
        for (taken, cursor) in [(7, 2), (4, 2), (2, 3), (5, 3), (3, 6), (6, 8)] as [(UInt64, UInt64)] {
            outbox.taken(taken)
            #expect(outbox.cursor == cursor)
        }
        #expect(outbox.isSettled)
    }

    @Test("of a backlog larger than what is held each goes, and the cursor stays behind what did not")
    func longBacklog() throws {
        let scratch = try TemporaryFolder()
        let count = 20_000
        try Self.fill(scratch.path, count)
        var outbox = AlertOutbox(scratch.path, keys: nil, from: 1)
        var seen = Set<UInt64>()
        var first: UInt64?
        while let line = try outbox.next(before: UInt64(count) + 1) {
            first = first ?? line.sequence
            seen.insert(line.sequence)
            outbox.taken(line.sequence)
            #expect(outbox.cursor <= (1...UInt64(count)).first { !seen.contains($0) } ?? UInt64(count) + 1)
            if seen.count < 3 { #expect(outbox.cursor == 1) }
        }
        #expect(first == UInt64(count))
        #expect(seen.count == count)
        #expect(outbox.isSettled)
        #expect(outbox.cursor == UInt64(count) + 1)
    }

    @Test("no more are under way than the receiver may owe an answer for")
    func window() throws {
        let scratch = try TemporaryFolder()
        try Self.fill(scratch.path, 100)
        var outbox = AlertOutbox(scratch.path, keys: nil, from: 1)
        var sent: [UInt64] = []
        while let line = try outbox.next(before: 101) { sent.append(line.sequence) }
        #expect(sent.count == 32)
        outbox.taken(sent[7])
        #expect(try outbox.next(before: 101) != nil)
        #expect(try outbox.next(before: 101) == nil)
    }
}
