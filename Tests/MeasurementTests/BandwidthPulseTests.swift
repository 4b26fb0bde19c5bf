import Testing

@testable import Measurement

@Suite struct BandwidthPulseTests {
  /// A fork on the calling thread that takes one nanosecond of a clock for each byte that is to be read.
  private final class Team {
    let clock = FakeClock()
    var parts: [Int] = []

    func fork(_ count: Int, _ body: (Int) -> Void) {
      for index in 0..<count {
        body(index)
        parts.append(index)
      }
      clock.advance(by: 1_000)
    }
  }

  @Test func aRateIsBytesOverTheTimeOfAllThreads() throws {
    let team = Team()
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    defer { memory.deallocate() }
    let pulse = try #require(
      BandwidthPulse(
        memory: UnsafeRawBufferPointer(memory), threads: 2, bytes: 64 << 10, clock: team.clock,
        fork: team.fork))
    team.parts = []
    #expect(pulse.gbPerSecond(on: team.fork) == Double(64 << 10) / 1_000)
    #expect(team.parts == [0, 1])
  }

  /// Odd thread counts leave whole pages to each, and no pulse reads past the end: an address sanitizer would say.
  @Test(arguments: [1, 2, 3, 5, 7]) func everyPulseStaysInside(threads: Int) throws {
    let team = Team()
    let bytes = 300_000
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    defer { memory.deallocate() }
    let pulse = try #require(
      BandwidthPulse(
        memory: UnsafeRawBufferPointer(memory), threads: threads, bytes: 64 << 10, clock: team.clock,
        fork: team.fork))
    for _ in 0..<20 {
      let rate = try #require(pulse.gbPerSecond(on: team.fork))
      #expect(rate <= Double(64 << 10) / 1_000)
    }
  }

  @Test func memoryThatCachesMayHoldHasNoPulse() {
    let team = Team()
    let memory = UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(BandwidthPulse(memory: memory, threads: 2, fork: team.fork) == nil)
  }

  @Test func aClockThatStandsStillGivesNoRate() throws {
    let team = Team()
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    defer { memory.deallocate() }
    let pulse = try #require(
      BandwidthPulse(
        memory: UnsafeRawBufferPointer(memory), threads: 1, bytes: 64 << 10, clock: team.clock,
        fork: team.fork))
    #expect(pulse.gbPerSecond { count, body in (0..<count).forEach(body) } == nil)
  }
}
