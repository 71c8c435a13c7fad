extension LookAlike {
    /// Characters that are taken for one another.
    private static let lookalikes = ["0ODQ", "1IL", "2Z", "5S", "6G", "8B"].map { Array($0.utf8) }
    private static let characters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    /// A mark and all that are alike to it, each once.
    ///
    /// - Parameter countMax: the most that are wanted.
    /// - Returns: `nil` if there are more, as of a mark of which each character has several that look like it.
    /// - Complexity: O(marks): some thousands for most, nearly all of them with one character more at an edge.
    public static func all(like vrm: VRM, countMax: Int) -> [VRM]? {
        let own = vrm.utf8.map { byte in lookalikes.first { $0.contains(byte) } ?? [byte] }
        var found: Set<VRM> = []
        func add(_ choices: ArraySlice<[UInt8]>) -> Bool {
            let count = choices.reduce(1) { min($0 * $1.count, countMax + 1) }
            guard found.count + count <= countMax else { return false }
            for text in texts(choices) {
                if let other = VRM(String(decoding: text, as: UTF8.self)) { found.insert(other) }
            }
            return true
        }
        guard add(own[...]) else { return nil }
        if own.count > edgeLengthMin {
            guard add(own.dropFirst()), add(own.dropLast()) else { return nil }
        }
        if own.count >= edgeLengthMin, own.count < VRM.lengthMax {
            guard add([characters] + own), add(own + [characters]) else { return nil }
        }
        return Array(found)
    }

    private static func texts(_ choices: ArraySlice<[UInt8]>) -> [[UInt8]] {
        choices.reduce([[]]) { texts, choice in texts.flatMap { text in choice.map { text + [$0] } } }
    }
}
