import Foundation
import Measurement
import Testing

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
    #expect(tracks.map { $0.entries.map(\.mark) } == [[0, 1, 2, 3, 4, 5], [100, 101, 102]])
    #expect(Set(tracks.map(\.thread)).count == 2)
    for track in tracks {
      let times = track.entries.map(\.time)
      #expect(times == times.sorted())
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
      #expect(tracks.count == 1)
      #expect(tracks[0].entries.count == count)
      #expect(tracks[0].entries.enumerated().allSatisfy { Int($1.mark) == $0 })
    }
  }
}
