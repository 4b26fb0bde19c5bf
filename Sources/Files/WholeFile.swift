import Foundation

/// A file that is there whole or not at all: its bytes go to a temporary file beside it, which takes its name
/// at the end. A reader never meets half a file, and a file that is being read may be replaced.
public enum WholeFile {
  /// Writes the contents. Where the system fails, what had the name before is as it was.
  /// - Throws: `FileError`, also where something other than a file has the name.
  public static func write(to path: String, _ contents: Data) throws {
    try write(to: path) { put in try contents.withUnsafeBytes(put) }
  }

  /// Writes what `body` puts, likewise.
  /// - Throws: also what `body` throws.
  public static func write(
    to path: String, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let file = try NewFile(path, O_WRONLY)
    try body { bytes in
      let failure = writeAll(file.descriptor, bytes)
      guard failure == 0 else { throw FileError(path, failure) }
    }
    try file.finish()
  }

  /// Writes a file that is filled in place, so that its bytes need no second copy in memory.
  /// - Parameters:
  ///   - count: bytes of the file, at least one.
  ///   - body: fills them; they are zero before.
  /// - Throws: also what `body` throws.
  public static func write(
    to path: String, count: Int, filling body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let file = try NewFile(path, O_RDWR)
    // The blocks are reserved first: a full disk is an error here, not a signal while the mapping is filled.
    #if canImport(Darwin)
      let reserved = ftruncate(file.descriptor, off_t(count)) == 0 ? 0 : errno
    #else
      var reserved = EINTR
      while reserved == EINTR { reserved = posix_fallocate(file.descriptor, 0, off_t(count)) }
    #endif
    guard reserved == 0 else { throw FileError(path, reserved) }
    guard
      let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0),
      base != MAP_FAILED
    else { throw FileError(path, errno) }
    do {
      defer { munmap(base, count) }
      try body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }
    try file.finish()
  }

  /// Removes what writers of the path that were killed have left beside it. Nobody else may be writing it.
  public static func removeLeftovers(of path: String) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(NewFile.prefix(of: path)) { unlink("\(folder)/\(name)") }
  }
}

/// A temporary file beside the place that it is for. It goes when this object goes, unless it was finished.
private final class NewFile {
  let descriptor: Int32
  private let path: String
  /// A name of its own, so that two writers of one path do not meet.
  private let temporary: String
  private var isOpen = true
  private var isFinished = false

  init(_ path: String, _ access: Int32) throws(FileError) {
    try Self.refuseWhatIsNoFile(path)
    self.path = path
    temporary =
      URL(fileURLWithPath: path).deletingLastPathComponent()
      .appendingPathComponent(Self.prefix(of: path) + UUID().uuidString).path
    descriptor = open(temporary, access | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError(path, errno) }
  }

  /// What the names of the temporary files of a path begin with.
  static func prefix(of path: String) -> String {
    ".\(URL(fileURLWithPath: path).lastPathComponent.prefix(40))."
  }

  deinit {
    if isOpen { close(descriptor) }
    if descriptor >= 0, !isFinished { unlink(temporary) }
  }

  func finish() throws(FileError) {
    isOpen = false
    // A network's or a full quota's file system tells of a failed write only now.
    guard close(descriptor) == 0 else { throw FileError(path, errno) }
    guard rename(temporary, path) == 0 else { throw FileError(path, errno) }
    isFinished = true
  }

  /// A rename would put a file in the place of `/dev/null`.
  private static func refuseWhatIsNoFile(_ path: String) throws(FileError) {
    guard !path.isEmpty else { throw FileError(path: "''", reason: "is no path") }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw FileError(
      path: path, reason: status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is a device or a pipe")
  }
}

/// Why a folder or a file could not be written, in one line.
public struct FileError: Error, Equatable, CustomStringConvertible, LocalizedError {
  public let path: String
  /// A few words that go on after the path.
  public let reason: String

  public init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }

  /// - Parameter number: of the system's error.
  public init(_ path: String, _ number: Int32) {
    self.init(path: path, reason: systemReason(number).lowercased())
  }

  public var description: String { "\(path): \(reason), expected a folder that can be written" }
  public var errorDescription: String? { description }
}
