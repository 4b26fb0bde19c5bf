import Foundation
import TestSupport
import Testing

@testable import Measurement

struct BandwidthPulseTests {
  /// A fork on the calling thread that takes a microsecond of a clock.
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

  /// Memory that ends where nothing may be read: a read past it ends the process.
  private func withMemory(_ bytes: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let size = (bytes + page - 1) / page * page
    let base = try #require(
      mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0))
    try #require(base != MAP_FAILED)
    defer { munmap(base, size + page) }
    try #require(mprotect(base + size, page, PROT_NONE) == 0)
    try body(UnsafeRawBufferPointer(start: base + (size - bytes), count: bytes))
  }

  private func pulse(_ memory: UnsafeRawBufferPointer, threads: Int, _ team: Team) throws -> BandwidthPulse {
    try #require(
      BandwidthPulse(memory: memory, threads: threads, bytes: 64 << 10, clock: team.clock, fork: team.fork))
  }

  @Test func aRateIsBytesOverTheTimeOfAllThreads() throws {
    let team = Team()
    try withMemory(1 << 20) { memory in
      let pulse = try pulse(memory, threads: 2, team)
      team.parts = []
      expectEqual(pulse.gbPerSecond(on: team.fork), Double(64 << 10) / 1_000)
      expectEqual(team.parts, [0, 1])
    }
  }

  /// Odd thread counts leave whole pages to each, and no pulse reads past the end.
  @Test(arguments: [1, 2, 3, 5, 7]) func everyPulseStaysInside(threads: Int) throws {
    let team = Team()
    try withMemory(300_000) { memory in
      let pulse = try pulse(memory, threads: threads, team)
      for _ in 0..<20 {
        let rate = try #require(pulse.gbPerSecond(on: team.fork))
        #expect(rate <= Double(64 << 10) / 1_000)
      }
    }
  }

  @Test func memoryThatCachesMayHoldHasNoPulse() {
    let team = Team()
    let memory = UnsafeRawBufferPointer(start: nil, count: 0)
    expectNil(BandwidthPulse(memory: memory, threads: 2, fork: team.fork))
  }

  @Test func aClockThatStandsStillGivesNoRate() throws {
    let team = Team()
    try withMemory(1 << 20) { memory in
      let pulse = try pulse(memory, threads: 1, team)
      expectNil(pulse.gbPerSecond { count, body in (0..<count).forEach(body) })
    }
  }
}
