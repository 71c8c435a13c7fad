import ANPRModel

/// Which image goes over a connection next, once no text waits: patches asked for, overviews asked for, patches to be pushed.
///
/// One image at a time; one that has begun is ended first. Looking for an image is the caller's, and nothing else is looked for
/// meanwhile, so no more than one image is in memory.
public struct ImageTurns: Sendable {
    /// What is to be done.
    public enum Step: Sendable, Equatable {
        /// Send this.
        case part(LinkImagePart)
        /// Look for an image that was asked for; then `found` or `foundNone`.
        case look(ImageWant)
        /// Look for the next patch to be pushed; then `found` or `foundNone`.
        case lookForPatch
        /// Wait.
        case nothing
    }

    private let pushes: Bool
    private var wants: [ImageWant] = []
    private var current: ImageParts?
    private var isLooking = false

    /// Nothing asked for.
    ///
    /// - Parameter pushes: whether patches go unasked.
    public init(pushes: Bool) { self.pushes = pushes }

    /// An image is asked for.
    public mutating func wanted(_ want: ImageWant) { wants.append(want) }

    /// What is to be done next.
    ///
    /// - Parameter lengthMax: the most bytes of a picture in one part.
    public mutating func next(_ lengthMax: Int) -> Step {
        if var parts = current {
            let part = parts.next(lengthMax)
            current = parts.isDone ? nil : parts
            return .part(part)
        }
        guard !isLooking else { return .nothing }
        guard let place = wants.firstIndex(where: { $0.kind == .plate }) ?? wants.indices.first else {
            isLooking = pushes
            return pushes ? .lookForPatch : .nothing
        }
        isLooking = true
        return .look(wants.remove(at: place))
    }

    /// What was looked for is here, and goes.
    public mutating func found(_ image: LinkImage) {
        isLooking = false
        current = image.jpeg.isEmpty ? nil : ImageParts(image)
    }

    /// What was looked for is not there.
    public mutating func foundNone() { isLooking = false }

    /// Whether no image is under way, asked for or being looked for.
    public var isIdle: Bool { current == nil && wants.isEmpty && !isLooking }
}
