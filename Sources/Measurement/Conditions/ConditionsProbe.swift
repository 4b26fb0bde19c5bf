import CSystem
import Foundation

/// Reads what tells whether the machine was this process's alone. What cannot be read is nil.
struct ConditionsProbe: Sendable {
  /// Counts of what should not happen, since the system started.
  struct Incidents: Sendable, Equatable {
    var pagesSwappedIn: UInt64?
    var pagesSwappedOut: UInt64?
    /// Of the control groups that this process is in.
    var groupThrottling: GroupThrottling?
    /// How often heat has slowed cores and packages, summed over logical cores: siblings count each other's.
    var coreThrottles: UInt64?
    var packageThrottles: UInt64?
  }

  var system = SystemFiles.real
  var process = Int(ProcessInfo.processInfo.processIdentifier)
  var ticksPerSecond = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))

  /// Who used the cores so far; `own` are clock ticks of this process and its descendants, the ended ones among them.
  func cpuUse() -> (all: CPUTimes?, own: UInt64?) {
    let processes = system.names("/proc").filter { Int($0) != nil }.compactMap { pid in
      system.text("/proc/\(pid)/stat").flatMap(ProcessTimes.init)
    }
    let all = system.text("/proc/stat").flatMap(CPUTimes.init)
    return (all, ProcessTimes.ticks(ofTree: process, in: processes))
  }

  func incidents() -> Incidents {
    let paging = system.text("/proc/vmstat")
    let groups = system.text("/proc/self/cgroup").map(GroupThrottling.files) ?? []
    return Incidents(
      pagesSwappedIn: paging.flatMap { SystemFiles.count(of: "pswpin", in: $0) },
      pagesSwappedOut: paging.flatMap { SystemFiles.count(of: "pswpout", in: $0) },
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

/// What all logical cores together have done since the system started, in clock ticks: the first line of
/// `/proc/stat` (proc_stat(5)).
struct CPUTimes: Sendable, Equatable {
  /// In user and kernel mode, interrupts among it; time of guests is in that of the users.
  let busy: UInt64
  /// Busy, idle and stolen.
  let total: UInt64
  /// Taken by the hypervisor while there was something to do; nil where the kernel does not count it.
  let stolen: UInt64?
  /// Logical cores that are on; nil where none is listed.
  let cores: Int?

  /// user, nice, system, idle, iowait, irq, softirq, steal; the two after them are in user and nice already. The
  /// oldest kernels have the first four.
  private static let counted = 8
  private static let waiting = 3...4
  private static let steal = 7

  /// Nil where the line is missing or is none.
  init?(_ stat: String) {
    let lines = stat.split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("cpu ") }) else { return nil }
    let words = line.split(separator: " ").dropFirst()
    let fields = words.prefix(Self.counted).compactMap { UInt64($0) }
    guard fields.count == min(words.count, Self.counted), fields.count >= 4,
      let total = checkedSum(fields)
    else { return nil }
    self.total = total
    stolen = fields.indices.contains(Self.steal) ? fields[Self.steal] : nil
    let waited = fields.indices.filter(Self.waiting.contains).map { fields[$0] }
    busy = total - waited.reduce(0, +) - (stolen ?? 0)
    let cores = lines.count { $0.hasPrefix("cpu") && $0.dropFirst(3).first.map { "0"..."9" ~= $0 } ?? false }
    self.cores = cores > 0 ? cores : nil
  }
}

/// Nil where the sum does not fit.
func checkedSum(_ values: some Sequence<UInt64>) -> UInt64? {
  var sum: UInt64 = 0
  for value in values {
    let (next, overflow) = sum.addingReportingOverflow(value)
    if overflow { return nil }
    sum = next
  }
  return sum
}

/// By how much a counter grew; nil where one of the two is unknown, and where it shrank: it wrapped, or something
/// that it was the sum of is gone.
func growth(_ before: UInt64?, _ after: UInt64?) -> UInt64? {
  guard let before, let after, after >= before else { return nil }
  return after - before
}

/// The CPU time of one process, in clock ticks: `/proc/PID/stat` (proc_pid_stat(5)).
struct ProcessTimes: Sendable, Equatable {
  var pid: Int
  var parent: Int
  /// In user and kernel mode, of all its threads and of the children that it has waited for.
  var ticks: UInt64

  /// Nil for text of another form.
  init?(_ stat: String) {
    // The name stands in parentheses, and may hold some, and blanks.
    guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close,
      let pid = Int(stat[..<open].split(separator: " ").first ?? "")
    else { return nil }
    let fields = stat[stat.index(after: close)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 14, let parent = Int(fields[1]) else { return nil }
    let times = fields[11...14].compactMap { UInt64($0) }
    guard times.count == 4, let ticks = checkedSum(times) else { return nil }
    (self.pid, self.parent, self.ticks) = (pid, parent, ticks)
  }

  /// Of `root` and all its descendants; nil where `root` is not among the processes.
  static func ticks(ofTree root: Int, in processes: [ProcessTimes]) -> UInt64? {
    guard processes.contains(where: { $0.pid == root }) else { return nil }
    let children = Dictionary(grouping: processes, by: \.parent)
    var pids: Set<Int> = [root]
    var new = [root]
    while let pid = new.popLast() {
      for child in children[pid] ?? [] where pids.insert(child.pid).inserted { new.append(child.pid) }
    }
    return checkedSum(processes.lazy.filter { pids.contains($0.pid) }.map(\.ticks))
  }
}

/// How often and how long control groups have held their processes back because their quota of CPU time was spent.
struct GroupThrottling: Sendable, Equatable {
  /// Periods of the quota in which that happened.
  var periods: UInt64
  /// Nil where the kernel does not tell.
  var nanoseconds: UInt64?

  /// Where the `cpu.stat` files of a process's group and of all groups around it would be, by its
  /// `/proc/PID/cgroup` (cgroups(7)): the quota of each counts. In a container some of them are not there.
  static func files(_ cgroup: String) -> [String] {
    var files: [String] = []
    for line in cgroup.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[2].hasPrefix("/") else { continue }
      let controllers = parts[1].split(separator: ",")
      guard parts[1].isEmpty || controllers.contains("cpu") else { continue }
      var folder = "/sys/fs/cgroup" + (parts[1].isEmpty ? "" : "/cpu")
      files.append(folder + "/cpu.stat")
      for name in parts[2].split(separator: "/") where name != ".." {
        folder += "/" + name
        files.append(folder + "/cpu.stat")
      }
    }
    return files
  }

  /// Of several groups together; nil for none.
  static func sum(_ groups: [GroupThrottling]) -> GroupThrottling? {
    guard !groups.isEmpty, let periods = checkedSum(groups.map(\.periods)) else { return nil }
    let times = groups.compactMap(\.nanoseconds)
    return GroupThrottling(
      periods: periods, nanoseconds: times.count == groups.count ? checkedSum(times) : nil)
  }
}

extension GroupThrottling {
  /// Reads `cpu.stat` of either version of control groups: `throttled_usec`, or `throttled_time` in nanoseconds. Nil
  /// where the group has no quota's figures, as the root of version 2.
  init?(_ cpuStat: String) {
    guard let periods = SystemFiles.count(of: "nr_throttled", in: cpuStat) else { return nil }
    let microseconds = SystemFiles.count(of: "throttled_usec", in: cpuStat)
    let product = microseconds.map { $0.multipliedReportingOverflow(by: 1000) }
    self.init(
      periods: periods,
      nanoseconds: product.flatMap { $0.overflow ? nil : $0.partialValue }
        ?? SystemFiles.count(of: "throttled_time", in: cpuStat))
  }
}
