import Foundation

/// The small files and folders in which a system tells about itself, as a probe sees them; a test shows it others.
struct SystemView: Sendable {
  /// A file's text without white space at its ends; nil where it cannot be read or is empty.
  var text: @Sendable (_ path: String) -> String?
  /// The names in a folder; none where it cannot be read.
  var names: @Sendable (_ folder: String) -> [String]

  static let real = SystemView(
    text: { SystemFiles.text($0) },
    names: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })
}
