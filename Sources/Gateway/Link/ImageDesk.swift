import ANPRModel
import Access
import Forwarding
import Foundation

/// Asks the gateways that are connected for images that are not here, for those who work on the node's machine.
///
/// A request is put to one gateway after another of those that may speak for the camera's force, until one has the image. One whose
/// connection breaks is asked again when it is back. What comes after nobody waits for it any more is kept all the same.
actor ImageDesk {
    /// What became of a request.
    enum Outcome: Sendable {
        /// The image is in the node's store.
        case stored
        /// No gateway gives it; what the one asked last says.
        case missing(String)
    }

    /// Why a request came to nothing.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A gateway that is connected.
    private struct Peer {
        var node: String
        var forces: Set<String>
        var wants: AsyncStream<ImageWant>.Continuation
    }

    /// A request that is not answered.
    private struct Open {
        var want: ImageWant
        var waiters: [UInt64: CheckedContinuation<Outcome, any Error>] = [:]
        /// The connection it was put to.
        var peer: UInt64?
        /// The gateways that don't have it.
        var without: Set<String> = []
    }

    private let node: String
    private let takesLinks: Bool
    private let audit: AuditLog
    private var peers: [UInt64: Peer] = [:]
    private var open: [UInt64: Open] = [:]
    private var last: UInt64 = 0

    /// So many may be open, those that nobody waits for any more included: no more than one gateway takes at once.
    private static let openMax = LinkSender.wantsMax

    /// A desk of a node.
    init(_ configuration: NodeConfiguration) {
        node = configuration.node
        takesLinks = configuration.receive != nil
        audit = AuditLog("\(configuration.data)/audit")
    }

    // MARK: - For those who ask

    /// Has an image brought and stored; who asked is on record before anybody is asked.
    ///
    /// - Parameter actor: who asks, as the kernel tells it.
    /// - Throws: `Failure` in plain words; nothing is known then of whether there is such an image.
    func fetch(_ request: ImageRequest, actor: String) async throws -> Outcome {
        guard takesLinks else { throw Failure(description: "this node takes no links") }
        let want = try request.want(number: 0, node: node, person: actor)
        guard want.reason.split(separator: " ").joined().count >= 3 else {
            try audit.append(Self.record(want, request, actor, .refused))
            throw Failure(description: "no reason was given")
        }
        try audit.append(Self.record(want, request, actor, .allowed))
        guard peers.values.contains(where: { $0.forces.contains(want.force) }) else {
            throw Failure(description: "no gateway that may speak for force \(want.force) is connected")
        }
        guard open.count < Self.openMax else {
            throw Failure(description: "\(open.count) images are being waited for: try again later")
        }
        let patience = Duration.milliseconds(min(max(request.patience, 0), ImageRequest.patienceMax))
        return try await wait(for: number(of: want), patience)
    }

    /// The number of a request: that of one for the same image, if it is open.
    private func number(of want: ImageWant) -> UInt64 {
        let same = open.first { _, other in
            let other = other.want
            return other.kind == want.kind && other.force == want.force && other.camera == want.camera
                && other.vrm == want.vrm && other.from == want.from && other.to == want.to
        }
        if let same { return same.key }
        last += 1
        var want = want
        want.number = last
        open[last] = Open(want: want)
        put(last)
        return last
    }

    private func wait(for number: UInt64, _ patience: Duration) async throws -> Outcome {
        last += 1
        let waiter = last
        let clock = Task {
            try await Task.sleep(for: patience)
            self.giveUp(number, waiter, with: Failure(description: self.lateness(number)))
        }
        defer { clock.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled || open[number] == nil {
                    continuation.resume(throwing: CancellationError())
                } else {
                    open[number]?.waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await self.giveUp(number, waiter, with: CancellationError()) }
        }
    }

    private func lateness(_ number: UInt64) -> String {
        guard let peer = open[number]?.peer.flatMap({ peers[$0] }) else {
            return "the gateway was lost, and is not back in time"
        }
        return "gateway \(peer.node) has not sent it in time; when it comes it is kept: ask again then"
    }

    private func giveUp(_ number: UInt64, _ waiter: UInt64, with error: any Error) {
        open[number]?.waiters.removeValue(forKey: waiter)?.resume(throwing: error)
        // One that a gateway still works on stays, so that the same is not asked for twice.
        if let request = open[number], request.waiters.isEmpty, request.peer == nil { open[number] = nil }
    }

    private static func record(
        _ want: ImageWant,
        _ request: ImageRequest,
        _ actor: String,
        _ outcome: AuditRecord.Outcome
    ) -> AuditRecord {
        AuditRecord(
            at: TimestampWriter.text(Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))),
            actor: actor,
            action: .search,
            reason: want.reason,
            category: request.category,
            reference: request.reference,
            request: [
                "image": "request", "force": want.force, "camera": want.camera, "kind": want.kind.name,
                "from": TimestampWriter.text(want.from), "until": TimestampWriter.text(want.to),
            ],
            count: 0,
            outcome: outcome
        )
    }

    // MARK: - For connections

    /// A gateway is connected.
    ///
    /// - Parameter wants: takes what is to be asked for over the connection.
    /// - Returns: the connection's number.
    func join(_ node: String, forces: Set<String>, _ wants: AsyncStream<ImageWant>.Continuation) -> UInt64 {
        // What another connection of the same gateway was asked for is asked for again: that one is as good as gone.
        let gone = peers.filter { $0.value.node == node }.keys
        for (number, request) in open where request.peer.map(gone.contains) == true {
            open[number]?.peer = nil
        }
        last += 1
        peers[last] = Peer(node: node, forces: forces, wants: wants)
        for number in open.keys.sorted() where open[number]?.peer == nil { put(number) }
        return last
    }

    /// A connection is over; what was asked for over it is put to another, or waits.
    func leave(_ peer: UInt64) {
        peers[peer] = nil
        for number in open.keys.sorted() where open[number]?.peer == peer {
            open[number]?.peer = nil
            if open[number]?.waiters.isEmpty == true { open[number] = nil } else { put(number) }
        }
    }

    /// Puts a request to a gateway that was not asked and may have it, if there is one.
    private func put(_ number: UInt64) {
        guard var request = open[number] else { return }
        let able = peers.filter { _, peer in
            peer.forces.contains(request.want.force) && !request.without.contains(peer.node)
        }
        // Of two connections of one gateway the older is going.
        guard let next = able.keys.max() else { return }
        request.peer = next
        open[number] = request
        peers[next]?.wants.yield(request.want)
    }

    /// An image that was asked for is in the store.
    func arrived(_ number: UInt64) { end(number, with: .success(.stored)) }

    /// An image that was asked for came, and could not be kept.
    func failed(_ number: UInt64, _ reason: String) {
        end(number, with: .failure(Failure(description: reason)))
    }

    /// A gateway does not give an image.
    func missing(_ number: UInt64, from node: String, _ reason: String) {
        guard open[number] != nil else { return }
        open[number]?.without.insert(node)
        open[number]?.peer = nil
        put(number)
        if open[number]?.peer == nil { end(number, with: .success(.missing("gateway \(node): \(reason)"))) }
    }

    private func end(_ number: UInt64, with result: Result<Outcome, any Error>) {
        guard let request = open.removeValue(forKey: number) else { return }
        for waiter in request.waiters.values { waiter.resume(with: result) }
    }
}
