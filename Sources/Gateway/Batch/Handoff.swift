import Dispatch
import Synchronization

/// A bounded queue from one thread to another: who is ahead waits, so memory stays bounded.
package final class Handoff<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let isClosed = Mutex(false)
    private let filled = DispatchSemaphore(value: 0)
    private let free: DispatchSemaphore

    /// A queue.
    ///
    /// - Parameter capacity: how many elements may wait.
    package init(capacity: Int) { free = DispatchSemaphore(value: capacity) }

    /// Puts an element in, waiting for room.
    package func put(_ element: Element) {
        free.wait()
        elements.withLock { $0.append(element) }
        filled.signal()
    }

    /// Says that nothing more will come.
    package func close() {
        isClosed.withLock { $0 = true }
        filled.signal()
    }

    /// Takes the next element, waiting for one.
    ///
    /// - Returns: `nil` when the queue is closed and empty.
    package func take() -> Element? {
        filled.wait()
        let element = elements.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if element == nil {
            // Closed: the signal stays for whoever asks again.
            filled.signal()
            return nil
        }
        free.signal()
        return element
    }
}
