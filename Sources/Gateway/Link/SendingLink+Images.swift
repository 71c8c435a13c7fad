import Archive
import Forwarding

/// Images, which go when no text waits, a part at a time.
extension SendingLink {
    /// No part takes longer than this part of a second of the line; so many bytes are for what is around the picture's.
    private static let partOfSecond = 4
    private static let partOverhead = 100

    /// Begins with the images that the next node takes.
    func beginImages(_ welcome: LinkWelcome) async throws {
        guard let shelf = supply.images else { return }
        shelfConnection = try await shelf.begin()
        turns = ImageTurns(pushes: shelf.pushes && welcome.plateMax > 0)
        self.welcome = welcome
    }

    /// The next node asks for an image.
    func wanted(_ want: ImageWant) {
        guard turns != nil else {
            machine.answered()
            replies.append(.imageMissing(number: want.number, "no images are given out now"))
            return
        }
        turns?.wanted(want)
    }

    /// The next node has a patch.
    func imageTaken(_ number: UInt64) async throws {
        guard let shelf = supply.images else { return }
        _ = try await shelf.taken(number, on: shelfConnection)
    }

    /// What of images goes next; what must be looked for first is, beside the link.
    func nextOfImages(_ bytesPerSecond: Int?) -> LinkMessage? {
        guard let shelf = supply.images else { return nil }
        let lengthMax =
            bytesPerSecond.map {
                min(max($0 / Self.partOfSecond - Self.partOverhead, 256), LinkMessage.partMax)
            }
            ?? LinkMessage.partMax
        switch turns?.next(lengthMax) {
        case .part(let part): return .imagePart(part)
        case .look(let want): Task { await answer(want, from: shelf) }
        case .lookForPatch: Task { await push(from: shelf) }
        case .nothing, nil: break
        }
        return nil
    }

    private func answer(_ want: ImageWant, from shelf: ImageShelf) async {
        let answer = await shelf.answer(want, lengthMax: welcome.lengthMax(want.kind))
        machine.answered()
        switch answer {
        case .image(let image): turns?.found(image)
        case .missing(let reason):
            turns?.foundNone()
            replies.append(.imageMissing(number: want.number, reason))
        }
        supply.bell.ring()
    }

    private func push(from shelf: ImageShelf) async {
        let image = await shelf.patch(
            before: delivered,
            lengthMax: welcome.plateMax,
            on: shelfConnection
        )
        guard let image else {
            turns?.foundNone()
            return
        }
        turns?.found(image)
        supply.bell.ring()
    }

    /// Whether no image is under way, and the next node has all patches that are to be pushed.
    func areImagesSettled() async throws -> Bool {
        guard let turns, let shelf = supply.images else { return true }
        guard turns.isIdle else { return false }
        guard shelf.pushes, welcome.plateMax > 0 else { return true }
        return try await shelf.isSettled(before: supply.log.extent.next)
    }
}
