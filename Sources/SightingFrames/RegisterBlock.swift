public import ANPRModel
import Compression

/// Blocks of cameras: what a stream has to say before its frames can name them by number.
public enum RegisterBlock {
    /// A block of the register's cameras from one index on, all or up to another.
    public static func encode(_ register: CameraRegister, from first: Int, to end: Int? = nil) throws -> Block
    {
        let cameras = register.cameras[first..<(end ?? register.count)]
        let text = text(cameras)
        return Block(
            kind: .register,
            count: UInt32(cameras.count),
            sequence: UInt64(first),
            unpackedLength: UInt32(text.count),
            payload: try Deflater.pack(text, level: 9, wrapper: .raw)
        )
    }

    /// By what two nodes see that they know the same first cameras of a register.
    public static func checksum(_ register: CameraRegister, first count: Int) -> UInt32 {
        let text = text(register.cameras.prefix(count))
        return Checksum.crc32(text, 0..<text.count)
    }

    private static func text(_ cameras: ArraySlice<Camera>) -> [UInt8] {
        var text = ColumnWriter()
        for camera in cameras {
            for field in [camera.force, camera.name, camera.site] {
                text.put(UInt64(field.utf8.count))
                for byte in field.utf8 { text.put(byte) }
            }
            text.put(signed: Int64(camera.latitude))
            text.put(signed: Int64(camera.longitude))
            text.put(camera.direction?.rawValue ?? 0)
            text.put(camera.lane.map { $0 + 1 } ?? 0)
        }
        return text.bytes
    }

    /// Reads a block's cameras.
    public static func decode(_ block: Block) throws(FrameFault) -> [Camera] {
        guard block.kind == .register else { throw .notAFrame }
        let bytes: [UInt8]
        do throws(CompressionError) {
            bytes = try Inflater.unpack(block.payload[...], length: Int(block.unpackedLength))
        } catch { throw .badPacking }
        return try ColumnReader.read(bytes) { column throws(FrameFault) in
            var cameras: [Camera] = []
            for _ in 0..<block.count { cameras.append(try camera(&column)) }
            guard column.isAtEnd else { throw .columnTooLong }
            return cameras
        }
    }

    private static func camera(_ column: inout ColumnReader) throws(FrameFault) -> Camera {
        let force = try text(&column)
        let name = try text(&column)
        let site = try text(&column)
        let latitude = try degrees(&column)
        let longitude = try degrees(&column)
        let direction = try column.byte()
        let lane = try column.byte()
        guard direction == 0 || Direction(rawValue: direction) != nil, lane <= 64 else {
            throw .numberTooLarge
        }
        return Camera(
            force: force,
            name: name,
            site: site,
            latitude: latitude,
            longitude: longitude,
            direction: Direction(rawValue: direction),
            lane: lane == 0 ? nil : lane - 1
        )
    }

    private static func degrees(_ column: inout ColumnReader) throws(FrameFault) -> Int32 {
        guard let value = Int32(exactly: try column.signed()) else { throw .numberTooLarge }
        return value
    }

    /// Names of force, camera and site have at most 64 characters, a site made of both a few more.
    private static func text(_ column: inout ColumnReader) throws(FrameFault) -> String {
        let length = try column.number(upTo: 1024)
        var bytes: [UInt8] = []
        for _ in 0..<length { bytes.append(try column.byte()) }
        guard let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.count <= 256 else {
            throw .badText
        }
        return text
    }
}
