import Testing

@testable import Record
@testable import Reporting

@Suite struct ComparisonGitHubTests {
  /// `kv-cache` decodes slower, `naive` on the prompt is undecided, and `simd8` failed its check.
  private var comparison: Comparison {
    let base = Fixture.comparable()
    var head = Fixture.comparable(Slowdown(kvCacheDecode: 1.25), run: 1)
    head.cells += Fixture.troubled().cells[4...4]
    head.correctness.append(Fixture.failedCheck("simd8"))
    head.cells[0].samples = Array(head.cells[0].samples.prefix(2))
    return Comparison(base: base, head: head)
  }

  private var parts: (shown: Substring, folded: Substring) {
    let text = comparison.gitHubComment
    let end = text.firstRange(of: "<details>")?.lowerBound ?? text.endIndex
    return (text[..<end], Substring(String(text[end...])))
  }

  @Test func whatIsWorseOrUndecidedIsShown() {
    let lines = parts.shown.split(separator: "\n")
    #expect(lines[0] == "<!-- gpt2-bench compare -->")
    #expect(lines[1] == "### Performance of two runs")
    #expect(lines[2].hasPrefix("**1 regressed, 2 inconclusive, 7 unchanged.** A change counts from 5 %"))
    #expect(parts.shown.contains("Failed its correctness check in head:\n\n- `simd8`: "))
    let rows = lines.filter { $0.hasPrefix("| ") }.dropFirst(2)
    #expect(rows.count == 3)
    #expect(rows.first?.hasPrefix("| **regressed** | `kv-cache` |") == true)
    #expect(rows.dropFirst().allSatisfy { $0.hasPrefix("| inconclusive ") && $0.contains("`naive`") })
  }

  @Test func theRestIsFolded() {
    for title in ["7 other rows", "Geometric means", "On one side only", "How to read it"] {
      #expect(parts.folded.contains("<details><summary>\(title)</summary>\n\n"))
    }
    #expect(parts.folded.ranges(of: "| unchanged ").count == 7)
    #expect(!parts.folded.contains("**regressed** |"))
  }

  @Test func annotationsNameTheRows() {
    let lines = comparison.gitHubAnnotations
    #expect(lines.count == 6)
    #expect(
      lines[0]
        == "::notice title=Performance of two runs::1 regressed, 2 inconclusive, 7 unchanged. Exit code 3.")
    #expect(
      lines[1].hasPrefix(
        "::error title=kv-cache f32 t1%2C tg5 @ d64%2C decode tok/s%3A regressed::497.8 → 398.2 tok/s, ratio 0.8"
      ))
    #expect(lines[2].hasPrefix("::error title=correctness check failed::`simd8`: "))
    #expect(lines[3...4].allSatisfy { $0.hasPrefix("::warning title=naive f32 t1%2C pp64%2C ") })
    #expect(lines[5].hasPrefix("::warning title=not compared::"))
    #expect(lines.allSatisfy { !$0.contains("\n") })
  }

  @Test func aComparisonWithoutRowsSaysSo() {
    let comparison = Comparison(base: Fixture.record(), head: Fixture.record())
    #expect(comparison.gitHubComment.contains("**Nothing could be compared.**"))
    #expect(comparison.gitHubAnnotations.count == 1)
  }
}
