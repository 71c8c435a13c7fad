package import Forwarding
package import NIOCore

/// Cuts a TCP stream into link messages; a length that can't be right ends the connection before anything is kept.
package struct LinkFraming: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = LinkMessage

    /// Starts at the beginning of a stream.
    package init() {}

    /// The next message, if it is wholly there.
    package mutating func decode(buffer: inout ByteBuffer) throws -> LinkMessage? {
        var length = 0
        var width = 0
        while true {
            guard let byte = buffer.getInteger(at: buffer.readerIndex + width, as: UInt8.self) else {
                return nil
            }
            length |= Int(byte & 0x7F) << (7 * width)
            width += 1
            if byte < 0x80 { break }
            guard width < 4 else {
                throw LinkMessage.Fault(description: "a message of \(length) bytes or more")
            }
        }
        guard length > 0, length <= LinkMessage.lengthMax else {
            throw LinkMessage.Fault(description: "a message of \(length) bytes")
        }
        guard buffer.readableBytes >= width + length else { return nil }
        buffer.moveReaderIndex(forwardBy: width)
        guard let body = buffer.readBytes(length: length) else { return nil }
        return try LinkMessage(body: body)
    }

    /// The stream ends; a message begun is dropped, the sender will send it again.
    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> LinkMessage? {
        try decode(buffer: &buffer)
    }
}
