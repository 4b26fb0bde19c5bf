import Foundation

/// What a system call returns once no signal interrupts it.
/// - Parameter isOver: asked after each signal; true ends the waiting, and the call then has failed with `EINTR`.
public func uninterrupted<Status: SignedInteger>(
  until isOver: () -> Bool = { false }, _ call: () -> Status
) -> Status {
  while true {
    let status = call()
    if status >= 0 || errno != EINTR { return status }
    if isOver() {
      errno = EINTR
      return status
    }
  }
}

/// Writes all bytes, however often a signal interrupts it.
/// - Returns: 0, or what `errno` says.
public func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
  var rest = bytes[...]
  while !rest.isEmpty {
    let piece = UnsafeRawBufferPointer(rebasing: rest)
    let written = uninterrupted { write(descriptor, piece.baseAddress, piece.count) }
    if written < 0 { return errno }
    rest = rest.dropFirst(written)
  }
  return 0
}

/// Writes all bytes, likewise.
public func writeAll(_ descriptor: Int32, _ bytes: some Sequence<UInt8>) -> Int32 {
  Array(bytes).withUnsafeBytes { writeAll(descriptor, $0) }
}

/// The system's words for an error.
/// - Parameter number: `errno`, unless another is named.
public func systemReason(_ number: Int32 = errno) -> String { String(cString: strerror(number)) }

/// Why a call of Foundation's failed, in the system's words, in lower case: its own sentences name no file and read
/// like another program's.
public func systemReason(of error: any Error) -> String {
  if let error = error as? FileError { return error.reason }
  let error = error as NSError
  // As an error: what is no object is not found as an NSError.
  let cause = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? error
  if cause.domain == NSPOSIXErrorDomain { return systemReason(Int32(cause.code)).lowercased() }
  let numbers: [CocoaError.Code: Int32] = [
    .fileNoSuchFile: ENOENT, .fileReadNoSuchFile: ENOENT, .fileReadNoPermission: EACCES,
    .fileWriteNoPermission: EACCES, .fileWriteFileExists: EEXIST, .fileWriteOutOfSpace: ENOSPC,
    .fileWriteVolumeReadOnly: EROFS,
  ]
  let number = error.domain == NSCocoaErrorDomain ? numbers[CocoaError.Code(rawValue: error.code)] : nil
  return number.map { systemReason($0).lowercased() }
    ?? "the system says no more than \(cause.domain) \(cause.code)"
}

/// Rows and columns of a terminal; nil where the descriptor is none, or the terminal does not say.
public func terminalSize(_ descriptor: Int32) -> (rows: Int, columns: Int)? {
  var size = winsize()
  guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
  return (Int(size.ws_row), Int(size.ws_col))
}
