import CSystem
import Foundation

/// Reads what tells whether the machine was this process's alone. What cannot be read is nil.
public struct ConditionsProbe: Sendable {
  /// Who used the cores so far.
  struct CPUUse: Sendable, Equatable {
    var all: CPUTimes?
    /// Clock ticks of this process, its descendants, and those of them that have ended.
    var own: UInt64?
  }

  /// Counts of what should not happen, since the system started.
  struct Incidents: Sendable, Equatable {
    var pagesSwappedIn: UInt64?
    var pagesSwappedOut: UInt64?
    /// Of the control groups that this process is in.
    var groupThrottling: GroupThrottling?
    /// How often heat has slowed cores and packages, summed over the logical cores, each of which counts for its
    /// siblings too.
    var coreThrottles: UInt64?
    var packageThrottles: UInt64?
  }

  private let system: SystemView
  private let process: Int
  /// Clock ticks of a second.
  let ticksPerSecond: Double

  public init() {
    self.init(
      system: .real, process: Int(ProcessInfo.processInfo.processIdentifier),
      ticksPerSecond: Double(max(sysconf(Int32(_SC_CLK_TCK)), 1)))
  }

  init(system: SystemView, process: Int, ticksPerSecond: Double) {
    self.system = system
    self.process = process
    self.ticksPerSecond = ticksPerSecond
  }

  func cpuUse() -> CPUUse {
    let processes = system.names("/proc").filter { Int($0) != nil }.compactMap { pid in
      system.text("/proc/\(pid)/stat").flatMap(ProcessTimes.init)
    }
    return CPUUse(
      all: system.text("/proc/stat").flatMap(CPUTimes.init),
      own: ProcessTimes.ticks(ofTree: process, in: processes))
  }

  func incidents() -> Incidents {
    let paging = system.text("/proc/vmstat")
    let groups = system.text("/proc/self/cgroup").map(GroupThrottling.files) ?? []
    return Incidents(
      pagesSwappedIn: paging.flatMap { CounterList.value(of: "pswpin", in: $0) },
      pagesSwappedOut: paging.flatMap { CounterList.value(of: "pswpout", in: $0) },
      groupThrottling: .sum(groups.compactMap { system.text($0).flatMap(GroupThrottling.init) }),
      coreThrottles: throttles("core"), packageThrottles: throttles("package"))
  }

  /// The clock rate in MHz of the core that asks, as its driver last saw it; virtual machines have none.
  func frequencyMHz() -> Double? {
    let core = csystem_current_cpu()
    guard core >= 0 else { return nil }
    return system.text("\(Self.cores)/cpu\(core)/cpufreq/scaling_cur_freq").flatMap(Self.megahertz)
  }

  /// `2400000` is 2400 MHz.
  static func megahertz(_ kilohertz: String) -> Double? {
    Double(kilohertz).flatMap { $0 > 0 && $0.isFinite ? $0 / 1000 : nil }
  }

  private static let cores = "/sys/devices/system/cpu"

  private func throttles(_ part: String) -> UInt64? {
    let names = system.names(Self.cores).filter { $0.hasPrefix("cpu") && Int($0.dropFirst(3)) != nil }
    let counts = names.compactMap { name in
      system.text("\(Self.cores)/\(name)/thermal_throttle/\(part)_throttle_count").flatMap { UInt64($0) }
    }
    return counts.isEmpty ? nil : checkedSum(counts)
  }
}
