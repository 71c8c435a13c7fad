import Synchronization

/// How many bytes of posts may be in work at once: memory stays bounded whatever clients do.
///
/// Bytes count from their arrival until the post is answered, so a slow disk fills the budget and clients are told to
/// come again later.
package final class IntakeBudget: Sendable {
    private let left: Mutex<Int>
    /// All there is.
    package let whole: Int

    /// A budget of so many bytes.
    package init(_ bytes: Int) {
        whole = bytes
        left = Mutex(bytes)
    }

    /// How many bytes are in work.
    package var used: Int { whole - left.withLock { $0 } }

    /// Takes bytes out, if there are as many.
    package func take(_ bytes: Int) -> Bool {
        left.withLock { left in
            guard left >= bytes else { return false }
            left -= bytes
            return true
        }
    }

    /// Gives bytes back.
    package func giveBack(_ bytes: Int) { left.withLock { $0 += bytes } }
}
