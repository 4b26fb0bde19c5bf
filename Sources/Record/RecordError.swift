import Foundation

/// What can be wrong with a record's file or a report's folder, each in one line.
public enum RecordError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// The file could not be opened or read.
  case unreadable(path: String, reason: String)
  /// The file's bytes are no JSON document.
  case notJSON(path: String, reason: String)
  /// A field of the record holds something else than it should.
  case invalid(path: String, field: String, found: String, expected: String)
  /// A folder or file of the reports could not be made.
  case unwritable(path: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      return "\(path): \(reason), expected a record.json of gpt2-bench"
    case .notJSON(let path, let reason):
      return "\(path): not JSON (\(reason)), expected a record.json of gpt2-bench"
    case .invalid(let path, let field, let found, let expected):
      let place = field.isEmpty ? path : "\(path): \(field)"
      return "\(place): \(found == "missing" ? found : "found \(found)"), expected \(expected)"
    case .unwritable(let path, let reason):
      return "\(path): \(reason), expected a folder that can be written"
    }
  }

  public var errorDescription: String? { description }
}
