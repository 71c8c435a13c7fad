/// Why a record of a feed was refused.
///
/// A closed set: each case is also the name of a counter and of a reason in quarantine, so raw values never change.
public enum ReadRefusal: UInt8, Error, CaseIterable, Sendable {
    /// Not a record of the format at all: bad JSON, bad quoting, not an object.
    case malformed = 1
    /// Bytes that are not UTF-8.
    case badUTF8
    /// Longer than 1 MiB.
    case recordTooLong
    /// Nested deeper than 512 levels.
    case nestedTooDeeply
    /// No mark.
    case vrmMissing
    /// A mark that is not text, or not 1 to 12 of A-Z and 0-9 once separators are removed.
    case vrmInvalid
    /// No force.
    case forceMissing
    /// No camera.
    case cameraMissing
    /// A force or camera that is not text.
    case forceOrCameraNotText
    /// A (force, camera) that the register does not have.
    case cameraUnknown
    /// A force that the feed may not speak for.
    case forceNotPermitted
    /// No time.
    case capturedMissing
    /// A time that is not RFC 3339.
    case capturedInvalid
    /// A time without an offset on a feed without a time zone.
    case capturedWithoutOffset
    /// A local time that the feed's time zone skips or has twice.
    case capturedAmbiguous
    /// A time further in the future than clocks may differ.
    case capturedInFuture
    /// A confidence that is not a number from 0 to 100.
    case confidenceInvalid

    /// The reason's stable name, in counters, quarantine and reports.
    public var name: String {
        switch self {
        case .malformed: "malformed"
        case .badUTF8: "bad-utf8"
        case .recordTooLong: "record-too-long"
        case .nestedTooDeeply: "nested-too-deeply"
        case .vrmMissing: "vrm-missing"
        case .vrmInvalid: "vrm-invalid"
        case .forceMissing: "force-missing"
        case .cameraMissing: "camera-missing"
        case .forceOrCameraNotText: "force-or-camera-not-text"
        case .cameraUnknown: "camera-unknown"
        case .forceNotPermitted: "force-not-permitted"
        case .capturedMissing: "captured-missing"
        case .capturedInvalid: "captured-invalid"
        case .capturedWithoutOffset: "captured-without-offset"
        case .capturedAmbiguous: "captured-ambiguous"
        case .capturedInFuture: "captured-in-future"
        case .confidenceInvalid: "confidence-invalid"
        }
    }
}
