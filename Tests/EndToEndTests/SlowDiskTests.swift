import Foundation
import TestSupport
import Testing

/// A disk whose every sync takes 150 milliseconds.
@Suite(.serialized)
struct SlowDiskTests {
    private static let delay = Duration.milliseconds(150)

    /// Compiles a library that makes the syncs of a program slow.
    private static func slowSyncs(_ scratch: Scratch) throws -> String {
        let source = try scratch.write(
            """
            extern long syscall(long, ...);
            extern int usleep(unsigned);
            #include <sys/syscall.h>
            int fsync(int file) { usleep(150000); return (int)syscall(SYS_fsync, file); }
            int fdatasync(int file) { usleep(150000); return (int)syscall(SYS_fdatasync, file); }
            """,
            "slow.c"
        )
        // The toolchain that built this has a compiler for C as well.
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let compiler = try #require(
            folders.map { "\($0)/clang" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        )
        let library = scratch.path + "/slow.so"
        let errors = scratch.path + "/slow.err"
        let arguments = ["-shared", "-fPIC", "-O1", "-o", library, source]
        let status = try ChildProcess(compiler, arguments, errors: errors).wait()
        let said = try String(contentsOfFile: errors, encoding: .utf8)
        try #require(status == 0, "\(said)")
        return library
    }

    private static let bearer = "Authorization: Bearer \(LiveNode.token)\r\n"

    private static func reads(_ start: Int, _ count: Int) -> [UInt8] {
        let lines = (start..<start + count).map { number in
            let seconds = "\(10 + number / 1000 % 50).\(String(number % 1000 + 1000).suffix(3))"
            let time = "2026-11-20T06:\(10 + number / 50_000):\(seconds)Z"
            return #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"\#(time)"}"#
        }
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func send(_ body: [UInt8], _ node: LiveNode) throws -> PlainSocket {
        let socket = try PlainSocket(port: node.port("http"))
        let head = "POST /v1/feeds/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\(bearer)\r\n"
        try socket.send(Array(head.utf8) + body)
        return socket
    }

    private let node: LiveNode

    init() throws {
        let scratch = try Scratch()
        node = try LiveNode(
            scratch,
            feeds: [
                "{ name: a, force: \"43\", source: http, format: ndjson, token: { sha256: \"\(LiveNode.tokenHash)\" } }"
            ],
            forces: ["43"],
            cameras: try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv"),
            intakeMax: 1 << 20,
            environment: ["LD_PRELOAD": try Self.slowSyncs(scratch)],
            more: "deduplication: { lateness: 3h, idleAfter: 10m }"
        )
    }

    @Test("posts wait for the sync and share it; what needs no disk is answered at once")
    func sharing() throws {
        let clock = ContinuousClock()
        let before = try node.metric("anpr_journal_sync_seconds_count")
        var others: [Duration] = []
        for round in 0..<8 {
            let start = clock.now
            let post = try Self.send(Self.reads(round, 1), node)
            for _ in 0..<5 {
                let asked = clock.now
                #expect(try node.get("/livez").status == 200)
                others.append(clock.now - asked)
            }
            #expect(try post.response().status == 200)
            #expect(clock.now - start >= Self.delay, "it is answered only when it is safe")
        }
        others.sort()
        #expect(others[others.count / 2] < Self.delay / 2, "\(others)")
        let between = try node.metric("anpr_journal_sync_seconds_count")
        #expect(between - before == 8)
        let many = try (0..<100).map { try Self.send(Self.reads(100 + $0, 1), node) }
        for one in many { #expect(try one.response().status == 200) }
        let syncs = try node.metric("anpr_journal_sync_seconds_count") - between
        print(
            "a slow disk: 100 posts in \(Int(syncs)) syncs, other answers after \(others[others.count / 2])"
        )
        #expect(syncs <= 20)
        #expect(node.stop() == 0)
        #expect(try node.sightings().map(\.reads).reduce(0, +) == 108)
    }

    @Test("what is over the budget is told to come again later, and memory stays flat")
    func budget() throws {
        let size = 2000
        #expect(try Self.send(Self.reads(0, 1), node).response().status == 200)
        let before = try node.residentMegabytes()
        var waiting = Array(0..<20)
        var refusals = 0
        while !waiting.isEmpty {
            let posts = try waiting.map { ($0, try Self.send(Self.reads($0 * size, size), node)) }
            waiting = []
            for (number, post) in posts {
                let answer = try post.response()
                if answer.status == 200 { continue }
                #expect(answer.status == 503 || answer.status == 429, "\(answer.body)")
                #expect(answer.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
                refusals += 1
                waiting.append(number)
            }
        }
        let after = try node.residentMegabytes()
        print("a slow disk: \(refusals) posts told to come again, \(before) MB before, \(after) MB after")
        #expect(refusals > 0)
        #expect(after - before < 100)
        #expect(node.stop() == 0)
        #expect(try node.sightings().map(\.reads).reduce(0, +) == 20 * size)
    }
}
