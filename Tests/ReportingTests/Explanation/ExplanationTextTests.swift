import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ExplanationTextTests {
  private let ceiling = Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10)

  private func faster() throws -> Explanation {
    try Explanation(
      from: Fixture.profile("threaded", .decode, Fixture.recomputedToken), named: "threaded",
      to: Fixture.profile("kv-cache"), named: "kv-cache", ceiling: ceiling, noiseFloor: 0.02)
  }

  @Test func aWaterfallForATerminal() throws {
    try expectEqual(
      faster().text(colour: false),
      """
      kv-cache is 28.7 × as fast as threaded at decode after 64 tokens (28.686 to 1.000 ms per token): 94
      % from not recomputing MLP, QKV/projection and attention for old positions, 6 % from less waiting
      for the pool's threads, 1 % from faster work in MLP and QKV/projection.

                      time  share  by work  by rate
                        ms      %       ms       ms
      threaded      28.686                           ████████████████████████████████████████
        MLP up      -7.800   28.2   -7.722   -0.078                               ███████████
        MLP down    -7.800   28.2   -7.722   -0.078                    ███████████
        QKV         -3.900   14.1   -3.861   -0.039               █████
        projection  -1.560    5.6   -1.546   -0.014             ██
        pool wait   -1.560    5.6                            ███
        scores      -1.170    4.2   -1.172   +0.002         █
        values      -1.170    4.2   -1.172   +0.002       ██
        GELU        -1.170    4.2   -1.181   +0.011      █
        layer norm  -0.780    2.8   -0.787   +0.007    ██
        embedding   -0.390    1.4   -0.394   +0.004    ▏
        softmax     -0.390    1.4   -0.394   +0.004   █
        KV store    +0.004    0.0   +0.004    0.000   ▏
      kv-cache       1.000                           █

      The largest part is MLP up: 8.000 ms became 0.200 ms, with 64.0 × fewer FLOPs and 1.39 × fewer
        bytes, at 80 % of its roofline instead of 6.4 %.
      Means of the kept passes, 3 of 5 of threaded and 3 of 5 of kv-cache. Ratio of the medians of all
        passes: 28.7, 95 % CI 28.5 to 28.9. One side's own turns differed by up to 2.0 %.
      By work: the time that the side with more work would save with only the other's work; its time
        beyond the best that the ceilings allow is taken as proportional to its operations. By rate: the
        rest of the difference.

      """)
  }

  @Test func aPageWithBothSidesInBars() throws {
    let page = try ParsedPage(ExplanationFiles.html([faster()]))
    expectEqual(page.all("h1").map(\.text), ["threaded and kv-cache, phase by phase"])
    let answer = page.all("p").first { $0.attributes["class"] == "answer" }?.text
    expectEqual(answer, "kv-cache is 28.7 times as fast as threaded at decode after 64 tokens.")
    let section = try #require(page.section("stage-0"))
    // The one is too slow to share a scale with the other.
    expectEqual(section.all.count { $0.name == "figure" }, 1)
    #expect(section.text.contains("KV store") && section.text.contains("in all"))
  }

  @Test func markdownWithEveryPart() throws {
    try expectEqual(
      faster().markdown,
      """
      **kv-cache is 28.7 × as fast as threaded at decode after 64 tokens (28.686 to 1.000 ms per token): 94 % from not recomputing MLP, QKV/projection and attention for old positions, 6 % from less waiting for the pool's threads, 1 % from faster work in MLP and QKV/projection.** The largest part is MLP up: 8.000 ms became 0.200 ms, with 64.0 × fewer FLOPs and 1.39 × fewer bytes, at 80 % of its roofline instead of 6.4 %.

      | ms per token       | threaded | kv-cache |  change | share % | by work | by rate | FLOPs, × | bytes, × |
      | ------------------ | -------: | -------: | ------: | ------: | ------: | ------: | -------: | -------: |
      | embedding          |    0.400 |    0.010 |  -0.390 |     1.4 |  -0.394 |  +0.004 |   0.0156 |   0.0156 |
      | layer norm         |    0.800 |    0.020 |  -0.780 |     2.8 |  -0.787 |  +0.007 |   0.0156 |   0.0156 |
      | QKV                |    4.000 |    0.100 |  -3.900 |    14.1 |  -3.861 |  -0.039 |   0.0156 |    0.616 |
      | projection         |    1.600 |    0.040 |  -1.560 |     5.6 |  -1.546 |  -0.014 |   0.0156 |    0.547 |
      | KV store           |    0.000 |    0.004 |  +0.004 |     0.0 |  +0.004 |   0.000 |          |          |
      | scores             |    1.200 |    0.030 |  -1.170 |     4.2 |  -1.172 |  +0.002 |   0.0156 |          |
      | softmax            |    0.400 |    0.010 |  -0.390 |     1.4 |  -0.394 |  +0.004 |   0.0156 |   0.0156 |
      | values             |    1.200 |    0.030 |  -1.170 |     4.2 |  -1.172 |  +0.002 |   0.0156 |          |
      | MLP up             |    8.000 |    0.200 |  -7.800 |    28.2 |  -7.722 |  -0.078 |   0.0156 |    0.719 |
      | GELU               |    1.200 |    0.030 |  -1.170 |     4.2 |  -1.181 |  +0.011 |   0.0156 |   0.0156 |
      | MLP down           |    8.000 |    0.200 |  -7.800 |    28.2 |  -7.722 |  -0.078 |   0.0156 |    0.719 |
      | logits             |    0.250 |    0.250 |   0.000 |     0.0 |   0.000 |   0.000 |     1.00 |     1.00 |
      | sampling           |    0.020 |    0.020 |   0.000 |     0.0 |   0.000 |   0.000 |          |     1.00 |
      | between operations |    0.006 |    0.006 |   0.000 |     0.0 |         |         |          |          |
      | pool wait          |    1.600 |    0.040 |  -1.560 |     5.6 |         |         |          |          |
      | unexplained        |    0.010 |    0.010 |   0.000 |     0.0 |         |         |          |          |
      | **in all**         |   28.686 |    1.000 | -27.686 |   100.0 | -25.946 |  -0.180 |          |          |

      - Means of the kept passes, 3 of 5 of threaded and 3 of 5 of kv-cache. Ratio of the medians of all passes: 28.7, 95 % CI 28.5 to 28.9. One side's own turns differed by up to 2.0 %.
      - By work: the time that the side with more work would save with only the other's work; its time beyond the best that the ceilings allow is taken as proportional to its operations. By rate: the rest of the difference.

      """)
  }

  @Test(arguments: [40, 60, 80, 100, 140])
  func everyLineFits(width: Int) throws {
    let text = try Explanation(
      from: Fixture.profile("threaded", .decode, Fixture.recomputedToken),
      named: "reports/2026-01-02T03-04-05Z-a-record-with-a-long-name/record.json:threaded",
      to: Fixture.profile("kv-cache"), named: "kv-cache", ceiling: nil
    ).text(colour: false, width: width)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
    #expect(!text.contains("\u{1B}"))
  }

  @Test func theLargestPartIsBold() throws {
    let bold = try faster().text(colour: true).split(separator: "\n").filter { $0.contains("\u{1B}[1m") }
    expectEqual(bold.count, 1)
    expectEqual(bold.first?.contains(try #require(faster().largestPart).name), true)
  }

  /// Steps start where the one before ended, from the one side's time to the other's.
  @Test func theWaterfallHasNoGaps() throws {
    let explanation = try faster()
    let steps = WaterfallStep.all(of: explanation)
    expectEqual(steps.first?.before, explanation.from.nanoseconds)
    for (step, next) in zip(steps, steps.dropFirst()) { expectEqual(step.after, next.before) }
    #expect(abs(try #require(steps.last).after - explanation.to.nanoseconds) < 1e-3)
  }

  @Test func programsGetTheSameFigures() throws {
    let explanation = try faster()
    let json = try ExplanationFiles.json([explanation])
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let first = try #require((object?["explanations"] as? [[String: Any]])?.first)
    #expect(first["outcome"] as? String == "faster")
    #expect(first["stage"] as? String == "decode")
    #expect(first["headline"] as? String == explanation.headline)
    let parts = try #require(first["parts"] as? [[String: Any]])
    let changes = parts.compactMap { $0["changeNanoseconds"] as? Double }
    expectEqual(changes.count, explanation.parts.count)
    #expect(abs(changes.reduce(0, +) - explanation.change) < 1e-3)
    let lines = ExplanationFiles.csv([explanation]).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    expectEqual(Set(lines.map(\.count)).count, 1)
    expectEqual(lines.count, explanation.parts.count + 2)
    expectEqual(lines.last?[4], "total")
    let wait = try #require(lines.first { $0[4] == "pool-wait" })
    expectEqual(wait[10], "")
    expectEqual(wait[12], "")
  }
}
