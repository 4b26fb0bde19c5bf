import Foundation
import Testing

@testable import Measurement

@Suite(.serialized) struct ProcessActivityTests {
  @Test func cpuTimeGrowsWithWork() {
    let before = ProcessActivity.cpuNanoseconds()
    var x = 1.0
    while ProcessActivity.cpuNanoseconds() < before + 2_000_000 { x = x.squareRoot() + 1 }
    #expect(x > 1)
  }

  /// In a process of its own: other tests keep this one busy.
  @Test func waitsForAThreadThatSpins() async {
    await #expect(processExitsWith: .success) {
      precondition(ProcessActivity.waitForRest())
      let end = ContinuousClock.now + .milliseconds(400)
      Thread { while ContinuousClock.now < end {} }.start()
      precondition(!ProcessActivity.waitForRest(limit: .milliseconds(100)))
      precondition(ProcessActivity.waitForRest(limit: .seconds(20)))
      precondition(ContinuousClock.now >= end)
    }
  }
}
