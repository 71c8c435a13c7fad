import ANPRModel
import Simulation
import Testing

@Suite("The register")
struct CameraRegisterTests {
    private static let seeds: [UInt64] = [1, 2, 3]

    @Test("Every camera is found under its force and name, and nothing else is", arguments: seeds)
    func finding(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var names: Set<[String]> = []
        // Forces and names that run into each other: ("4", "3-1") and ("43", "-1").
        while names.count < 500 {
            let force = random.one(of: ["4", "43", "433", "é"])
            names.insert([
                force, String(random.one(of: ["", "3", "33-", "-", "é"])) + String(random.below(200)),
            ])
        }
        let list = names.sorted { $0.lexicographicallyPrecedes($1) }
        let register = CameraRegister(list.map { Camera(force: $0[0], name: $0[1]) })
        for (index, name) in list.enumerated() {
            #expect(
                register.find(force: name[0], name: name[1]) == CameraIndex(index),
                "seed \(seed): \(name)"
            )
        }
        for name in list {
            #expect(register.find(force: name[0], name: name[1] + "x") == nil, "seed \(seed): \(name)")
            #expect(register.find(force: "", name: name[0] + name[1]) == nil, "seed \(seed): \(name)")
        }
    }

    @Test("Ranks are the order of the bytes of (force, camera), and of the sites' names", arguments: seeds)
    func ranks(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let cameras = (0..<300).map { number in
            Camera(
                force: random.one(of: ["4", "43", "44", "Z", "a", "é"]),
                name: "\(random.below(50))-\(number)",
                site: random.chance(perMille: 300) ? nil : "S\(random.below(90))"
            )
        }
        let register = CameraRegister(cameras)
        let byText = cameras.indices.sorted { left, right in
            let one = [Array(cameras[left].force.utf8), Array(cameras[left].name.utf8)]
            let other = [Array(cameras[right].force.utf8), Array(cameras[right].name.utf8)]
            return one[0] == other[0]
                ? one[1].lexicographicallyPrecedes(other[1]) : one[0].lexicographicallyPrecedes(other[0])
        }
        #expect(byText.map { register.cameraOrder[$0] } == (0..<300).map { UInt32($0) }, "seed \(seed)")
        let sites = register.sites.indices.sorted { register.siteOrder[$0] < register.siteOrder[$1] }
        let expected = register.sites.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(sites.map { register.sites[$0] } == expected, "seed \(seed)")
    }

    @Test("A camera that is registered again keeps its old index and is found under the new one")
    func registeringAgain() {
        var register = CameraRegister([
            Camera(force: "43", name: "B", site: "S1"), Camera(force: "43", name: "A", site: "S1"),
        ])
        let indexes = register.register([
            Camera(force: "43", name: "B", site: "S2"), Camera(force: "43", name: "A", site: "S1"),
            Camera(force: "45", name: "B", site: "S1"),
        ])
        #expect(indexes == [2, 1, 3])
        #expect(register.count == 4)
        #expect(register.siteName(of: 0) == "S1")
        #expect(register.siteName(of: 2) == "S2")
        #expect(register.find(force: "43", name: "B") == 2)
        #expect(register.cameraOrder == [1, 0, 1, 2])
        let unchanged = register.register([Camera(force: "43", name: "B", site: "S2")])
        #expect(unchanged == [2])
        let back = register.register([Camera(force: "43", name: "B", site: "S1")])
        #expect(back == [4])
        #expect(register.find(force: "43", name: "B") == 4)
    }

    @Test("Of two cameras with the same force and name the later counts")
    func laterCounts() {
        let register = CameraRegister([
            Camera(force: "43", name: "A", site: "S1"), Camera(force: "43", name: "A", site: "S2"),
        ])
        #expect(register.find(force: "43", name: "A").map(register.siteName) == "S2")
        #expect(register.cameraOrder[0] == register.cameraOrder[1])
    }

    @Test("A register that is restored has the same indexes")
    func restoring() {
        var first = CameraRegister([Camera(force: "43", name: "A", site: "S1")])
        first.register([Camera(force: "43", name: "A", site: "S2"), Camera(force: "45", name: "A")])
        var second = CameraRegister()
        second.restore(first.cameras)
        #expect(second.cameras == first.cameras)
        #expect(second.siteOfCamera == first.siteOfCamera)
        #expect(second.cameraOrder == first.cameraOrder)
        #expect(second.find(force: "43", name: "A") == first.find(force: "43", name: "A"))
    }

    @Test("A camera without a site is its own, written force/camera")
    func ownSite() {
        let register = CameraRegister([Camera(force: "43", name: "A")])
        #expect(register.sites == ["43/A"])
        #expect(register.site("43/A") == 0)
        #expect(register.force("43") == 0)
        #expect(register.force("45") == nil)
    }

    @Test("Directions keep the order of their words and take no other word")
    func directions() {
        let words = Direction.allCases.sorted { $0.rawValue < $1.rawValue }.map(\.text)
        #expect(words == ["E", "N", "NE", "NW", "S", "SE", "SW", "W", "away", "towards"])
        #expect(words.compactMap { Direction($0)?.text } == words)
        for word in ["", "n", "NNE", "Towards", " N"] { #expect(Direction(word) == nil, "\(word)") }
    }
}
