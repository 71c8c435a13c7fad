import Foundation
import TestSupport
import Testing

/// Files put into a folder by cameras and people.
@Suite
struct DropFolderTests {
    @Test(
        "whole files are taken in and moved, useless ones set aside, unfinished ones left; no log names them"
    )
    func files() throws {
        let scratch = try Scratch()
        let cameras = try scratch.write("force,camera,site\n43,43-1,S1\n", "cameras.csv")
        let drop = scratch.path + "/drop"
        try FileManager.default.createDirectory(atPath: drop, withIntermediateDirectories: true)
        let feed =
            "{ name: d, force: \"43\", source: directory, path: \"\(drop)\", format: csv, settle: 0ms }"
        let node = try LiveNode(scratch, feeds: [feed], forces: ["43"], cameras: cameras)
        let good = "force,camera,vrm,captured\n43,43-1,AB27CDE,2026-11-20T06:00:00Z\n"
        // As cameras name their files: by time and mark.
        let files = [
            "20261120060000310_AB27CDE.csv": good, "20261120060001000_XY99ZZZ.csv": "a,b\n1,2\n",
            "20261120060002000_PK88AAA.part": good, ".20261120060003000_LM77BBB": good,
        ]
        for (name, text) in files {
            // Under its name it is whole.
            let hidden = "\(drop)/.moving"
            try text.write(toFile: hidden, atomically: false, encoding: .utf8)
            try FileManager.default.moveItem(atPath: hidden, toPath: "\(drop)/\(name)")
        }
        func isThere(_ path: String) -> Bool? {
            FileManager.default.fileExists(atPath: "\(drop)/\(path)") ? true : nil
        }
        _ = try Patience.wait(for: "the good file") { isThere("done/20261120060000310_AB27CDE.csv") }
        _ = try Patience.wait(for: "the useless file") { isThere("rejected/20261120060001000_XY99ZZZ.csv") }
        #expect(isThere("20261120060002000_PK88AAA.part") == true)
        #expect(isThere(".20261120060003000_LM77BBB") == true)
        #expect(node.stop() == 0)
        let log = try node.log()
        #expect(log.contains("no column vrm"), "it says why")
        for mark in ["AB27CDE", "XY99ZZZ", "PK88AAA", "LM77BBB"] { #expect(!log.contains(mark)) }
        #expect(try node.sightings().count == 1)
    }
}
