import Files
import Foundation
import Record

/// The folder that gets a run's files: `record.json` and the reports that are made from it. It is one run's as long as
/// this value is held: another one's is refused.
public struct ReportFolder: Sendable {
  public let path: String
  private let lock: FolderLock

  /// Makes the folder, and `parent` where it is missing, and proves that it can be written, before anything is
  /// measured.
  ///
  /// - Parameters:
  ///   - started: the run's start, ISO 8601; opens the folder's name.
  ///   - model: ends the folder's name; of a path its last part. Where the folder exists, `-2` and so on follows.
  /// - Throws: `FileError`.
  public static func create(in parent: String = "reports", started: String, model: String) throws
    -> ReportFolder
  {
    try makeFolder(parent)
    let base = "\(parent)/\(sanitised(started))-\(name(ofModel: model))"
    for suffix in 1...999 {
      let path = suffix == 1 ? base : "\(base)-\(suffix)"
      if try makeNewFolder(path) { return try ReportFolder(writable: path) }
    }
    throw FileError(path: base, reason: "exists 999 times")
  }

  /// A model in a folder's name: of a path its last part.
  public static func name(ofModel model: String) -> String {
    sanitised(model.split(separator: "/").last.map(String.init) ?? model)
  }

  /// Takes `path` as it is, and makes it where it is missing.
  /// - Throws: `FileError`, also where another run has the folder.
  public static func create(at path: String) throws -> ReportFolder {
    try makeFolder(path)
    return try ReportFolder(writable: path)
  }

  /// Writes the record and its reports anew, each file whole, so that a reader never meets half of one.
  /// - Throws: `FileError`; before any file is touched an `EncodingError` for a number that is not finite.
  public func write(_ record: Record) throws {
    let contents = try record.encode()
    let run = RunFigures(record)
    let csv = CSVReport(run)
    let profile = record.profiles?.isEmpty == false ? [("profile.csv", ProfileCSV(record).text)] : []
    let files = [("samples.csv", csv.samples), ("results.csv", csv.results)] + profile
    let reports = [("report.md", RunReport(run).markdown), ("report.html", HTMLReport(run).text)]
    try replace(Self.recordName, contents)
    for (name, text) in files + reports { try replace(name, Data(text.utf8)) }
  }

  /// Writes the record alone.
  public func keep(_ record: Record) throws { try replace(Self.recordName, try record.encode()) }

  /// The file that all others are made from.
  public static let recordName = "record.json"

  public var recordPath: String { path + "/" + Self.recordName }

  /// Whether the folder at the path is still the one that was taken, and no other in its place.
  public var isThere: Bool { lock.isOf(path) }

  /// Removes the folder where nothing is in it.
  public func removeEmpty() { rmdir(path) }

  /// Writes an interleaved comparison's record anew, likewise.
  public func write(_ record: PairedRecord) throws { try replace(Self.recordName, try record.encode()) }

  public func write(_ comparison: Comparison) throws {
    try replace("comparison.csv", Data(comparison.csv.utf8))
    try replace("comparison.md", Data(comparison.markdown.utf8))
    try replace(Self.comparisonPageName, Data(comparison.html.utf8))
  }

  private static let comparisonPageName = "comparison.html"

  public var comparisonPage: String { path + "/" + Self.comparisonPageName }

  private func replace(_ name: String, _ contents: Data) throws {
    try WholeFile.write(to: "\(path)/\(name)", contents)
  }

  private init(writable path: String) throws {
    self.path = path
    lock = try FolderLock(path)
    let probe = "\(path)/.writable-\(UUID().uuidString)"
    try WholeFile.write(to: probe, Data())
    try? FileManager.default.removeItem(atPath: probe)
  }

  /// False where something has its name already: two runs that start in the same second never share a folder.
  private static func makeNewFolder(_ path: String) throws -> Bool {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      return true
    } catch CocoaError.fileWriteFileExists {
      return false
    } catch {
      throw FileError(path: path, reason: "cannot be made: \(systemReason(of: error))")
    }
  }

  private static func makeFolder(_ path: String) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw FileError(path: path, reason: "is a file") }
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FileError(path: path, reason: "cannot be made: \(systemReason(of: error))")
    }
  }

  /// ASCII letters, digits, `.`, `_` and `-` stay; a run of anything else becomes one `-`.
  static func sanitised(_ name: String) -> String {
    let kept = name.unicodeScalars.map { scalar -> Character in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "_": return Character(scalar)
      default: return "-"
      }
    }
    let words = String(kept).split(separator: "-").joined(separator: "-").drop { $0 == "." }
    return words.isEmpty ? "model" : String(words.prefix(60))
  }
}

/// A folder that one process has to itself, as far as others ask too. The system gives it back when the process ends,
/// however it does.
private final class FolderLock: Sendable {
  private let descriptor: Int32

  init(_ path: String) throws(FileError) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path, errno) }
    // A file system that knows no locks has no say.
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    close(descriptor)
    throw FileError(path: path, reason: "another run is writing there")
  }

  func isOf(_ path: String) -> Bool {
    var (own, found) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &found) == 0 && own.st_ino == found.st_ino
      && own.st_dev == found.st_dev
  }

  deinit { close(descriptor) }
}
