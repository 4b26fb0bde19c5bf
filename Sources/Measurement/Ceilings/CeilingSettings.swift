import Foundation
import Record

/// How ceilings are measured. The defaults take two to three seconds for one and two threads, and as long again
/// where the system first has to find the memory.
public struct CeilingSettings: Sendable {
  /// Length of one trial of multiply-adds: many short ones, of which some are left undisturbed.
  public var fmaTrial = Duration.milliseconds(1)
  public var fmaTrials = 50
  /// Those of the first core.
  public var caches: [CPUCache]
  /// Bytes of all last-level caches.
  public var lastLevelBytes: Int
  /// What all threads together read in turn to be served from DRAM.
  public var bufferBytes: Int
  /// Trials in one pass over the buffer, each on the next part of it: by the time it is read again, all the rest
  /// has been.
  public var trialsPerPass = 2
  /// Passes with each pattern while the fastest is sought.
  public var searchPasses = 2
  /// Passes that count.
  public var passes = 3
  public var cacheTrials = 20
  /// Bytes that each thread reads in a trial of a cache: about a millisecond's worth.
  public var cacheTrialBytes: [MemoryLevel: Int] = [.l2: 128 << 20, .l3: 32 << 20]

  /// Whether all of it is cut short, so that what it finds is no ceiling.
  private var isSketch = false

  /// `brief` in this environment variable cuts everything short, and every ceiling then has a remark that says so: for
  /// trying out what comes before and behind the measuring.
  public static let variable = "GPT2_BENCH_CEILINGS"

  /// For this machine, as the environment has it.
  public static func chosen(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> CeilingSettings {
    let settings = CeilingSettings()
    return environment[variable] == "brief" ? settings.sketch : settings
  }

  /// For this machine: a buffer four times as large as all caches, at least half a gigabyte, as far as a
  /// quarter of the memory that is free allows it.
  public init() {
    let caches = CPUCache.ofThisMachine()
    self.init(
      caches: caches, lastLevelBytes: CPUCache.lastLevelBytes(caches), memoryBytes: Machine.memoryBytes,
      availableBytes: AvailableMemory.bytes())
  }

  init(caches: [CPUCache], lastLevelBytes: Int, memoryBytes: Int?, availableBytes: Int?) {
    self.caches = caches
    self.lastLevelBytes = lastLevelBytes
    let wanted = max(512 << 20, 4 * lastLevelBytes)
    let available = availableBytes ?? memoryBytes.map { $0 / 2 } ?? wanted
    bufferBytes = min(wanted, available / 4)
  }

  /// Why reading the buffer may have been faster than DRAM; nil where it is far larger than the caches.
  var bufferRemark: String? {
    if isSketch { return "\(Self.variable)=brief: a few trials in memory that the caches may hold" }
    guard bufferBytes < 2 * lastLevelBytes else { return nil }
    return "the buffer of \(bufferBytes >> 20) MiB, all that the free memory allowed, is less than twice the "
      + "\(lastLevelBytes >> 20) MiB of the last-level caches: some of it may have come from them"
  }

  private var sketch: CeilingSettings {
    var sketch = brief
    sketch.bufferBytes = min(bufferBytes, 64 << 20)
    sketch.searchPasses = 1
    sketch.isSketch = true
    return sketch
  }

  /// A shorter session, a share of the full one's trials.
  var brief: CeilingSettings {
    var brief = self
    brief.fmaTrials = max(1, fmaTrials / 5)
    brief.cacheTrials = max(1, cacheTrials / 5)
    brief.passes = 1
    return brief
  }
}
