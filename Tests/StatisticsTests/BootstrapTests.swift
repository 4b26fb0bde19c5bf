import Foundation
import Statistics
import Testing

@Suite struct BootstrapTests {
  private let base = [10.1, 10.4, 9.9, 10.0, 10.3, 11.2, 10.2, 10.15, 9.95, 10.6]
  private let head = [11.0, 11.3, 11.1, 10.8, 12.0, 11.05, 11.2, 10.95, 11.4, 11.15]

  // Expected intervals: NumPy with 200,000 resamples and another generator; 20,000 here leave a sampling
  // error of the bounds well below the tolerance.
  @Test func medianMatchesNumPy() throws {
    let result = try #require(Bootstrap(resamples: 20_000).median(base))
    #expect(abs(result.value - 10.175) < 1e-12)
    #expect(abs(result.interval.lower - 10.0) < 0.026)
    #expect(abs(result.interval.upper - 10.45) < 0.051)
  }

  @Test func ratioOfMediansMatchesNumPy() throws {
    let result = try #require(Bootstrap(resamples: 20_000).ratioOfMedians(base: base, head: head))
    #expect(abs(result.value - 1.0933660933660934) < 1e-12)
    #expect(abs(result.interval.lower - 1.0625) < 0.002)
    #expect(abs(result.interval.upper - 1.11940299) < 0.002)
  }

  @Test func theSeedDecidesTheInterval() {
    let values = (0..<25).map { sin(Double($0)) + 2 }
    #expect(Bootstrap(seed: 1).median(values) == Bootstrap(seed: 1).median(values))
    #expect(
      (1...8).contains { Bootstrap(seed: $0).median(values) != Bootstrap(seed: 0).median(values) })
  }

  /// Samples of 25 from a right-skewed distribution (log-normal, median 1), as timings are. NumPy's coverage
  /// of the same procedure is 0.940 (4,000 trials); the bounds are 3 standard errors of 400 trials around it.
  @Test func intervalCoversTheMedianAsOftenAsExpected() throws {
    var generator = SeededGenerator(seed: 2024)
    let trials = 400
    var covered = 0
    for trial in 0..<trials {
      let sample = (0..<25).map { _ in exp(0.3 * Noise.gaussian(&generator)) }
      let result = try #require(Bootstrap(resamples: 800, seed: UInt64(trial)).median(sample))
      if result.interval.contains(1) { covered += 1 }
    }
    let coverage = Double(covered) / Double(trials)
    #expect((0.905...0.975).contains(coverage), "coverage \(coverage)")
  }

  /// Two samples of 15 with a true ratio of 1.1; NumPy's coverage is 0.966, the bounds are 3 standard errors.
  @Test func ratioIntervalCoversTheRatioAsOftenAsExpected() throws {
    var generator = SeededGenerator(seed: 99)
    let trials = 300
    var covered = 0
    for trial in 0..<trials {
      let base = (0..<15).map { _ in exp(0.2 * Noise.gaussian(&generator)) }
      let head = (0..<15).map { _ in 1.1 * exp(0.2 * Noise.gaussian(&generator)) }
      let result = try #require(
        Bootstrap(resamples: 600, seed: UInt64(trial)).ratioOfMedians(base: base, head: head))
      if result.interval.contains(1.1) { covered += 1 }
    }
    let coverage = Double(covered) / Double(trials)
    #expect((0.935...0.997).contains(coverage), "coverage \(coverage)")
  }

  @Test func tooLittleOrBadDataGivesNoInterval() {
    #expect(Bootstrap().median([1, 2]) == nil)
    #expect(Bootstrap().median([1, .nan, 2]) == nil)
    #expect(Bootstrap(resamples: 0).median([1, 2, 3]) == nil)
    #expect(Bootstrap(confidence: 1).median([1, 2, 3]) == nil)
    #expect(Bootstrap().ratioOfMedians(base: [1, 2, 3], head: [1, 2]) == nil)
    #expect(Bootstrap().ratioOfMedians(base: [1, 0, 3], head: [1, 2, 3]) == nil)
  }
}
