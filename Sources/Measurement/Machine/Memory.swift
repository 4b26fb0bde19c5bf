import Files
import Foundation
import Record

/// Memory that nobody uses.
public enum FreeMemory {
  /// Touches every page of `bytes` of it and gives it back, so that who asks next gets pages that are at hand: a
  /// virtual machine's guest hands free ones to its host after a while and has to ask for them again, in large blocks.
  /// Does nothing for more than a quarter of the machine's memory, or where there is not so much.
  public static func use(bytes: Int) {
    guard bytes > 0, let all = Machine.memoryBytes, bytes <= all / 4 else { return }
    guard let mapped = map(bytes) else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    for offset in stride(from: 0, to: bytes, by: page) {
      mapped.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    munmap(mapped, bytes)
  }

  /// Anonymous memory, in huge pages where the system has them; nil where it gives none.
  static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    #if canImport(Glibc)
      madvise(mapped, bytes, MADV_HUGEPAGE)
    #endif
    return mapped
  }
}

/// Memory that can be taken without anything being swapped out or killed.
public enum AvailableMemory {
  /// The least of what the kernel and the control group would give; nil where neither tells.
  public static func bytes() -> Int? {
    let system = SystemFiles.text("/proc/meminfo").flatMap {
      ProcessMemory.kibibytes(of: "MemAvailable", in: $0)
    }
    return [system, left(inGroup: "/sys/fs/cgroup")].compactMap(\.self).min()
  }

  /// The group's limit less what it uses; nil where there is no limit.
  static func left(inGroup folder: String) -> Int? {
    guard let limit = SystemFiles.text(folder + "/memory.max").flatMap(Int.init),
      let used = SystemFiles.text(folder + "/memory.current").flatMap(Int.init)
    else { return nil }
    return max(limit - used, 0)
  }
}

/// A file's pages in the system's page cache: what makes a load warm or cold.
public enum PageCache {
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
      guard descriptor >= 0 else { return .failed("\(path): \(systemReason())") }
      defer { close(descriptor) }
      // Pages that have not been written yet are not dropped.
      fsync(descriptor)
      let status = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
      guard status == 0 else { return .failed("\(path): \(systemReason(status))") }
      guard let resident = residentFraction(path) else {
        return .failed("\(path): cannot see which pages are in memory")
      }
      return resident == 0 ? .evicted : .stillResident(resident)
    #else
      return .failed("\(path): this system drops no single file from its cache")
    #endif
  }

  /// The share of the file's pages that are in memory, 0...1; nil where that cannot be seen.
  static func residentFraction(_ path: String) -> Double? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
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
