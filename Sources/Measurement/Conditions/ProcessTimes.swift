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
    self.pid = pid
    self.parent = parent
    self.ticks = ticks
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
