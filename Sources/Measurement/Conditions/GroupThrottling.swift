/// How often and how long control groups have held their processes back because their quota of CPU time was spent.
struct GroupThrottling: Sendable, Equatable {
  /// Periods of the quota in which that happened.
  var periods: UInt64
  /// Nil where the kernel does not tell.
  var nanoseconds: UInt64?

  init(periods: UInt64, nanoseconds: UInt64?) {
    self.periods = periods
    self.nanoseconds = nanoseconds
  }

  /// Reads `cpu.stat` of either version of control groups: `throttled_usec`, or `throttled_time` in nanoseconds. Nil
  /// where the group has no quota's figures, as the root of version 2.
  init?(_ cpuStat: String) {
    guard let periods = CounterList.value(of: "nr_throttled", in: cpuStat) else { return nil }
    self.periods = periods
    let microseconds = CounterList.value(of: "throttled_usec", in: cpuStat)
    let product = microseconds.map { $0.multipliedReportingOverflow(by: 1000) }
    nanoseconds =
      product.flatMap { $0.overflow ? nil : $0.partialValue }
      ?? CounterList.value(of: "throttled_time", in: cpuStat)
  }

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

/// Lines of a name, a blank and a number, as in `/proc/vmstat`.
enum CounterList {
  /// Nil where no line has the name, or what stands behind it is no number.
  static func value(of name: String, in text: String) -> UInt64? {
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count == 2, words[0] == name { return UInt64(words[1]) }
    }
    return nil
  }
}
