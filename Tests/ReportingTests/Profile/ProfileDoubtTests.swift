import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What was once shown without a word: logits at 102 % of the roofline, a whole token at 114 %, and 11.3 ms a token
/// where the rounds had 15.8.
struct ProfileDoubtTests {
  /// - Parameters:
  ///   - milliseconds: of a token in the rounds.
  ///   - share: of the bytes that those shares are of.
  private static func record(rounds milliseconds: Double, bytes share: Double = 1) -> Record {
    let (all, logits) = (1.14 * 11_300, 1.02 * 2825)
    // Memory gives 10 GB/s.
    let bytes = { (microseconds: Double) in 1e4 * microseconds * share }
    var cell = Fixture.decodeCell(
      "kv-cache", threads: 2, stepMilliseconds: [Double](repeating: milliseconds, count: 3))
    (cell.flops, cell.bytes) = (2e6, bytes(all))
    var record = Fixture.record(cells: [cell])
    record.ceilings = [Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10)]
    let times = [
      PhaseTime(phase: .up, microseconds: 8475, flops: 1e6, streamed: bytes(all - logits)),
      PhaseTime(phase: .logits, microseconds: 2825, flops: 1e6, streamed: bytes(logits)),
    ]
    record.profiles = [Fixture.profile("kv-cache", .decode, layers: 1, times, unexplained: 0)]
    return record
  }

  private func doubt(_ record: Record) -> String? {
    ProfileFigures.all(record)[0].doubt(RunFigures(record))?.plain
  }

  @Test func whatIsAboveTheRooflineIsNamed() throws {
    let record = Self.record(rounds: 11.3)
    let words =
      "above the roofline, so that the roof was measured too low: MLP up 118 %, logits 102 %, a whole token 114 %"
    #expect(try #require(doubt(record)).hasSuffix(", decode after 64 tokens: \(words)."))
    expectContains(HTMLReport(record).text, words)
    let text = ProfileText(record, colour: false).text.split(whereSeparator: \.isWhitespace)
    expectContains(text.joined(separator: " "), words)
  }

  @Test func aTimeThatTheRoundsDidNotMeasureIsSaid() throws {
    let record = Self.record(rounds: 15.8, bytes: 0.5)
    let difference = NumberText.signedPercent(11.3 / 15.8 - 1)
    expectContains(HTMLReport(record).text, "\(difference) against what the rounds measured")
    try expectContains(#require(doubt(record)), "\(difference) against what the rounds measured")
    expectNil(doubt(Self.record(rounds: 12.3, bytes: 0.5)))
  }
}
