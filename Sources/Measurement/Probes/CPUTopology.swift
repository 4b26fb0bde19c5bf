import CSystem
import Foundation

/// The logical cores that this process may use.
enum CPUTopology {
  /// By the affinity mask, which `taskset` and containers set, on Linux; else those that are active.
  static var availableCores: Int {
    let allowed = allowedCPUs().count
    return allowed > 0 ? allowed : ProcessInfo.processInfo.activeProcessorCount
  }

  /// Numbers of the logical cores that this thread may run on: one of each physical core first, then their
  /// siblings. Empty where the system does not tell.
  static func allowedCPUs() -> [Int] {
    var numbers = [Int32](repeating: 0, count: 8192)
    let count = csystem_allowed_cpus(&numbers, Int32(numbers.count))
    let cpus = numbers.prefix(Int(count)).map(Int.init)
    return spread(cpus) { cpu in
      SystemFiles.text("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list")
    }
  }

  /// Sorts by the place among the allowed siblings of a physical core, then by number. A core whose siblings
  /// are unknown counts as one without.
  static func spread(_ cpus: [Int], siblings: (Int) -> String?) -> [Int] {
    var seen: [String: Int] = [:]
    let ranked = cpus.sorted().map { cpu in
      let core = siblings(cpu) ?? "cpu\(cpu)"
      let rank = seen[core, default: 0]
      seen[core] = rank + 1
      return (rank: rank, cpu: cpu)
    }
    return ranked.sorted { ($0.rank, $0.cpu) < ($1.rank, $1.cpu) }.map(\.cpu)
  }
}
