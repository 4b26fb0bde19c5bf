import Foundation

/// A folder of a test's own, gone with it, that also serves as the project's folder: the suites, references and
/// the tiny model are the project's, whatever is written stays here.
final class Sandbox: Sendable {
  let folder: String

  init() throws {
    let manager = FileManager.default
    folder =
      manager.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("gpt2-bench-\(UUID().uuidString)").path
    for name in ["home/weights", "home/Benchmarks", "work"] {
      try manager.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["Benchmarks/suites", "Benchmarks/reference", "Benchmarks/peers", "weights/tiny"] {
      try manager.createSymbolicLink(
        atPath: "\(home)/\(name)", withDestinationPath: "\(Self.project)/\(name)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Stands in for the project's folder.
  var home: String { folder + "/home" }

  /// Where commands start.
  var work: String { folder + "/work" }

  var tinyModel: String { home + "/weights/tiny" }

  func path(_ name: String) -> String { "\(work)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult
  func file(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  func folder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    return path(name)
  }

  func copy(_ source: String, to name: String) throws {
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: source).resolvingSymlinksInPath(), to: URL(fileURLWithPath: path(name)))
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// Everything below the working folder.
  var contents: [String] {
    (FileManager.default.enumerator(atPath: work)?.compactMap { $0 as? String } ?? []).sorted()
  }

  func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self)
  }

  /// The checkout that this test was built from.
  static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}
