import Forwarding
import SightingFrames
import Testing

/// The link's two ends as machines: what happens is put in, what is to be done comes out.
struct LinkMachineTests {
    @Test("a sender greets, starts where the receiver stands, and keeps its window")
    func sending() {
        var sender = LinkSender(node: "gw", stream: "s1", windowMax: 2)
        #expect(sender.send([1]).isEmpty)
        #expect(
            sender.connected() == [
                .send(.hello(version: LinkMessage.version, node: "gw", stream: "s1", first: 0))
            ]
        )
        #expect(!sender.canSend)
        #expect(sender.received(.welcome(next: 42)) == [.delivered(before: 42), .readFrom(42)])
        #expect(sender.isSettled)
        #expect(sender.send([1]) == [.send(.blocks(number: 1, [1]))])
        #expect(sender.send([2]) == [.send(.blocks(number: 2, [2]))])
        #expect(!sender.canSend)
        #expect(sender.send([3]).isEmpty)
        #expect(sender.received(.acknowledged(number: 1, next: 50)) == [.delivered(before: 50)])
        #expect(sender.canSend)
        #expect(!sender.isSettled)
        #expect(sender.received(.acknowledged(number: 2, next: 60)) == [.delivered(before: 60)])
        #expect(sender.isSettled)
        sender.disconnected()
        #expect(!sender.canSend)
    }

    @Test(
        "a sender closes on what does not belong",
        arguments: [
            LinkMessage.acknowledged(number: 9, next: 1),
            .hello(version: LinkMessage.version, node: "x", stream: "y", first: 0),
            .blocks(number: 1, []), .welcome(next: 1), .refused("no"),
        ]
    )
    func senderFaults(message: LinkMessage) {
        var sender = LinkSender(node: "gw", stream: "s1")
        _ = sender.connected()
        _ = sender.received(.welcome(next: 0))
        guard case .close? = sender.received(message).first else {
            Issue.record("\(message) was not refused")
            return
        }
    }

    @Test("a receiver admits, stores in order, and acknowledges")
    func receiving() {
        var receiver = LinkReceiver()
        let hello = LinkMessage.hello(version: LinkMessage.version, node: "gw", stream: "s1", first: 0)
        #expect(receiver.received(hello) == [.admit(node: "gw", stream: "s1", first: 0)])
        #expect(receiver.admitted(next: 7) == [.send(.welcome(next: 7))])
        #expect(receiver.received(.blocks(number: 1, [5])) == [.store(number: 1, [5])])
        #expect(receiver.stored(number: 1, next: 9) == [.send(.acknowledged(number: 1, next: 9))])
    }

    @Test(
        "a receiver refuses and closes on what does not belong",
        arguments: [
            [LinkMessage.blocks(number: 1, [])],
            [.hello(version: 99, node: "gw", stream: "s", first: 0)],
            [.hello(version: LinkMessage.version, node: "", stream: "s", first: 0)],
            [
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
            ],
            [
                .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0),
                .blocks(number: 2, []),
            ],
        ]
    )
    func receiverFaults(messages: [LinkMessage]) {
        var receiver = LinkReceiver()
        var last: [LinkReceiver.Action] = []
        for message in messages {
            last = receiver.received(message)
            if case .admit? = last.first { last = receiver.admitted(next: 0) }
        }
        #expect(last.last == .close)
        #expect(receiver.stored(number: 1, next: 1).isEmpty)
    }

    @Test("messages give back what went in; their bytes cut anywhere are refused")
    func coding() throws {
        let messages: [LinkMessage] = [
            .hello(version: LinkMessage.version, node: "gw", stream: "a-b", first: 0), .welcome(next: .max),
            .blocks(number: 3, [1, 2, 3]),
            .acknowledged(number: 1, next: 2), .refused("because"),
        ]
        for message in messages {
            let bytes = message.bytes
            #expect(Int(LittleEndian.read(bytes, at: 0) as UInt32) == bytes.count - 4)
            #expect(try LinkMessage(body: Array(bytes[4...])) == message)
            let shortest = if case .blocks = message { 9 } else { bytes.count - 4 }
            for length in 0..<shortest {
                #expect(throws: LinkMessage.Fault.self) {
                    try LinkMessage(body: Array(bytes[4..<4 + length]))
                }
            }
        }
        #expect(throws: LinkMessage.Fault.self) { try LinkMessage(body: [99, 1]) }
    }
}
