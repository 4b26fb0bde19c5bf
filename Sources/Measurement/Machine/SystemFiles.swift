import Foundation

/// The small files and folders in which a system tells about itself, as a probe sees them; a test shows it others.
struct SystemFiles: Sendable {
  /// A file's text without white space at its ends; nil where it cannot be read or is empty.
  var text: @Sendable (_ path: String) -> String?
  /// The names in a folder; none where it cannot be read.
  var names: @Sendable (_ folder: String) -> [String]

  static let real = SystemFiles(
    text: { SystemFiles.text($0) },
    names: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })

  /// Of the system itself. Such a file's size reads as 0, so it is read to its end.
  static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16384)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return text.isEmpty ? nil : text
  }

  /// What stands after the name and the separator in the first line that opens with both, words one blank apart; nil
  /// for none.
  static func value(of name: String, _ separator: Character, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1).map {
        $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      }
      if parts.count == 2, parts[0] == name { return parts[1].isEmpty ? nil : parts[1] }
    }
    return nil
  }

  /// Of a line of a name, a blank and a number, as in `/proc/vmstat`; nil where there is no such line.
  static func count(of name: String, in text: String) -> UInt64? {
    value(of: name, " ", in: text).flatMap { UInt64($0) }
  }
}
