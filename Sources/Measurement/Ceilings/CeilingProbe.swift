import Record
import Statistics

/// Measures what the machine can do, in sessions: each adds its trials to those before it, so that ceilings are of
/// the same minutes as what is held against them.
///
/// It keeps the memory that it reads from session to session, because a system takes long to find so much.
public final class CeilingProbe {
  /// Wall time of all sessions so far.
  public private(set) var seconds = 0.0

  private let settings: CeilingSettings
  private let clock: any MonotonicClock = SystemClock()
  private let buffer: SharedBuffer?
  private var counts: [ThreadCount]
  private var lastEnd: UInt64
  private var lastSeconds = 0.0

  /// Takes the memory, and finds out which pattern reads each level fastest, in trials that do not count.
  ///
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

  /// A full session.
  public func measure() { session(settings) }

  /// A short session, where the time since the last one is at least ten times what that took.
  public func refreshIfDue() {
    guard Double(clock.now() - lastEnd) / 1e9 >= 10 * lastSeconds else { return }
    session(settings.brief)
  }

  private func session(_ settings: CeilingSettings) {
    let start = clock.now()
    for index in counts.indices { counts[index].addTrials(buffer, settings) }
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
  var levels: [Level]

  init(_ threads: Int, _ buffer: SharedBuffer?, _ settings: CeilingSettings) {
    self.threads = threads
    levels = buffer.map { Self.levels($0, threads, settings) } ?? []
  }

  /// Every level with the pattern that had the best median in a few trials.
  private static func levels(
    _ buffer: SharedBuffer, _ threads: Int, _ settings: CeilingSettings
  ) -> [Level] {
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
      return Level(
        set: set, pattern: best.pattern, remark: set.level == .dram ? settings.bufferRemark : nil)
    }
  }

  mutating func addTrials(_ buffer: SharedBuffer?, _ settings: CeilingSettings) {
    fmaRates += MultiplyAddTrials(length: settings.fmaTrial).rates(
      threads: threads, trials: settings.fmaTrials)
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
      memory: measured.map { level in
        MemoryRoof(
          level: level.set.level.rawValue, capacityBytes: level.set.capacityBytes,
          workingSetBytes: level.set.bytesPerThread * threads, streams: level.pattern.streams,
          prefetchBytes: level.pattern.prefetchBytes, trials: level.rates, remark: level.remark)
      })
  }
}
