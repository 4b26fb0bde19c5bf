import CSystem
import Files
import Foundation

/// The only owner of a range of memory pages: a whole file mapped read-only, or zeroed anonymous memory.
/// Unmapped when it goes.
final class Mapping: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let count: Int
  private let isFile: Bool

  /// Maps a file read-only; processes that map the same file share its pages.
  convenience init(readingFile path: String) throws(ModelError) {
    // Not blocking: opening a named pipe would otherwise wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    defer { close(descriptor) }
    try self.init(reading: descriptor, of: path)
  }

  /// Likewise a file that is open, and stays so.
  init(reading descriptor: Int32, of path: String) throws(ModelError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path, reason: ModelFile.notAFile)
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw .malformed(path: path, problem: "the file is empty") }
    guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
      throw .unreadable(path: path, reason: systemReason())
    }
    (self.base, count, isFile) = (base, size, true)
    let loss = ModelError.malformed(
      path: path, problem: "the file was cut short while it was in use, expected its \(size) bytes to stay")
    csystem_mapping_add(base, size, loss.description)
  }

  /// Zeroed private memory that takes physical pages only where it is touched.
  init(anonymousBytes bytes: Int) throws(ModelError) {
    let size = max(bytes, 1)
    guard
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { throw .unreadable(path: "memory", reason: "\(size) bytes: \(systemReason())") }
    (self.base, count, isFile) = (base, size, false)
  }

  deinit {
    if isFile { csystem_mapping_remove(base) }
    munmap(base, count)
  }

  /// Gives a range's physical pages back to the system, which keeps them in its cache until the next access: that in
  /// which it begins too, as whoever goes on from piece to piece has done with the last. Anonymous memory, which would
  /// lose its values, is left alone.
  func releasePages(_ range: Range<Int>) {
    guard isFile else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = range.lowerBound / page * page
    let end = range.upperBound / page * page
    guard first < end else { return }
    madvise(base + first, end - first, MADV_DONTNEED)
  }

  /// Maps all pages of a range of a file, as one call where the system has it; a hint elsewhere.
  func populatePages(_ range: Range<Int>) {
    guard isFile else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = range.lowerBound / page * page
    let end = min(range.upperBound, count)
    guard first < end else { return }
    #if os(Linux)
      // MADV_POPULATE_READ, since Linux 5.14; C libraries older than that do not name it.
      if madvise(base + first, end - first, 22) == 0 { return }
    #endif
    madvise(base + first, end - first, MADV_WILLNEED)
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}

/// A model's files, whose errors are `ModelError`.
public enum ModelFile {
  /// - Throws: also for what is no plain file: a pipe would have to wait for its writer, and a device may have no end.
  public static func read(_ path: String) throws(ModelError) -> Data {
    guard !isOther(path) else { throw .unreadable(path: path, reason: notAFile) }
    return try readAll(path)
  }

  static let notAFile = "it is not a file"

  /// Whether there is something, and it is neither a file nor a folder.
  static func isOther(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// Reads to its end what somebody has named on the command line, a pipe too.
  public static func readAll(_ path: String) throws(ModelError) -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: "no such file, or it may not be read")
    }
  }

  /// Writes the file whole or not at all.
  static func write(_ bytes: some Collection<UInt8>, to path: String) throws(ModelError) {
    do { try WholeFile.write(to: path, Data(bytes)) } catch { throw refusal(error, path) }
  }

  /// As `WholeFile.write(to:count:filling:)`.
  static func write(
    _ count: Int, to path: String, filling body: (UnsafeMutableRawBufferPointer) throws(ModelError) -> Void
  ) throws(ModelError) {
    do { try WholeFile.write(to: path, count: count, filling: body) } catch let error as ModelError {
      throw error
    } catch { throw refusal(error, path) }
  }

  private static func refusal(_ error: any Error, _ path: String) -> ModelError {
    .unwritable(path: path, reason: systemReason(of: error))
  }
}
