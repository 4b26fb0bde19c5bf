/// What all logical cores together have done since the system started, in clock ticks: the first line of
/// `/proc/stat` (proc_stat(5)).
struct CPUTimes: Sendable, Equatable {
  /// In user and kernel mode, interrupts among it; time of guests is in that of the users.
  var busy: UInt64
  /// Busy, idle and stolen.
  var total: UInt64
  /// Taken by the hypervisor while there was something to do; nil where the kernel does not count it.
  var stolen: UInt64?
  /// Logical cores that are on; nil where none is listed.
  var cores: Int?

  /// user, nice, system, idle, iowait, irq, softirq, steal; the two behind them are in user and nice already. The
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
    let cores = lines.count { line in
      line.hasPrefix("cpu") && line.dropFirst(3).first.map { "0"..."9" ~= $0 } ?? false
    }
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
