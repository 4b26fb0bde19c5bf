import Statistics
import Testing

@Suite struct HolmTests {
  /// scripts/statistics_golden.py: every p-value against every subset of tests that contains it.
  @Test func matchesClosedTesting() {
    let adjusted = holm([0.012, 0.4, 0.001, 0.012, 0.03, 0.9, 0.2, 0.006])
    let expected = [0.072, 0.8, 0.008, 0.072, 0.12, 0.9, 0.6, 0.042]
    #expect(zip(adjusted, expected).allSatisfy { isClose($0, $1) }, "\(adjusted)")
  }

  /// R's p.adjust(1:5/100, "holm").
  @Test func isMonotone() {
    let adjusted = holm([0.01, 0.02, 0.03, 0.04, 0.05])
    #expect(zip(adjusted, [0.05, 0.08, 0.09, 0.09, 0.09]).allSatisfy { isClose($0, $1) }, "\(adjusted)")
  }

  @Test func isCappedAndKeepsTheOrder() {
    #expect(holm([0.9, 0.6, 0.5]) == [1, 1, 1])
    #expect(holm([1, 0]) == [1, 0])
    #expect(holm([0.3]) == [0.3])
    #expect(holm([]) == [])
  }

  @Test func whatIsNotANumberCountsAsOne() {
    #expect(holm([.nan, 0.01]) == [1, 0.02])
  }
}
