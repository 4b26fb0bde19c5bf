import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Resident memory of this process, in bytes; nil where the system does not tell.
public enum ProcessMemory {
  /// The most that was resident at once since the process began, or since `resetPeak`.
  ///
  /// `VmHWM` on Linux; elsewhere `ru_maxrss`, which macOS counts in bytes and which never falls.
  public static func peakResidentBytes() -> Int? {
    #if os(Linux)
      return SystemFiles.text("/proc/self/status").flatMap { kibibytes(of: "VmHWM", in: $0) }
    #else
      var usage = rusage()
      guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
      return Int(usage.ru_maxrss)
    #endif
  }

  /// What is resident now. Pages of mapped files that are in memory and have been touched count.
  public static func residentBytes() -> Int? {
    SystemFiles.text("/proc/self/status").flatMap { kibibytes(of: "VmRSS", in: $0) }
  }

  /// Makes what is resident now the peak. False where the system does not allow it.
  public static func resetPeak() -> Bool {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
    let written = fputs("5", file)
    return fclose(file) == 0 && written >= 0
  }

  /// Bytes of a line such as `VmHWM:     13656 kB`.
  static func kibibytes(of field: String, in status: String) -> Int? {
    for line in status.split(separator: "\n") where line.hasPrefix(field + ":") {
      let words = line.dropFirst(field.count + 1).split(whereSeparator: \.isWhitespace)
      guard words.count == 2, words[1] == "kB", let count = Int(words[0]) else { return nil }
      return count * 1024
    }
    return nil
  }
}
