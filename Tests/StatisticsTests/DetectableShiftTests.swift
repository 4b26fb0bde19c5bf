import Foundation
import Statistics
import TestSupport
import Testing

struct DetectableShiftTests {
  private func rejects(_ differences: [Double]) -> Bool {
    SignedRank(differences).map { $0.pValue <= 0.05 } ?? false
  }

  /// Expected: 20 pairs of standard normal differences, SciPy's wilcoxon on 20,000 samples per shift,
  /// bisected.
  @Test func matchesThePowerOfTheSignedRankTest() throws {
    var generator = SeededGenerator(seed: 12)
    let control = (0..<2000).map { _ in Noise.gaussian(&generator) }
    let shift = try #require(
      DetectableShift(resamples: 1000, limit: 5).smallest(control: control, count: 20, rejects: rejects))
    #expect(abs(shift / 0.68 - 1) < 0.1, "\(shift)")
  }

  /// Fresh samples shifted by the answer are detected about as often as asked, and by half of it seldom.
  @Test func theAnswerHasThePowerAskedFor() throws {
    var generator = SeededGenerator(seed: 31)
    let control = (0..<1000).map { _ in Noise.twoLevels.pair(&generator) }
    let shift = try #require(
      DetectableShift(resamples: 500).smallest(control: control, count: 15, rejects: rejects))
    func power(_ shift: Double) -> Double {
      let found = (0..<500).count { _ in
        rejects((0..<15).map { _ in Noise.twoLevels.pair(shift: shift, &generator) })
      }
      return Double(found) / 500
    }
    #expect((0.72...0.88).contains(power(shift)))
    #expect(power(shift / 2) < 0.5)
  }

  @Test func whatTheControlIsCentredOnDoesNotMatter() throws {
    var generator = SeededGenerator(seed: 2)
    let control = (0..<20).map { _ in Noise.normal.pair(&generator) }
    let shift = try #require(DetectableShift().smallest(control: control, rejects: rejects))
    let moved = try #require(
      DetectableShift().smallest(control: control.map { $0 + 0.25 }, rejects: rejects))
    #expect(abs(moved / shift - 1) < 0.021)
    expectEqual(DetectableShift().smallest(control: control, rejects: rejects), shift)
  }

  /// A rule of known threshold: the mean of equal values is the shift itself.
  @Test func bisectsToTwoPerCent() throws {
    let shift = try #require(
      DetectableShift().smallest(control: [4, 4, 4]) { $0[0] >= 0.0123 })
    #expect((0.0123...0.0123 * 1.021).contains(shift))
    let least = try #require(DetectableShift().smallest(control: [4, 4, 4]) { $0[0] > 0 })
    #expect(least > 0 && least < 1e-6)
  }

  @Test func resamplesHaveTheCountAskedFor() {
    var counts: Set<Int> = []
    _ = DetectableShift().smallest(control: [1, 2, 3, 4], count: 9) {
      counts.insert($0.count)
      return true
    }
    expectEqual(counts, [9])
  }

  @Test func whatCannotBeDetectedHasNoAnswer() {
    let control = [-1.0, 0, 1, 2, -2]
    expectNil(DetectableShift(limit: 0.1).smallest(control: control, rejects: rejects))
    // Five pairs cannot give a p-value of 0.05, whatever the shift.
    expectNil(DetectableShift(limit: 100).smallest(control: control, rejects: rejects))
    expectNil(DetectableShift().smallest(control: control) { _ in false })
  }

  @Test func badArgumentsGiveNoAnswer() {
    func always(_: [Double]) -> Bool { true }
    expectNil(DetectableShift().smallest(control: [1, 2], rejects: always))
    expectNil(DetectableShift().smallest(control: [1, 2, .nan], rejects: always))
    expectNil(DetectableShift().smallest(control: [1, 2, 3], count: 0, rejects: always))
    expectNil(DetectableShift(power: 0).smallest(control: [1, 2, 3], rejects: always))
    expectNil(DetectableShift(power: 1.5).smallest(control: [1, 2, 3], rejects: always))
    expectNil(DetectableShift(resamples: 0).smallest(control: [1, 2, 3], rejects: always))
    expectNil(DetectableShift(limit: .infinity).smallest(control: [1, 2, 3], rejects: always))
  }
}
