import CSystem
import Foundation

/// A file that is there whole or not at all: its bytes go to a temporary file beside it, which takes its name
/// at the end.
public enum WholeFile {
  /// Takes the next bytes of a file.
  public typealias Put = (UnsafeRawBufferPointer) throws -> Void

  /// Writes the contents. Where the system fails, what had the name before is as it was.
  ///
  /// - Throws: `RecordError.unwritable`, also where something other than a file has the name.
  public static func write(to path: String, _ contents: Data) throws {
    try write(to: path) { put in try contents.withUnsafeBytes(put) }
  }

  /// Writes what `body` puts, likewise.
  ///
  /// - Throws: also what `body` throws.
  public static func write(to path: String, _ body: (Put) throws -> Void) throws {
    try refuseWhatIsNoFile(path)
    let target = URL(fileURLWithPath: path)
    let temporary = target.deletingLastPathComponent()
      .appendingPathComponent(".\(target.lastPathComponent.prefix(40)).\(UUID().uuidString)").path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(path, errno) }
    var isFinished = false
    var isOpen = true
    defer {
      if isOpen { close(descriptor) }
      if !isFinished { unlink(temporary) }
    }
    try body { bytes in
      let failure = csystem_write_all(descriptor, bytes.baseAddress, bytes.count)
      guard failure == 0 else { throw unwritable(path, failure) }
    }
    isOpen = false
    // A network's or a full quota's file system tells of a failed write only now.
    guard close(descriptor) == 0 else { throw unwritable(path, errno) }
    guard rename(temporary, path) == 0 else { throw unwritable(path, errno) }
    isFinished = true
  }

  /// A rename would put a file in the place of `/dev/null`.
  private static func refuseWhatIsNoFile(_ path: String) throws {
    guard !path.isEmpty else { throw RecordError.unwritable(path: "''", reason: "is no path") }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw RecordError.unwritable(
      path: path, reason: status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is a device or a pipe")
  }

  private static func unwritable(_ path: String, _ code: Int32) -> RecordError {
    .unwritable(path: path, reason: String(cString: strerror(code)).lowercased())
  }
}
