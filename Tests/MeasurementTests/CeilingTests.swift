import Record
import Statistics
import Synchronization
import TestSupport
import Testing

@testable import Measurement

@Suite(.serialized) struct CeilingTests {
  private var small: CeilingSettings {
    var settings = CeilingSettings()
    settings.fmaTrials = 10
    settings.caches = [
      CPUCache(level: 1, kind: .data, bytes: 32 << 10, sharedBy: 1),
      CPUCache(level: 2, kind: .unified, bytes: 256 << 10, sharedBy: 1),
      CPUCache(level: 3, kind: .unified, bytes: 4 << 20),
    ]
    settings.lastLevelBytes = 4 << 20
    settings.bufferBytes = 16 << 20
    settings.passes = 2
    settings.searchPasses = 1
    settings.cacheTrials = 5
    settings.cacheTrialBytes = [.l2: 1 << 20, .l3: 1 << 20]
    return settings
  }

  @Test func ceilingsAreOfThisWorld() throws {
    let probe = CeilingProbe(threads: [1, 2, 0, -3], settings: small)
    #expect(probe.ceilings.isEmpty && probe.seconds > 0)
    probe.measure()
    expectEqual(probe.ceilings.map(\.threads), [1, 2])
    for ceiling in probe.ceilings {
      // A core that multiplies and adds one number in each of its vectors' lanes at 0.25 GHz makes 2 GFLOP/s;
      // 64 units of 16 lanes at 5 GHz would make 10,240.
      #expect(ceiling.fmaGFLOPS > 2 && ceiling.fmaGFLOPS < 10_240)
      let trials = try #require(ceiling.fmaTrials)
      expectEqual(trials.count, 10)
      expectEqual(trials.max(), ceiling.fmaGFLOPS)
      #expect(try #require(median(trials)) <= ceiling.fmaGFLOPS)
      let memory = try #require(ceiling.memory)
      expectEqual(memory.map(\.level), ["L2", "L3", "DRAM"])
      expectEqual(memory.map(\.trials.count), [5, 5, 4])
      for level in memory {
        let best = try #require(level.trials.max())
        #expect(best > 0.2 && best < 5_000)
        expectNil(level.remark)
        #expect(
          ReadPattern.candidates.contains(
            ReadPattern(streams: level.streams, prefetchBytes: level.prefetchBytes)))
      }
      expectEqual(memory.last?.workingSetBytes, 16 << 20)
      expectEqual(memory.last?.trials.max(), ceiling.dramGBPerSecond)
    }
  }

  @Test func sessionsAddTheirTrials() throws {
    let probe = CeilingProbe(threads: [1], settings: small)
    probe.measure()
    let first = try #require(probe.ceilings.first)
    // Too soon: the session before took longer than a tenth of the time since.
    probe.refreshIfDue()
    expectEqual(probe.ceilings.first, first)
    probe.measure()
    let second = try #require(probe.ceilings.first)
    let (all, before) = (try #require(second.fmaTrials), try #require(first.fmaTrials))
    #expect(all.count == 20 && all.starts(with: before))
    expectEqual(second.memory?.map(\.trials.count), [10, 10, 8])
    expectEqual(second.memory?.map(\.streams), first.memory?.map(\.streams))
    expectEqual(second.memory?.map(\.prefetchBytes), first.memory?.map(\.prefetchBytes))
  }

  @Test func aBufferThatCachesMayHoldIsRemarkedOn() throws {
    var settings = small
    settings.lastLevelBytes = 9 << 20
    expectEqual(
      settings.bufferRemark,
      "the buffer of 16 MiB, all that the free memory allowed, is less than twice the "
        + "9 MiB of the last-level caches: some of it may have come from them")
    settings.caches = []
    settings.fmaTrials = 1
    let probe = CeilingProbe(threads: [1], settings: settings)
    probe.measure()
    let levels = try #require(probe.ceilings.first?.memory)
    expectEqual(levels.map(\.level), ["DRAM"])
    expectEqual(levels[0].remark, settings.bufferRemark)
  }

  @Test func theBufferIsFourTimesTheCachesAsFarAsMemoryAllows() {
    func settings(_ caches: [CPUCache], availableBytes: Int?) -> CeilingSettings {
      CeilingSettings(
        caches: caches, lastLevelBytes: CPUCache.lastLevelBytes(caches, logicalCores: 16),
        memoryBytes: 8 << 30, availableBytes: availableBytes)
    }
    let caches = [CPUCache(level: 3, kind: .unified, bytes: 96 << 20, sharedBy: 8)]
    expectEqual(CPUCache.lastLevelBytes(caches, logicalCores: 16), 192 << 20)
    expectEqual(settings(caches, availableBytes: 8 << 30).bufferBytes, 768 << 20)
    expectEqual(settings(caches, availableBytes: 1 << 30).bufferBytes, 256 << 20)
    #expect(settings(caches, availableBytes: 1 << 30).bufferRemark != nil)
    expectEqual(settings(caches, availableBytes: nil).bufferBytes, 768 << 20)
    expectEqual(settings([], availableBytes: 8 << 30).bufferBytes, 512 << 20)
  }

  @Test func aBriefMeasurementSaysThatItIsNone() {
    let brief = CeilingSettings.chosen(environment: [CeilingSettings.variable: "brief"])
    #expect(brief.bufferBytes <= 16 << 20 && brief.fmaTrials == 20)
    expectEqual(brief.bufferRemark?.hasPrefix("GPT2_BENCH_CEILINGS=brief"), true)
    let usual = CeilingSettings.chosen(environment: [:])
    #expect(usual.fmaTrials == 50 && usual.bufferRemark?.hasPrefix("GPT2") != true)
  }

  @Test func workingSetsLieWithinTheirLevelAndOutsideTheOneBefore() {
    func sets(_ threads: Int, l2: (Int, Int?), l3: (Int, Int?)) -> [String] {
      let caches = [
        CPUCache(level: 1, kind: .data, bytes: 48 << 10, sharedBy: 1),
        CPUCache(level: 2, kind: .unified, bytes: l2.0 << 10, sharedBy: l2.1),
        CPUCache(level: 3, kind: .unified, bytes: l3.0 << 10, sharedBy: l3.1),
      ]
      return WorkingSet.ofCaches(caches, threads: threads).map {
        "\($0.level.rawValue) \($0.bytesPerThread >> 10) of \(($0.capacityBytes ?? 0) >> 10)"
      }
    }
    // A guest that is told of its host's third level.
    expectEqual(sets(1, l2: (2048, 1), l3: (266_240, 2)), ["L2 1024 of 2048", "L3 8192 of 266240"])
    expectEqual(sets(2, l2: (2048, 1), l3: (266_240, 2)), ["L2 1024 of 4096", "L3 8192 of 266240"])
    // Two third levels of eight cores each.
    expectEqual(sets(16, l2: (1024, 1), l3: (32_768, 8)), ["L2 512 of 16384", "L3 2048 of 65536"])
    // A share of the third level that is no larger than the second has no figure.
    expectEqual(sets(16, l2: (1024, 1), l3: (22_528, 16)), ["L2 512 of 16384"])
    // Siblings share the second level too.
    expectEqual(sets(2, l2: (256, 2), l3: (8192, 2)), ["L3 1024 of 8192"])
    expectEqual(sets(4, l2: (2048, nil), l3: (1024, nil)), ["L2 256 of 2048"])
    #expect(WorkingSet.ofCaches([], threads: 1).isEmpty)
  }

  @Test(arguments: ReadPattern.candidates)
  func everyByteIsReadOnceByEveryPattern(_ pattern: ReadPattern) {
    let words = 3 * 4096 / 4
    let values = (0..<words).map { UInt32(truncatingIfNeeded: ($0 + 1) &* 2_654_435_761) }
    let expected = values.reduce(0, ^)
    values.withUnsafeBytes {
      expectEqual(PeakKernels.read($0.baseAddress!, bytes: $0.count, pattern), expected)
    }
  }

  /// How many times as long eight times the passes take: the shortest of ten samples of each, taken in turns.
  ///
  /// A loop that the compiler shortened takes as long each time, one that others on the machine held up does not: so
  /// up to ten ratios are taken until one is as it must be.
  private func lengthening(_ run: (_ passes: Int) -> Void) -> Double {
    var ratio = 0.0
    for _ in 0..<10 {
      var shortest = [Double.infinity, .infinity]
      for _ in 0..<10 {
        for (index, passes) in [20_000, 160_000].enumerated() {
          let sample = Calibration().sample(iterations: passes) { run($0) }
          shortest[index] = min(shortest[index], sample.nanosecondsPerCall * Double(passes))
        }
      }
      ratio = shortest[1] / shortest[0]
      if Self.eightfold.contains(ratio) { break }
    }
    return ratio
  }

  private static let eightfold: ClosedRange<Double> = 4...16

  @Test func multiplyAddsAreAllExecuted() {
    let ratio = lengthening { PeakKernels.multiplyAdd(passes: $0) }
    #expect(Self.eightfold.contains(ratio), "ratio \(ratio)")
  }

  /// Likewise the loop of each instruction that this build has.
  @Test(arguments: ProductPeak.Numbers.allCases)
  func productsAreAllExecuted(_ numbers: ProductPeak.Numbers) {
    guard let kernel = ProductKernel.fastest(for: numbers) else { return }
    let ratio = lengthening { kernel.run(passes: $0) }
    #expect(Self.eightfold.contains(ratio), "\(kernel): ratio \(ratio)")
  }

  @Test func productsAreMeasuredWhereTheyAreWanted() throws {
    var settings = small
    settings.bufferBytes = 1 << 20
    let probe = CeilingProbe(threads: [1], settings: settings)
    probe.measure()
    expectNil(probe.ceilings.first?.products)
    probe.products = [.int8]
    probe.measure()
    probe.measure()
    let found = try #require(probe.ceilings.first).products ?? []
    let kernel = ProductKernel.fastest(for: .int8)
    expectEqual(found.map(\.instructions), [kernel?.rawValue].compactMap { $0 })
    #expect(found.allSatisfy { $0.numbers == .int8 && $0.trials.count == 20 })
    // 4 products of 8 lanes at 0.25 GHz, to 16 units of 64 products at 5 GHz on one core.
    #expect(found.allSatisfy { $0.trials.allSatisfy { $0 > 2 && $0 < 10_240 } })
  }

  @Test func noThreadsGiveNoCeilings() {
    for threads in [[], [0]] {
      let probe = CeilingProbe(threads: threads, settings: small)
      probe.measure()
      #expect(probe.ceilings.isEmpty)
    }
  }

  @Test func allThreadsMeetBeforeEachTrial() {
    let threads = 3
    let active = Mutex<[Int: Int]>([:])
    let early = Atomic<Int>(0)
    let times = ThreadTrials.run(threads: threads, trials: 20) { _, trial in
      active.withLock {
        // Nobody starts a trial before everybody has ended the one before it.
        if trial > 0, $0[trial - 1] != threads { early.add(1, ordering: .relaxed) }
        $0[trial, default: 0] += 1
      }
    }
    expectEqual(times.count, 20)
    expectEqual(early.load(ordering: .relaxed), 0)
    #expect(active.withLock { $0.values.allSatisfy { $0 == threads } })
  }

  @Test func partsCoverTheBufferOnce() throws {
    let buffer = try #require(SharedBuffer(bytes: 1 << 20, threads: 2))
    defer { buffer.unmap() }
    let parts = (0..<7).map { buffer.part($0, of: 7) }
    let sum: Int = parts.map(\.bytes).reduce(0, +)
    expectEqual(sum, 1 << 20)
    #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.start + $0.bytes == $1.start })
    #expect(parts.allSatisfy { $0.bytes % 512 == 0 })
    let filled = parts.allSatisfy { part in
      UnsafeRawBufferPointer(start: part.start, count: part.bytes).allSatisfy { $0 == 0x5a }
    }
    #expect(filled)
  }
}
