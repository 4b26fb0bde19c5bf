import Foundation

/// What a record's file holds.
public enum RecordFile: Sendable, Equatable {
  case run(Record)
  case builds(PairedRecord)

  /// Stands for standard input where a record's path is expected.
  public static let standardInput = "-"

  /// The record's file that `path` means: that in a run's folder, where it is one that has a record.
  public static func path(meaning path: String) -> String {
    let inside = path + "/record.json"
    return FileManager.default.fileExists(atPath: inside) ? inside : path
  }

  /// The record of either kind in the file or the run's folder at `path`, or in what comes through standard input or a
  /// pipe.
  ///
  /// - Throws: a `RecordError` whose one line names the file, the field, what was found and what was
  ///   expected: no such file, no JSON, another schema, another kind, a field that is missing, of another type or out
  ///   of range.
  public static func read(path: String) throws -> RecordFile {
    let document = try RecordDocument(path: path)
    return document.kind == PairedRecord.kindName
      ? .builds(try PairedRecord(document)) : .run(try Record(document))
  }
}

extension Record {
  /// The record of a run in the file or the run's folder at `path`, or in what comes through standard input or a pipe.
  ///
  /// - Throws: a `RecordError` as for `RecordFile`.
  public static func read(path: String) throws -> Record { try Record(try RecordDocument(path: path)) }

  /// Like `read(path:)`, from bytes; `path` is what errors name.
  static func decode(_ data: Data, path: String) throws -> Record {
    try Record(try RecordDocument(data, path: path))
  }

  fileprivate init(_ document: RecordDocument) throws {
    self = try document.decode(Record.self, schema: Self.currentSchema, kinds: Kind.allCases.map(\.rawValue))
    try RecordRules(path: document.path).check(self)
  }

  /// The record as JSON: indented, keys sorted, so that the same record is the same bytes; a line's end last.
  ///
  /// - Throws: an `EncodingError` for a number that is not finite.
  public func encode() throws -> Data { try readableJSON(self) }
}

extension PairedRecord {
  /// The record of an interleaved comparison in the file at `path`.
  ///
  /// - Throws: a `RecordError` as for `RecordFile`.
  public static func read(path: String) throws -> PairedRecord {
    try PairedRecord(try RecordDocument(path: path))
  }

  fileprivate init(_ document: RecordDocument) throws {
    self = try document.decode(PairedRecord.self, schema: Self.currentSchema, kinds: [Self.kindName])
    try RecordRules(path: document.path).check(self)
  }

  /// As a `Record` is written.
  ///
  /// - Throws: an `EncodingError` for a number that is not finite.
  public func encode() throws -> Data { try readableJSON(self) }
}

/// A document as JSON: indented, keys sorted, so that the same document is the same bytes; a line's end last.
///
/// - Throws: an `EncodingError` for a number that is not finite.
public func readableJSON(_ document: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return try encoder.encode(document) + Data("\n".utf8)
}

/// What can be wrong with a record's file, each in one line.
public enum RecordError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// The file could not be opened or read.
  case unreadable(path: String, reason: String)
  /// The file's bytes are no JSON document.
  case notJSON(path: String, reason: String)
  /// A field of the record holds something else than it should.
  case invalid(path: String, field: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      return "\(path): \(reason), expected a record.json of gpt2-bench"
    case .notJSON(let path, let reason):
      return "\(path): not JSON (\(reason)), expected a record.json of gpt2-bench"
    case .invalid(let path, let field, let found, let expected):
      let place = field.isEmpty ? path : "\(path): \(field)"
      return "\(place): \(found == "missing" ? found : "found \(found)"), expected \(expected)"
    }
  }

  public var errorDescription: String? { description }
}

/// A record's bytes, of which no more is known than the fields that say what the rest means.
private struct RecordDocument {
  private struct Header: Decodable {
    let schema: Int
    let kind: String
  }

  let path: String
  private let data: Data
  /// Nil where a field of it is not as it should be.
  private let header: Header?

  var kind: String? { header?.kind }

  init(path: String) throws {
    let isInput = path == RecordFile.standardInput
    let (file, name) = (RecordFile.path(meaning: path), isInput ? "standard input" : path)
    // A pipe is no file that could be mapped: it is read to its end.
    guard let handle = isInput ? FileHandle.standardInput : FileHandle(forReadingAtPath: file),
      let data = try? handle.readToEnd() ?? Data()
    else { throw RecordError.unreadable(path: name, reason: Self.reason(path: path)) }
    try self.init(data, path: isInput ? name : file)
  }

  init(_ data: Data, path: String) throws {
    (self.data, self.path) = (data, path)
    header = try? JSONDecoder().decode(Header.self, from: data)
  }

  /// - Throws: `RecordError` for another schema first, then for another kind, then for the first field that is wrong.
  func decode<Value: Decodable>(_ type: Value.Type, schema: Int, kinds: [String]) throws -> Value {
    guard let header, header.schema == schema, kinds.contains(header.kind) else {
      throw try headerProblem(schema: schema, kinds: kinds)
    }
    do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
      throw DecodingProblem<Value>(error, in: try document()).error(path: path)
    }
  }

  private func headerProblem(schema: Int, kinds: [String]) throws -> RecordError {
    let document = try document()
    guard case .object(let members) = document else {
      return .invalid(path: path, field: "", found: document.summary, expected: "an object")
    }
    func invalid(_ field: String, expected: String) -> RecordError {
      .invalid(path: path, field: field, found: members[field]?.summary ?? "missing", expected: expected)
    }
    guard members["schema"] == .integer(schema) else { return invalid("schema", expected: "\(schema)") }
    guard case .string = members["kind"] else { return invalid("kind", expected: "a string") }
    let words = kinds.map { "\"\($0)\"" }.joined(separator: ", ")
    return invalid("kind", expected: kinds.count == 1 ? words : NamedChoiceMessage.prefix + words)
  }

  private func document() throws -> JSONValue {
    guard let document = try? JSONDecoder().decode(JSONValue.self, from: data) else {
      throw RecordError.notJSON(
        path: path, reason: data.isEmpty ? "the file is empty" : "truncated or malformed")
    }
    return document
  }

  private static func reason(path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "no such file" }
    return isFolder.boolValue ? "is a folder" : "cannot be read"
  }
}
