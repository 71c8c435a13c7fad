import Archive
import Glibc
import TestSupport
import Testing

/// Who has a data folder: one process, and whoever asks is not taken for it.
struct DataLockTests {
    @Test("a folder is had by one, and said to be taken for as long as it is")
    func one() throws {
        let folder = try TemporaryFolder()
        #expect(DataLock.holder(of: folder.path) == nil)
        let lock = try DataLock(folder.path)
        #expect(DataLock.holder(of: folder.path) == getpid())
        #expect(throws: StorageError.self) { try DataLock(folder.path) }
        withExtendedLifetime(lock) {}
    }

    @Test("those who ask who has a folder keep nobody from taking it, and take nobody for its holder")
    func asked() async throws {
        let folder = try TemporaryFolder()
        let isOver = Flag()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    while !isOver.isSet {
                        _ = DataLock.holder(of: folder.path)
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                defer { isOver.set() }
                do {
                    for _ in 0..<300 { _ = try DataLock(folder.path) }
                    // A child that another test starts may have the last one's lock until it is a program of its own.
                    _ = try Patience.wait(for: "the folder to be free") {
                        DataLock.holder(of: folder.path) == nil ? true : nil
                    }
                    for _ in 0..<300 { #expect(DataLock.holder(of: folder.path) == nil) }
                } catch {
                    Issue.record(error)
                }
            }
        }
    }
}
