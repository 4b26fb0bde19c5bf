import Foundation
import Record
import Statistics

/// Measures what the machine can do, in sessions: each adds its trials to those before it, so that ceilings are of the
/// same minutes as what is held against them. It keeps its memory meanwhile: a system takes long to find so much.
public final class CeilingProbe {
  /// Wall time of all sessions so far.
  public private(set) var seconds = 0.0
  /// Narrow numbers whose products the sessions from now on measure, as far as the CPU has instructions for them.
  public var products: Set<ProductPeak.Numbers> = []

  private let settings: CeilingSettings
  private let clock: any MonotonicClock = SystemClock()
  private let buffer: SharedBuffer?
  private var counts: [ThreadCount]
  private var lastEnd: UInt64
  /// Wall time of the last session.
  public private(set) var lastSeconds = 0.0

  /// Takes the memory, and finds out which pattern reads each level fastest, in trials that do not count.
  /// - Parameter threads: the numbers of threads to measure; those below 1 are left out.
  public init(threads: [Int], settings: CeilingSettings = .chosen()) {
    self.settings = settings
    let start = clock.now()
    let threads = threads.filter { $0 > 0 }
    let buffer = threads.max().flatMap { SharedBuffer(bytes: settings.bufferBytes, threads: $0) }
    self.buffer = buffer
    counts = threads.map { ThreadCount($0, buffer, settings) }
    lastEnd = clock.now()
    seconds = Double(lastEnd - start) / 1e9
  }

  deinit { buffer?.unmap() }

  /// One for each number of threads, in the order asked for, without those that no session has a figure for: that
  /// comes only from a clock that stands still, or where there was no memory to read.
  public var ceilings: [Ceiling] { counts.compactMap(\.ceiling) }

  public func measure() { session(settings) }

  /// A short session, where the time since the last one is at least ten times what that took.
  public func refreshIfDue() {
    guard Double(clock.now() - lastEnd) / 1e9 >= 10 * lastSeconds else { return }
    session(settings.brief)
  }

  private func session(_ settings: CeilingSettings) {
    let start = clock.now()
    for index in counts.indices { counts[index].addTrials(buffer, settings, products) }
    lastEnd = clock.now()
    lastSeconds = Double(lastEnd - start) / 1e9
    seconds += lastSeconds
  }
}

/// What the sessions have found with one number of threads.
private struct ThreadCount {
  struct Level {
    let set: WorkingSet
    let pattern: ReadPattern
    let remark: String?
    var rates: [Double] = []
  }

  let threads: Int
  var fmaRates: [Double] = []
  var products: [ProductPeak] = []
  var levels: [Level]

  init(_ threads: Int, _ buffer: SharedBuffer?, _ settings: CeilingSettings) {
    self.threads = threads
    levels = buffer.map { Self.levels($0, threads, settings) } ?? []
  }

  /// Every level with the pattern that had the best median in a few trials.
  private static func levels(_ buffer: SharedBuffer, _ threads: Int, _ settings: CeilingSettings) -> [Level] {
    var search = settings.brief
    search.passes = settings.searchPasses
    let reader = MemoryReader(buffer: buffer, threads: threads, settings: search)
    let caches = WorkingSet.ofCaches(settings.caches, threads: threads).filter(reader.fits)
    let dram = WorkingSet(level: .dram, bytesPerThread: buffer.bytes / threads, capacityBytes: nil)
    return (caches + [dram]).compactMap { set in
      let found = ReadPattern.candidates.compactMap { pattern in
        median(reader.rates(set, pattern)).map { (pattern: pattern, rate: $0) }
      }
      guard let best = found.max(by: { $0.rate < $1.rate }) else { return nil }
      return Level(set: set, pattern: best.pattern, remark: set.level == .dram ? settings.bufferRemark : nil)
    }
  }

  mutating func addTrials(
    _ buffer: SharedBuffer?, _ settings: CeilingSettings, _ numbers: Set<ProductPeak.Numbers>
  ) {
    fmaRates += PeakKernels.multiplyAddRates(
      threads: threads, trials: settings.fmaTrials, length: settings.fmaTrial)
    for kernel in ProductPeak.Numbers.allCases.filter(numbers.contains).compactMap(ProductKernel.fastest) {
      let rates = PeakKernels.rates(
        threads: threads, trials: settings.fmaTrials, length: settings.fmaTrial, kernel.operationsPerPass
      ) { kernel.run(passes: $0) }
      if let known = products.firstIndex(where: { $0.numbers == kernel.numbers }) {
        products[known].trials += rates
      } else {
        products.append(
          ProductPeak(numbers: kernel.numbers, instructions: kernel.rawValue, trials: rates))
      }
    }
    guard let buffer else { return }
    let reader = MemoryReader(buffer: buffer, threads: threads, settings: settings)
    for index in levels.indices {
      levels[index].rates += reader.rates(levels[index].set, levels[index].pattern)
    }
  }

  /// Nil where nothing was found, or something that is not finite.
  var ceiling: Ceiling? {
    func best(_ rates: [Double]) -> Double? { median(rates) == nil ? nil : rates.max() }
    let measured = levels.filter { best($0.rates) != nil }
    guard let fma = best(fmaRates), let dram = measured.first(where: { $0.set.level == .dram }),
      let fastest = best(dram.rates)
    else { return nil }
    return Ceiling(
      threads: threads, fmaGFLOPS: fma, dramGBPerSecond: fastest, fmaTrials: fmaRates,
      products: products.isEmpty ? nil : products,
      memory: measured.map { level in
        MemoryRoof(
          level: level.set.level.rawValue, capacityBytes: level.set.capacityBytes,
          workingSetBytes: level.set.bytesPerThread * threads, streams: level.pattern.streams,
          prefetchBytes: level.pattern.prefetchBytes, trials: level.rates, remark: level.remark)
      })
  }
}

/// How ceilings are measured. The defaults take two to three seconds for one and two threads, and as long again
/// where the system first has to find the memory.
public struct CeilingSettings: Sendable {
  /// Length of one trial of multiply-adds: many short ones, of which some are left undisturbed.
  public var fmaTrial = Duration.milliseconds(1)
  public var fmaTrials = 50
  /// Those of the first core.
  public var caches: [CPUCache]
  public var lastLevelBytes: Int
  /// What all threads together read in turn to be served from DRAM.
  public var bufferBytes: Int
  /// Trials in one pass over the buffer, each on the next part of it: it is read again after all the rest.
  public var trialsPerPass = 2
  /// Passes with each pattern while the fastest is sought.
  public var searchPasses = 2
  public var passes = 3
  public var cacheTrials = 20
  /// Bytes that each thread reads in a trial of a cache: about a millisecond's worth.
  public var cacheTrialBytes: [MemoryLevel: Int] = [.l2: 128 << 20, .l3: 32 << 20]

  /// Whether all of it is cut short, so that what it finds is no ceiling.
  private var isSketch = false

  /// `brief` in this environment variable cuts everything short, and every ceiling then has a remark that says so: for
  /// trying out what comes before and after the measuring. The cost of forks is then cut short as well.
  public static let variable = "GPT2_BENCH_CEILINGS"

  static func areBrief(_ environment: [String: String]) -> Bool { environment[variable] == "brief" }

  /// For this machine, as the environment has it.
  public static func chosen(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> CeilingSettings {
    let settings = CeilingSettings()
    return areBrief(environment) ? settings.sketch : settings
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
    (self.caches, self.lastLevelBytes) = (caches, lastLevelBytes)
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
    var sketch = self
    sketch.bufferBytes = min(bufferBytes, 16 << 20)
    sketch.fmaTrial = .microseconds(50)
    (sketch.fmaTrials, sketch.cacheTrials, sketch.passes, sketch.searchPasses) = (20, 1, 4, 1)
    sketch.cacheTrialBytes = [:]
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
