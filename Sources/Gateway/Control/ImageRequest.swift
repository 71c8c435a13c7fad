package import ANPRModel
import Forwarding

/// An image that somebody wants of the gateways, for a reason.
package struct ImageRequest: Codable, Sendable {
    /// What it shall show.
    package var kind: UInt8
    /// The force's code and the camera's name.
    package var force: String
    package var camera: String
    /// The mark, packed.
    package var vrm: UInt64
    /// Captured within these, in milliseconds since 1970.
    package var from: Int64
    package var to: Int64
    /// How long to wait, in milliseconds; no longer than `patienceMax`.
    package var patience: Int64
    /// Why, and what kind of investigation it is, and which.
    package var reason: String
    package var category: String?
    package var reference: String?

    /// The longest wait, in milliseconds: an hour.
    package static let patienceMax: Int64 = 3_600_000

    /// A request for the best image of the reads of a mark by a camera.
    ///
    /// - Parameter times: when they were captured, within two hours.
    package init(
        _ kind: ImageKind,
        force: String,
        camera: String,
        vrm: VRM,
        times: ClosedRange<Timestamp>,
        patience: Int64,
        reason: String,
        category: String?,
        reference: String?
    ) {
        self.kind = kind.rawValue
        self.force = force
        self.camera = camera
        self.vrm = vrm.packed
        from = times.lowerBound.milliseconds
        to = times.upperBound.milliseconds
        self.patience = patience
        self.reason = reason
        self.category = category
        self.reference = reference
    }

    /// The request as a gateway is told.
    ///
    /// - Throws: `ImageDesk.Failure` for what no gateway would take.
    func want(number: UInt64, node: String, person: String) throws -> ImageWant {
        let (first, last) = (Timestamp(milliseconds: from), Timestamp(milliseconds: to))
        guard let kind = ImageKind(rawValue: kind), let vrm = VRM(packed: vrm), first >= .earliest,
            last <= .latest, first <= last, to - from <= ImageWant.spanMax
        else { throw ImageDesk.Failure(description: "the request is not of this version") }
        return ImageWant(
            number: number,
            kind: kind,
            force: force,
            camera: camera,
            vrm: vrm,
            from: first,
            to: last,
            node: node,
            person: person,
            reason: reason
        )
    }
}
