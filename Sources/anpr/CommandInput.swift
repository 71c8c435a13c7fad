import ANPRModel
import ArgumentParser
import FeedDecoding
import Foundation
import Gateway

/// What commands read before they start.
enum CommandInput {
    /// The exit code for input that could not be used at all.
    static let unusableInput = ExitCode(65)

    /// Reads a camera register, or ends with all its faults named.
    static func register(_ path: String) throws -> CameraRegister {
        do {
            return CameraRegister(try CameraRegisterFile.cameras(try Console.contents(of: path)))
        } catch let faults as CameraRegisterFile.Faults {
            for fault in faults.faults { Console.note("\(path): \(fault)") }
            throw unusableInput
        } catch {
            Console.note("\(error)")
            throw unusableInput
        }
    }

    /// Replaces each directory by the feed files in it, in order of name.
    static func files(_ paths: [String]) throws -> [String] {
        try paths.flatMap { path -> [String] in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard attributes?[.type] as? FileAttributeType == .typeDirectory else { return [path] }
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            let feeds = names.filter { FeedFileName($0).format != nil && !$0.hasPrefix(".") }.sorted()
            guard !feeds.isEmpty else {
                Console.note("\(path): no feed files in this directory")
                throw unusableInput
            }
            return feeds.map { "\(path)/\($0)" }
        }
    }

    /// Runs `body`; what it throws says that the file is of no use.
    static func refusing<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            Console.note("\(path): \(error)")
            throw unusableInput
        }
    }

    /// Runs `body`; a feed that could not be used at all ends with 65, one that broke off with 1.
    static func unusable<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as FeedFile.Failure {
            Console.note("\(failure)")
            throw failure.isTotal ? unusableInput : ExitCode.failure
        }
    }
}
