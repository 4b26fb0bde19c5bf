import Foundation

/// Writes files whole or not at all: to a temporary name beside the place first, then renamed, so that a reader never
/// sees half of one, and a file that is being read may be replaced.
enum NewFile {
  /// - Parameters:
  ///   - count: bytes of the file.
  ///   - body: fills them; they are zero before.
  static func write(
    _ count: Int, to path: String, filling body: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(ModelError) {
    // A name of its own: another writer of the same path must not cut this one's mapping short.
    let temporary = "\(path).\(getpid())-\(UInt64.random(in: 0 ... .max)).partial"
    let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw refusal(path, errno) }
    var isFinished = false
    defer {
      close(descriptor)
      if !isFinished { unlink(temporary) }
    }
    let reserved = reserve(count, of: descriptor)
    guard reserved == 0 else { throw refusal(path, reserved) }
    guard
      let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw refusal(path, errno) }
    body(UnsafeMutableRawBufferPointer(start: base, count: count))
    munmap(base, count)
    guard rename(temporary, path) == 0 else { throw refusal(path, errno) }
    isFinished = true
  }

  static func write(_ bytes: [UInt8], to path: String) throws(ModelError) {
    try write(bytes.count, to: path) { $0.copyBytes(from: bytes) }
  }

  /// Reserves the file's blocks up front: a full disk is an error here, not a signal while the mapping is
  /// filled. Returns an errno, 0 for success.
  private static func reserve(_ bytes: Int, of descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
      return ftruncate(descriptor, off_t(bytes)) == 0 ? 0 : errno
    #else
      return posix_fallocate(descriptor, 0, off_t(bytes))
    #endif
  }

  private static func refusal(_ path: String, _ number: Int32) -> ModelError {
    .unwritable(path: path, reason: String(cString: strerror(number)))
  }
}
