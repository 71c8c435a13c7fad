package import Forwarding
package import NIOCore

/// Cuts a TCP stream into link messages; a length that can't be right ends the connection before anything is kept.
package struct LinkFraming: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = LinkMessage

    /// Starts at the beginning of a stream.
    package init() {}

    /// The next message, if it is wholly there.
    package mutating func decode(buffer: inout ByteBuffer) throws -> LinkMessage? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self)
        else {
            return nil
        }
        guard length > 0, Int(length) <= LinkMessage.lengthMax else {
            throw LinkMessage.Fault(description: "a message of \(length) bytes")
        }
        guard buffer.readableBytes >= 4 + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let body = buffer.readBytes(length: Int(length)) else { return nil }
        return try LinkMessage(body: body)
    }

    /// The stream ends; a message begun is dropped, the sender will send it again.
    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> LinkMessage? {
        try decode(buffer: &buffer)
    }
}
