import Forwarding
import SightingFrames
import Testing

/// The link's two ends as machines: what happens is put in, what is to be done comes out.
struct LinkMachineTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a sender greets, starts where the receiver stands, and keeps its window")
    func sending() {
        var sender = LinkSender(node: "gw", stream: "s1", windowMax: 2)
        #expect(!sender.canSend)
        #expect(
            sender.connected(at: 0) == [
                .send(.hello(version: LinkMessage.version, node: "gw", stream: "s1", first: 0))
            ]
        )
        #expect(!sender.canSend)
        let welcome = LinkWelcome(next: 42, cameras: 7, checksum: 9, takesAlerts: true)
        #expect(sender.received(.welcome(welcome), at: 1) == [.delivered(before: 42), .begin(welcome)])
        #expect(sender.isSettled)
        sender.sentOfStream()
        sender.sentOfStream()
        #expect(!sender.canSend)
        #expect(sender.received(.acknowledged(count: 1, next: 50), at: 2) == [.delivered(before: 50)])
        #expect(sender.canSend)
        #expect(!sender.isSettled)
        #expect(sender.received(.acknowledged(count: 2, next: 60), at: 3) == [.delivered(before: 60)])
        #expect(sender.isSettled)
        #expect(sender.received(.alertTaken(number: 5), at: 4) == [.alertTaken(5)])
        sender.disconnected()
        #expect(!sender.canSend)
    }

    @Test("a quiet connection is kept alive, a dead one is given up")
    func heartbeats() {
        var sender = LinkSender(node: "gw", stream: "s1")
        #expect(sender.tick(at: 0).isEmpty)
        _ = sender.connected(at: 0)
        #expect(sender.tick(at: 14 * Self.second).isEmpty)
        guard case .close? = sender.tick(at: 16 * Self.second).first else {
            Issue.record("a greeting without an answer must end")
            return
        }
        _ = sender.connected(at: 100 * Self.second)
        _ = sender.received(.welcome(LinkWelcome(next: 0)), at: 100 * Self.second)
        #expect(sender.tick(at: 104 * Self.second).isEmpty)
        #expect(sender.tick(at: 106 * Self.second) == [.send(.heartbeat)])
        #expect(sender.tick(at: 107 * Self.second).isEmpty)
        #expect(sender.received(.heartbeat, at: 108 * Self.second).isEmpty)
        sender.sent(.heartbeat, at: 110 * Self.second)
        #expect(sender.tick(at: 114 * Self.second).isEmpty)
        #expect(sender.tick(at: 116 * Self.second) == [.send(.heartbeat)])
        guard case .close? = sender.tick(at: 124 * Self.second).first else {
            Issue.record("nothing was heard for 16 s")
            return
        }
    }

    @Test("behind an alert something goes soon, and once, so that its loss shows")
    func probes() {
        var sender = LinkSender(node: "gw", stream: "s1")
        _ = sender.connected(at: 0)
        let after = LinkSender.probeAfter
        // Also where the greeting is not answered yet.
        sender.sent(.alert(number: 1, []), at: 0)
        #expect(sender.tick(at: after - 1).isEmpty)
        #expect(sender.tick(at: after) == [.send(.heartbeat)])
        sender.sent(.heartbeat, at: after)
        #expect(sender.tick(at: 3 * after).isEmpty)
        _ = sender.received(.welcome(LinkWelcome(next: 0)), at: Self.second)
        sender.sent(.alert(number: 2, []), at: Self.second)
        sender.sent(.alert(number: 3, []), at: Self.second + after / 2)
        #expect(sender.tick(at: Self.second + after).isEmpty)
        sender.sent(.sightings([]), at: Self.second + after)
        #expect(sender.tick(at: Self.second + 5 * after).isEmpty)
    }

    @Test(
        "a sender closes on what does not belong",
        arguments: [
            LinkMessage.acknowledged(count: 9, next: 1),
            .hello(version: LinkMessage.version, node: "x", stream: "y", first: 0),
            .cameras([]), .sightings([]), .welcome(LinkWelcome(next: 1)), .refused("no"),
            .alert(number: 1, []),
        ]
    )
    func senderFaults(message: LinkMessage) {
        var sender = LinkSender(node: "gw", stream: "s1")
        _ = sender.connected(at: 0)
        _ = sender.received(.welcome(LinkWelcome(next: 0)), at: 0)
        guard case .close? = sender.received(message, at: 1).first else {
            Issue.record("\(message) was not refused")
            return
        }
    }

    @Test("a receiver admits, stores in order, keeps alerts, and acknowledges")
    func receiving() {
        var receiver = LinkReceiver()
        let hello = LinkMessage.hello(version: LinkMessage.version, node: "gw", stream: "s1", first: 0)
        #expect(receiver.received(hello) == [.admit(node: "gw", stream: "s1", first: 0)])
        let welcome = LinkWelcome(next: 7)
        #expect(receiver.admitted(welcome) == [.send(.welcome(welcome))])
        #expect(receiver.received(.cameras([5])) == [.store(number: 1, .cameras([5]))])
        #expect(receiver.received(.sightings([6])) == [.store(number: 2, .sightings([6]))])
        #expect(receiver.stored(number: 2, next: 9) == [.send(.acknowledged(count: 2, next: 9))])
        #expect(receiver.received(.alert(number: 3, [1])) == [.keep(number: 3, [1])])
        #expect(receiver.kept(number: 3) == [.send(.alertTaken(number: 3))])
        #expect(receiver.received(.heartbeat) == [.send(.heartbeat)])
    }

    @Test(
        "a receiver refuses and closes on what does not belong",
        arguments: [
            [LinkMessage.sightings([])], [.alert(number: 1, [])], [.heartbeat],
            [.hello(version: 99, node: "gw", stream: "s", first: 0)],
            [.hello(version: LinkMessage.version, node: "", stream: "s", first: 0)],
            [
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
            ],
            [
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
                .acknowledged(count: 0, next: 0),
            ],
        ]
    )
    func receiverFaults(messages: [LinkMessage]) {
        var receiver = LinkReceiver()
        var last: [LinkReceiver.Action] = []
        for message in messages {
            last = receiver.received(message)
            if case .admit? = last.first { last = receiver.admitted(LinkWelcome(next: 0)) }
        }
        #expect(last.last == .close)
        #expect(receiver.stored(number: 1, next: 1).isEmpty)
        #expect(receiver.kept(number: 1).isEmpty)
    }

    @Test("messages give back what went in; their bytes cut anywhere are refused")
    func coding() throws {
        let messages: [LinkMessage] = [
            .hello(version: LinkMessage.version, node: "gw", stream: "a-b", first: 300),
            .welcome(LinkWelcome(next: .max, cameras: 400, checksum: .max, takesAlerts: true)),
            .cameras([1, 2, 3]), .sightings([4, 5]), .acknowledged(count: 1, next: 1 << 40),
            .refused("because"), .heartbeat, .alert(number: 200, [7, 8]), .alertTaken(number: 200),
        ]
        for message in messages {
            let bytes = message.bytes
            var start = 0
            #expect(VaryingLength.read(bytes, at: &start).map(Int.init) == bytes.count - start)
            #expect(try LinkMessage(body: Array(bytes[start...])) == message)
            let shortest =
                switch message {
                case .cameras, .sightings: 1
                case .alert: 3
                default: bytes.count - start
                }
            for length in 0..<shortest {
                #expect(throws: LinkMessage.Fault.self) {
                    try LinkMessage(body: Array(bytes[start..<start + length]))
                }
            }
        }
        #expect(throws: LinkMessage.Fault.self) { try LinkMessage(body: [99, 1]) }
        #expect(throws: LinkMessage.Fault.self) { try LinkMessage(body: [7, 1]) }
        let tooLong = [UInt8](repeating: 32, count: LinkMessage.alertMax + 1)
        #expect(throws: LinkMessage.Fault.self) { try LinkMessage(body: [8, 1] + tooLong) }
    }

    @Test("a greeting of another version is read as far as its version")
    func otherVersion() throws {
        let other = LinkMessage.version + 1
        let greeting = try LinkMessage(body: [1, other, 0xFF, 0xFF, 3])
        #expect(greeting == .hello(version: other, node: "", stream: "", first: 0))
    }
}
