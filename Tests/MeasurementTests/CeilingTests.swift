import Synchronization
import Testing

@testable import Measurement

@Suite(.serialized) struct CeilingTests {
  @Test func ceilingsAreOfThisWorld() throws {
    var measurement = CeilingMeasurement()
    measurement.fmaTrials = 10
    measurement.bufferBytes = 32 << 20
    measurement.readPasses = 1
    let ceilings = measurement.measure(threads: [1, 2, 0, -3])
    #expect(ceilings.map(\.threads) == [1, 2])
    for ceiling in ceilings {
      let memory = try #require(ceiling.dramGBPerSecond)
      // A core that multiplies and adds one number in each of its vectors' lanes at 0.25 GHz makes 2 GFLOP/s;
      // 64 units of 16 lanes at 5 GHz would make 10,240.
      #expect(ceiling.fmaGFLOPS.best > 2 && ceiling.fmaGFLOPS.best < 10_240)
      #expect(memory.best > 0.2 && memory.best < 5_000)
      #expect(ceiling.fmaGFLOPS.all.count == 10)
      #expect(memory.all.count == 8)
      #expect(ceiling.fmaGFLOPS.median <= ceiling.fmaGFLOPS.best)
    }
  }

  /// The loop must not be shortened by the compiler: eight times the passes take about eight times as long.
  @Test func multiplyAddsAreAllExecuted() {
    func shortest(_ passes: Int) -> Double {
      (0..<10).map { _ in
        Calibration().sample(iterations: passes) { PeakKernels.multiplyAdd(passes: $0) }.nanosecondsPerCall
          * Double(passes)
      }.min() ?? 0
    }
    let ratio = shortest(160_000) / shortest(20_000)
    #expect((4...16).contains(ratio), "ratio \(ratio)")
  }

  @Test func noThreadsGiveNoCeilings() {
    #expect(CeilingMeasurement().measure(threads: []).isEmpty)
    #expect(CeilingMeasurement().measure(threads: [0]).isEmpty)
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
    #expect(times.count == 20)
    #expect(early.load(ordering: .relaxed) == 0)
    #expect(active.withLock { $0.values.allSatisfy { $0 == threads } })
  }

  @Test func partsCoverTheBufferOnce() throws {
    let buffer = try #require(SharedBuffer(bytes: 1 << 20, threads: 2))
    defer { buffer.unmap() }
    let parts = (0..<7).map { buffer.part($0, of: 7) }
    #expect(parts.map(\.bytes).reduce(0, +) == 1 << 20)
    #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.start + $0.bytes == $1.start })
    #expect(parts.allSatisfy { $0.bytes % 512 == 0 })
    let filled = parts.allSatisfy { part in
      UnsafeRawBufferPointer(start: part.start, count: part.bytes).allSatisfy { $0 == 0x5a }
    }
    #expect(filled)
  }
}
