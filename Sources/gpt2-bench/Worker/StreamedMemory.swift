import Measurement
import Record

/// How much memory the weights of what is timed alone go round in.
enum StreamedMemory {
  /// Half as much again as all last-level caches, at least 192 MiB, which have room for GPT-2's table of tokens, and at
  /// most a thirty-second of the memory: every worker has one.
  static var bytes: Int {
    let wanted = max(192 << 20, CPUCache.lastLevelBytes() / 2 * 3)
    return min(wanted, Machine.memoryBytes.map { $0 / 32 } ?? wanted)
  }

  /// What a report must say where that is not more than the caches hold.
  static var warning: String? {
    let (bytes, cache) = (bytes, CPUCache.lastLevelBytes())
    guard bytes <= cache else { return nil }
    return
      "the weights go round in \(bytes >> 20) MiB, all that this machine's memory allows, and its caches hold "
      + "\(cache >> 20) MiB: they may not have come from memory"
  }
}
