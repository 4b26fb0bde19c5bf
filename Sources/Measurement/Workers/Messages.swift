import Files
import Foundation

// The lines that a worker and its parent exchange: one JSON object each way, described for the authors of
// other workers in Benchmarks/peers/README.md.

/// A payload or a result without fields.
public struct Empty: Codable, Sendable, Equatable {
  public init() {}
}

/// `{"id":3,"operation":"run","payload":{…}}`, as it is sent.
struct Request<Payload: Encodable>: Encodable {
  var id: Int
  var operation: String
  var payload: Payload
}

/// The payload of a request that has arrived. A missing one is an empty object, so that `quit` needs none.
struct ReceivedPayload<Payload: Decodable>: Decodable {
  private enum CodingKeys: String, CodingKey { case payload }

  var payload: Payload

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    if let empty = Empty() as? Payload {
      payload = empty
    } else {
      payload = try fields.decode(Payload.self, forKey: .payload)
    }
  }
}

/// What is read of a request before it is known whose it is.
struct RequestHeader: Decodable {
  var id: Int
  var operation: String
}

/// `{"id":3,"ok":true,"result":{…}}` or `{"id":3,"ok":false,"error":"one line"}`. The id is null where the
/// request's own could not be read.
struct Answer<Result> {
  var id: Int?
  var ok: Bool
  var result: Result?
  var error: String?

  private enum CodingKeys: String, CodingKey { case id, ok, result, error }
}

extension Answer: Decodable where Result: Decodable {}

extension Answer: Encodable where Result: Encodable {
  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(id, forKey: .id)
    try fields.encode(ok, forKey: .ok)
    try fields.encodeIfPresent(result, forKey: .result)
    try fields.encodeIfPresent(error, forKey: .error)
  }
}

enum MessageCoding {
  /// One line of JSON with its newline.
  static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(value)
    data.append(UInt8(ascii: "\n"))
    return data
  }

  /// What an error of the coders means, in one line: the field, and what was wrong with it.
  static func reason(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String { path.isEmpty ? "(the whole line)" : fieldName(path) }
    switch error {
    case let error as DecodingError:
      let problem = JSONProblem(error)
      let field = place(problem.path)
      switch problem.kind {
      case .missing: return "no field \(field)"
      case .anotherType(let type): return "field \(field) is not a \(type)"
      case .null(let type): return "field \(field) is null, expected a \(type)"
      case .invalid: return problem.path.isEmpty ? "not JSON" : "field \(field) is not valid"
      }
    case EncodingError.invalidValue(let value, let context):
      return "field \(place(context.codingPath)) cannot be written: \(value)"
    default:
      return String(describing: error).safeLine(limit: 400)
    }
  }
}

/// Bytes that arrive in pieces and leave as lines.
struct LineBuffer {
  private var bytes = Data()
  /// Everything before this offset is known to hold no newline.
  private var searched = 0

  /// Bytes of the line that has not ended yet, or of lines not taken.
  var count: Int { bytes.count }

  mutating func append(_ piece: some Sequence<UInt8>) { bytes.append(contentsOf: piece) }

  /// The next complete line without its newline, or nil until there is one.
  mutating func nextLine() -> Data? {
    guard let newline = bytes[(bytes.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = bytes.count
      return nil
    }
    let line = Data(bytes[..<newline])
    bytes = Data(bytes[(newline + 1)...])
    searched = 0
    return line
  }

  /// What is left when the stream has ended: a last line without a newline, nil where nothing is left.
  mutating func remainder() -> Data? {
    defer {
      bytes = Data()
      searched = 0
    }
    return bytes.isEmpty ? nil : bytes
  }
}

/// The end of a text of any length.
struct TextTail {
  private var bytes = Data()
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  mutating func append(_ piece: Data) {
    bytes.append(piece)
    if bytes.count > 2 * capacity { bytes = Data(bytes.suffix(capacity)) }
  }

  var text: String { String(decoding: bytes.suffix(capacity), as: UTF8.self) }
}
