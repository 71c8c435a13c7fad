import ANPRModel
import FeedDecoding
import Simulation
import TestSupport
import Testing

@Suite("The register's file")
struct CameraRegisterFileTests {
    private func faults(_ text: String) -> [String] {
        do {
            _ = try CameraRegisterFile.cameras(Array(text.utf8))
            return []
        } catch { return error.faults }
    }

    @Test("A register is read with its columns in any order, blanks where they may be")
    func reading() throws {
        let text = #"""
            \#u{FEFF}lane,camera,force,site,lat,lon,direction,remark
            63,43-1,43,SITE-1,51.7358,-1.0035,towards,"a, ""b"""

            ,43-2,43,,,,,
            0,"43,3",45,"S\#n1",-90,180,NE,x

            """#
        let cameras = try CameraRegisterFile.cameras(Array(text.utf8))
        let first = Camera(
            force: "43",
            name: "43-1",
            site: "SITE-1",
            latitude: 517_358_000,
            longitude: -10_035_000,
            direction: .towards,
            lane: 63
        )
        let third = Camera(
            force: "45",
            name: "43,3",
            site: "S\n1",
            latitude: -900_000_000,
            longitude: 1_800_000_000,
            direction: .northEast,
            lane: 0
        )
        #expect(cameras == [first, Camera(force: "43", name: "43-2"), third])
        #expect(cameras.map(\.site) == ["SITE-1", "43/43-2", "S\n1"])
    }

    @Test("All faults are named, each with its line")
    func allFaults() {
        let long = String(repeating: "x", count: 65)
        let text = """
            force,camera,site,lat,lon,direction,lane
            43,A,S,51,-1,N,1
            ,B,S,51,-1,N,1

            43,,S,51,-1,N,1
            43,\(long),S,51,-1,N,1
            43,C,"S
            ",91,-1,N,1
            43,D,S,51,-180.5,N,1
            43,E,S,51,,N,1
            43,F,S,51,-1,n,1
            43,G,S,51,-1,N,64
            43,H,S,north,-1,N,1.5
            43,A,S,51,-1,N,1
            45,A,S,51,-1,N,1
            """
        let found = faults(text)
        let lines = [
            "line 3:", "line 5:", "line 6:", "line 7:", "line 9:", "line 10:", "line 11:", "line 12:",
            "line 13:", "line 14:",
        ]
        for line in lines { #expect(found.contains { $0.hasPrefix(line) }, "\(line) \(found)") }
        #expect(Set(found.map { $0.prefix { $0 != ":" } }).count == lines.count, "\(found)")
        #expect(found.filter { $0.hasPrefix("line 13:") }.count >= 2, "\(found)")
        #expect(found.contains { $0.hasPrefix("line 14:") && $0.contains("line 2") }, "\(found)")
    }

    @Test(
        "A file that is no register is refused whole",
        arguments: [
            "", "\n\n", "force,site\n43,S\n", "camera\nA\n", "force,camera\n43,\"A\n", "Force,Camera\n43,A\n",
        ]
    )
    func noRegister(text: String) {
        #expect(faults(text).count == 1)
    }

    @Test("A file that is not UTF-8 is refused whole")
    func badUTF8() {
        let bytes = Array("force,camera\n43,A".utf8) + [0xFF, 0x0A]
        #expect(throws: CameraRegisterFile.Faults.self) { try CameraRegisterFile.cameras(bytes) }
    }

    @Test("A register with a header alone has no cameras")
    func headerAlone() throws {
        #expect(try CameraRegisterFile.cameras(Array("force,camera\n".utf8)).isEmpty)
    }

    @Test("What the simulation writes is read back", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        for profile in SimulationProfile.all {
            let feeds = SimulatedFeeds(profile, reads: 10, seed: seed)
            let file = SimulatedFiles.register(feeds.cameras)
            let cameras = try CameraRegisterFile.cameras(file)
            // The file has five decimals of a degree; all else is exact.
            func rounded(_ cameras: [Camera]) -> [Camera] {
                cameras.map { camera in
                    var camera = camera
                    camera.latitude = camera.latitude / 100 * 100
                    camera.longitude = camera.longitude / 100 * 100
                    return camera
                }
            }
            #expect(difference(cameras, rounded(feeds.cameras)) == nil, "seed \(seed), \(profile.name)")
            #expect(
                difference(SimulatedFiles.register(cameras), file) == nil,
                "seed \(seed), \(profile.name)"
            )
        }
    }
}
