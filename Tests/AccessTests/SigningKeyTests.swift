import Access
import Foundation
import TestSupport
import Testing

/// What a node signs can be told from what anyone else wrote.
struct SigningKeyTests {
    @Test(
        "a key is made once, for its owner only, and known again; other texts, keys and signatures are told"
    )
    func signatures() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/keys/a.key"
        let key = try SigningKey(file: path)
        let signature = try key.sign("the text")
        #expect(try SigningKey(file: path).publicKey == key.publicKey)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/keys") == ["a.key"])
        #expect(SigningKey.isGood(signature, of: "the text", by: key.publicKey))
        #expect(!SigningKey.isGood(signature, of: "the texT", by: key.publicKey))
        let other = try SigningKey(file: "\(folder.path)/keys/b.key")
        #expect(!SigningKey.isGood(signature, of: "the text", by: other.publicKey))
        #expect(!SigningKey.isGood(try other.sign("the text"), of: "the text", by: key.publicKey))
        #expect(!SigningKey.isGood("", of: "the text", by: key.publicKey))
        #expect(!SigningKey.isGood("no Base64", of: "the text", by: "nor this"))
    }

    @Test("a file that is no key is said to be none, and stays as it is")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/a.key"
        try Data("hello".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: SigningKey.Failure.self) { try SigningKey(file: path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "hello")
    }
}
