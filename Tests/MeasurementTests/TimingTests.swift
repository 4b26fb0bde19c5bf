import Foundation
import Measurement
import TestSupport
import Testing

@testable import Measurement

struct TimingTests {
  @Test func systemClockMovesForwardAtTheRateOfTime() {
    let clock = SystemClock()
    let start = clock.now()
    usleep(20_000)
    let elapsed = clock.now() - start
    #expect(elapsed >= 20_000_000)
    #expect(elapsed < 5_000_000_000)
  }

  @Test func durationsBecomeNanoseconds() {
    expectEqual(Duration.milliseconds(1500).nanoseconds, 1_500_000_000)
    expectEqual(Duration.nanoseconds(7).nanoseconds, 7)
    expectEqual(Duration.seconds(-1).nanoseconds, 0)
    expectEqual(Duration.seconds(Int64.max).nanoseconds, .max)
  }

  @Test func launderedValuesAreTheSameValues() {
    var values: [Float] = [1, 2, 3]
    values.withUnsafeMutableBufferPointer { buffer in
      let base = buffer.baseAddress!
      expectEqual(launder(UnsafePointer(base)), UnsafePointer(base))
      sink(base)
      sink(UnsafePointer(base))
    }
    expectEqual(values, [1, 2, 3])
    expectEqual(launder(-5), -5)
    blackHole(values)
  }

  /// Without the barriers an optimised build computes the product once, or never: a few nanoseconds for a
  /// million passes. With them each pass over 4096 numbers takes at least a tenth of a microsecond on anything.
  @Test func barriersKeepTheWorkInTheLoop() {
    var values = (0..<4096).map { Float($0) }
    let passes = 2000
    let elapsed = values.withUnsafeMutableBufferPointer { buffer in
      let pointer = UnsafePointer(buffer.baseAddress!)
      let clock = SystemClock()
      let start = clock.now()
      for _ in 0..<passes { blackHole(sumOfSquares(launder(pointer), launder(buffer.count))) }
      return clock.now() - start
    }
    #expect(elapsed > UInt64(passes) * 100)
  }
}

@inline(__always)
private func sumOfSquares(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum: Float = 0
  for index in 0..<count { sum += values[index] * values[index] }
  return sum
}

struct CalibrationTests {
  private let clock = FakeClock()

  @Test func findsASampleThatLastsLongEnough() {
    var calls = 0
    let sample = Calibration(minimumSample: .milliseconds(10), clock: clock).calibrate { iterations in
      calls += iterations
      clock.advance(by: UInt64(iterations) * 3_000)
    }
    // 10 ms ÷ 3 µs, and 20 % more.
    expectEqual(sample.iterations, 4000)
    expectEqual(sample.nanosecondsPerCall, 3000)
    expectEqual(sample.elapsedNanoseconds, 12_000_000)
    #expect(calls < 2 * sample.iterations)
  }

  @Test func oneCallIsEnoughWhereItIsLong() {
    let sample = Calibration(minimumSample: .milliseconds(5), clock: clock).calibrate { iterations in
      clock.advance(by: UInt64(iterations) * 2_000_000_000)
    }
    expectEqual(sample, CalibratedSample(iterations: 1, elapsedNanoseconds: 2_000_000_000))
  }

  @Test func aSlowFirstCallDoesNotFoolIt() {
    var isFirst = true
    let sample = Calibration(minimumSample: .milliseconds(10), clock: clock).calibrate { iterations in
      clock.advance(by: UInt64(iterations) * 100 + (isFirst ? 1_000_000 : 0))
      isFirst = false
    }
    expectEqual(sample.nanosecondsPerCall, 100)
    #expect(sample.elapsedNanoseconds >= 10_000_000)
  }

  @Test func aBodyThatTakesNoTimeEnds() {
    let sample = Calibration(clock: clock).calibrate { _ in }
    expectEqual(sample.iterations, Calibration.maximumIterations)
  }

  @Test func anErrorOfTheBodyComesThrough() {
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      try Calibration(clock: clock).calibrate { _ in throw Broken() }
    }
  }

  @Test func aGivenCountIsKept() {
    let sample = Calibration(clock: clock).sample(iterations: 7) { iterations in
      clock.advance(by: UInt64(iterations) * 11)
    }
    expectEqual(sample, CalibratedSample(iterations: 7, elapsedNanoseconds: 77))
  }

  /// What comes before each few calls takes no time of theirs.
  @Test func preparationsAreNotTimed() {
    var calls: [Int] = []
    var preparations = 0
    func prepare() {
      preparations += 1
      clock.advance(by: 1_000_000)
    }
    let sample = Calibration(clock: clock).sample(iterations: 7, preparedFor: 3, prepare: prepare) {
      calls.append($0)
      clock.advance(by: UInt64($0) * 11)
    }
    expectEqual(sample, CalibratedSample(iterations: 7, elapsedNanoseconds: 77))
    expectEqual(calls, [3, 3, 1])
    expectEqual(preparations, 3)
  }

  @Test func calibrationMayPrepareToo() {
    func prepare() { clock.advance(by: 50_000) }
    let sample = Calibration(minimumSample: .milliseconds(10), clock: clock)
      .calibrate(preparedFor: 1, prepare: prepare) { clock.advance(by: UInt64($0) * 3_000) }
    expectEqual(sample.iterations, 4000)
    expectEqual(sample.nanosecondsPerCall, 3000)
  }

  @Test func aSampleEndsWhereItsPreparationsTakeTooLong() {
    func prepare() { clock.advance(by: 5_000_000) }
    let calibration = Calibration(
      minimumSample: .milliseconds(10), limit: .milliseconds(100), clock: clock)
    let sample = calibration.calibrate(preparedFor: 1, prepare: prepare) {
      clock.advance(by: UInt64($0) * 1_000)
    }
    expectEqual(sample.iterations, 19)
    expectEqual(sample.nanosecondsPerCall, 1000)
    func prepareForLong() { clock.advance(by: 300_000_000) }
    let slow = calibration.calibrate(preparedFor: 1, prepare: prepareForLong) {
      clock.advance(by: UInt64($0) * 1_000)
    }
    expectEqual(slow.iterations, 1)
  }
}

@Suite(.serialized) struct MarkLogTests {
  @Test func marksOfEachThreadComeInOrderWithTimesOfTheClock() {
    MarkLog.prepare()
    let start = SystemClock().now()
    for mark in 0..<5 { MarkLog.note(UInt32(mark)) }
    let done = DispatchSemaphore(value: 0)
    let other = Thread {
      for mark in 100..<103 { MarkLog.note(UInt32(mark)) }
      done.signal()
    }
    other.start()
    done.wait()
    MarkLog.note(5)
    let end = SystemClock().now()
    let tracks = MarkLog.drain()
    expectEqual(tracks.map { $0.entries.map(\.mark) }, [[0, 1, 2, 3, 4, 5], [100, 101, 102]])
    expectEqual(Set(tracks.map(\.thread)).count, 2)
    for track in tracks {
      let times = track.entries.map(\.time)
      expectEqual(times, times.sorted())
      // The counter and the clock are set beside each other to within a microsecond.
      #expect(times.allSatisfy { $0 + 1_000 >= start && $0 <= end + 1_000 })
    }
    #expect(MarkLog.drain().isEmpty)
  }

  /// More than fits into one piece of memory, twice.
  @Test func nothingIsLostWhereThereAreMany() {
    MarkLog.prepare()
    for count in [200_000, 65_536, 1, 65_537] {
      for mark in 0..<count { MarkLog.note(UInt32(mark)) }
      let tracks = MarkLog.drain()
      expectEqual(tracks.count, 1)
      expectEqual(tracks[0].entries.count, count)
      #expect(tracks[0].entries.enumerated().allSatisfy { Int($1.mark) == $0 })
    }
  }
}
