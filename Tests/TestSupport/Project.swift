import Foundation

/// Where the project's committed files are, whatever the working directory.
public enum Project {
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  public static func file(_ path: String) -> String { "\(root)/\(path)" }

  public static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: file(path)) }
}
