import Foundation

/// Memory that can be taken without anything being swapped out or killed.
enum AvailableMemory {
  /// The least of what the kernel and the control group would give; nil where neither tells.
  static func bytes() -> Int? {
    let system = SystemFiles.text("/proc/meminfo").flatMap {
      ProcessMemory.kibibytes(of: "MemAvailable", in: $0)
    }
    return [system, left(inGroup: "/sys/fs/cgroup")].compactMap { $0 }.min()
  }

  /// The group's limit less what it uses; nil where there is no limit.
  static func left(inGroup folder: String) -> Int? {
    guard let limit = SystemFiles.text(folder + "/memory.max").flatMap(Int.init),
      let used = SystemFiles.text(folder + "/memory.current").flatMap(Int.init)
    else { return nil }
    return max(limit - used, 0)
  }
}
