import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file's pages in the system's page cache: what makes a load warm or cold.
public enum PageCache {
  /// What became of an attempt to drop a file's pages.
  public enum Eviction: Sendable, Equatable {
    /// No page of the file is in memory now.
    case evicted
    /// This share of its pages, above 0 and at most 1, still is: another process maps the file, the file
    /// system keeps it in memory anyway, or the system hides what is not this user's.
    case stillResident(Double)
    /// The system has no way to do it, or the file could not be opened. One line that names the file.
    case failed(String)
  }

  /// Writes the file's changes to its device, asks the system to drop its pages, and looks whether they are
  /// out. The next reader then loads from the device.
  public static func evict(_ path: String) -> Eviction {
    #if canImport(Glibc)
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return .failed("\(path): \(String(cString: strerror(errno)))") }
      defer { close(descriptor) }
      // Pages that have not been written yet are not dropped.
      fsync(descriptor)
      let status = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
      guard status == 0 else { return .failed("\(path): \(String(cString: strerror(status)))") }
      guard let resident = residentFraction(descriptor) else {
        return .failed("\(path): cannot see which pages are in memory")
      }
      return resident == 0 ? .evicted : .stillResident(resident)
    #else
      return .failed("\(path): this system drops no single file from its cache")
    #endif
  }

  /// The share of the file's pages that are in memory, 0...1; nil where that cannot be seen.
  public static func residentFraction(_ path: String) -> Double? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return residentFraction(descriptor)
  }

  private static func residentFraction(_ descriptor: Int32) -> Double? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let size = Int(status.st_size)
    guard size > 0 else { return 0 }
    let mapped = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    defer { munmap(mapped, size) }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let pages = (size + page - 1) / page
    #if canImport(Glibc)
      var states = [UInt8](repeating: 0, count: pages)
    #else
      var states = [CChar](repeating: 0, count: pages)
    #endif
    guard mincore(mapped, size, &states) == 0 else { return nil }
    return Double(states.count { $0 & 1 != 0 }) / Double(pages)
  }
}
