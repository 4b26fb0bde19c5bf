import Foundation

extension Record {
  /// The record in the file at `path`.
  ///
  /// - Throws: a `ReportingError` whose one line names the file, the field, what was found and what was
  ///   expected: no such file, no JSON, another schema, a field that is missing, of another type or out of
  ///   range.
  public static func read(path: String) throws -> Record {
    try decode(try RecordFile.contents(of: path), path: path)
  }

  /// Like `read(path:)`, from bytes; `path` is what errors name.
  static func decode(_ data: Data, path: String) throws -> Record {
    let record = try RecordFile.decode(Record.self, data, schema: currentSchema, path: path)
    try RecordRules(path: path).check(record)
    return record
  }

  /// The record as JSON: indented, keys sorted, so that the same record is the same bytes; a line's end last.
  ///
  /// - Throws: an `EncodingError` for a number that is not finite.
  public func encode() throws -> Data { try readableJSON(self) }
}

extension PairedRecord {
  /// The record of an interleaved comparison in the file at `path`.
  ///
  /// - Throws: a `ReportingError` as for a `Record`.
  public static func read(path: String) throws -> PairedRecord {
    let record = try RecordFile.decode(
      PairedRecord.self, try RecordFile.contents(of: path), schema: currentSchema, path: path)
    try PairedRules(path: path).check(record)
    return record
  }

  /// Whether the file at `path` says that it is such a record.
  public static func isOne(path: String) -> Bool {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
      case .object(let members) = try? JSONDecoder().decode(JSONValue.self, from: data)
    else { return false }
    return members["kind"] == .string(kindName)
  }

  /// As a `Record` is written.
  ///
  /// - Throws: an `EncodingError` for a number that is not finite.
  public func encode() throws -> Data { try readableJSON(self) }
}

/// What reading records of either kind has in common.
private enum RecordFile {
  static func contents(of path: String) throws -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw ReportingError.unreadable(path: path, reason: reason(path: path))
    }
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, _ data: Data, schema: Int, path: String
  ) throws -> Value {
    let decoder = JSONDecoder()
    let document: JSONValue
    do {
      document = try decoder.decode(JSONValue.self, from: data)
    } catch {
      throw ReportingError.notJSON(
        path: path, reason: data.isEmpty ? "the file is empty" : "truncated or malformed")
    }
    guard case .object(let members) = document else {
      throw ReportingError.invalid(path: path, field: "", found: document.summary, expected: "an object")
    }
    guard members["schema"] == .integer(schema) else {
      throw ReportingError.invalid(
        path: path, field: "schema", found: members["schema"]?.summary ?? "missing", expected: "\(schema)")
    }
    do {
      return try decoder.decode(type, from: data)
    } catch let error as DecodingError {
      throw DecodingProblem<Value>(error, in: document).error(path: path)
    }
  }

  private static func reason(path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "no such file" }
    return isFolder.boolValue ? "is a folder" : "cannot be read"
  }
}
