import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ComparisonReportTests {
  /// `kv-cache` decodes slower, another suite, a failed check, and two variants that the base does not have.
  private var comparison: Comparison {
    var head = Fixture.comparable(Slowdown(kvCacheDecode: 1.25, machine: 1.02), run: 1)
    head.cells += Fixture.troubled().cells[4...5]
    head.correctness.append(Fixture.failedCheck("simd8"))
    head.settings.suite = "full"
    return Comparison(base: Fixture.comparable(), head: head, baseLabel: "base.json", headLabel: "head.json")
  }

  @Test func markdown() {
    expectEqual(
      comparison.markdown,
      """
      # Comparison of two runs

      **1 regressed, 9 unchanged.** A change counts from 5 %, memory 2 %, load 20 %; exit code 3.

      > **Warning:** The suite differs: base quick, head full. Only what both have is compared.

      Failed its correctness check in head:

      - `simd8`: tiny: max abs error 0.5 > 1e-4

      | verdict       | variant    | weights | threads | test      | metric        |  base |  head | unit  |      n | ratio, > 1 is better | CI             | p, Holm | noise floor | remark |
      | ------------- | ---------- | ------- | ------: | --------- | ------------- | ----: | ----: | ----- | -----: | -------------------: | -------------- | ------: | ----------: | ------ |
      | **regressed** | `kv-cache` | f32     |       1 | tg5 @ d64 | decode tok/s  | 497.8 | 398.2 | tok/s | 10, 10 |                0.800 | 0.797 to 0.803 | 8.7e-05 |       2.7 % |        |
      | unchanged     | `naive`    | f32     |       1 |           | load, warm    | 2.008 | 2.008 | ms    |   5, 5 |                1.000 | 0.994 to 1.006 |     1.0 |       2.6 % |        |
      | unchanged     | `kv-cache` | f32     |       1 |           | load, warm    | 2.008 | 2.008 | ms    |   5, 5 |                1.000 | 0.994 to 1.006 |     1.0 |       2.6 % |        |
      | unchanged     | `naive`    | f32     |       1 | pp64      | prefill tok/s |  1593 |  1593 | tok/s | 10, 10 |                1.000 | 0.996 to 1.004 |     1.0 |       2.7 % |        |
      | unchanged     | `naive`    | f32     |       1 | pp64      | TTFT          | 44.20 | 44.20 | ms    | 10, 10 |                1.000 | 0.996 to 1.004 |     1.0 |       2.7 % |        |
      | unchanged     | `naive`    | f32     |       1 | tg5 @ d64 | decode tok/s  | 49.78 | 49.77 | tok/s | 10, 10 |                1.000 | 0.996 to 1.004 |     1.0 |       2.7 % |        |
      | unchanged     | `kv-cache` | f32     |       1 | pp64      | prefill tok/s |  6371 |  6371 | tok/s | 10, 10 |                1.000 | 0.996 to 1.004 |     1.0 |       2.7 % |        |
      | unchanged     | `kv-cache` | f32     |       1 | pp64      | TTFT          | 11.05 | 11.05 | ms    | 10, 10 |                1.000 | 0.996 to 1.004 |     1.0 |       2.7 % |        |
      | unchanged     | `naive`    | f32     |       1 |           | peak memory   | 50.00 | 50.00 | MiB   |   1, 1 |                1.000 |                |         |       4.0 % |        |
      | unchanged     | `kv-cache` | f32     |       1 |           | peak memory   | 50.00 | 50.00 | MiB   |   1, 1 |                1.000 |                |         |       4.0 % |        |

      | geometric mean of the ratios (rows) | decode tok/s | prefill tok/s |      TTFT | peak memory | load, warm |
      | ----------------------------------- | -----------: | ------------: | --------: | ----------: | ---------: |
      | all                                 |    0.894 (2) |     1.000 (2) | 1.000 (2) |   1.000 (2) |  1.000 (2) |
      | `naive`                             |    1.000 (1) |     1.000 (1) | 1.000 (1) |   1.000 (1) |  1.000 (1) |
      | `kv-cache`                          |    0.800 (1) |     1.000 (1) | 1.000 (1) |   1.000 (1) |  1.000 (1) |

      ## On one side only

      - `simd8` (1 thread) on tg5 @ d64: only in head
      - `threaded` (1 thread) on tg5 @ d64: only in head

      ## How to read it

      - **Ratio** = median time in base ÷ median time in head (of a rate: the head's ÷ the base's; of memory: base ÷ head). Above 1 the head is faster or smaller.
      - A threshold of t allows ratios from 1 − t to 1 / (1 − t), so that swapping base and head swaps the verdicts: 5 % allows 0.950 to 1.053.
      - **regressed**, **improved**: all of these hold. The whole interval lies below 1 (regressed) or above 1 (improved). p, after Holm's correction for all 8 tested rows, is below 0.05. The change exceeds the row's threshold and the noise floor, which is what the machine shows without any change of the program.
      - **unchanged**: the whole interval lies within the threshold. **failed**: the head has no figure, because it failed its correctness check. Otherwise **inconclusive**, with the condition that failed.
      - Peak memory is one value a process. Its threshold, at least 1 MiB, judges it, and its noise floor: what the peaks of one build's processes differed by, 4.0 % where a record holds fewer than 3. A verdict in parentheses does not count.
      - Exit code: 3 where a row regressed, else 4 where a check failed in head, else 5 where a row is inconclusive or nothing could be compared, else 0.
      - The two records are of two runs, so their samples are unpaired. **p** is that of Mann and Whitney's two-sided test of the samples' times. **CI** is the 95 % percentile bootstrap of the ratio, with both sides resampled independently.
      - **Noise floor** of a row: what the machine alone may have done to it. First what times differ by within a run, the largest of: the row's own samples (P10 to P90), a fixed loop's (likewise), and the first half of a run's samples against the second, in the row where that is most. On top comes what fixed work differed by from run to run, median against median: the ceiling that bounds the row or the fixed loop, whichever differs more. (For figures in percent of their ceilings, it is how far that ceiling's own trials spread.) Last come cores that other processes used in one run and not in the other, beyond those that the row leaves free: a team of threads waits for the one whose core was taken.
      - A verdict must hold for the times as they are and for the times relative to that ceiling: a machine that is slower in one run has slower ceilings too.
      - Records can show a change; they cannot confirm one. `gpt2-bench compare --against OTHER-BINARY` measures both builds in the same rounds, with a control and a confirmation.
      - Base: base.json, gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z (Swift 6.3, release, -march=x86-64-v3, 256-bit vectors).
      - Head: head.json, gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z (Swift 6.3, release, -march=x86-64-v3, 256-bit vectors).

      """)
  }

  @Test func csv() {
    expectEqual(
      comparison.csv,
      """
      variant,weights,threads,test,metric,unit,base,head,base_samples,head_samples,ratio,ratio_ci_low,ratio_ci_high,p,p_adjusted,threshold,noise_floor,smallest_detectable,share_of_ceiling,verdict,confirmed,counts,reason
      naive,f32,1,pp64,prefill tok/s,tok/s,1592.832,1592.674,10,10,0.9999005,0.9959289,1.00389,0.7393644,1,0.05,0.02660995,,false,unchanged,,true,
      naive,f32,1,pp64,TTFT,ms,44.198,44.2024,10,10,0.9999005,0.9959289,1.00389,0.7393644,1,0.05,0.02660995,,false,unchanged,,true,
      naive,f32,1,tg5 @ d64,decode tok/s,tok/s,49.77601,49.77105,10,10,0.9999005,0.9959289,1.00389,0.7393644,1,0.05,0.02660995,,false,unchanged,,true,
      kv-cache,f32,1,pp64,prefill tok/s,tok/s,6371.329,6370.695,10,10,0.9999005,0.9959289,1.00389,0.7393644,1,0.05,0.02660995,,false,unchanged,,true,
      kv-cache,f32,1,pp64,TTFT,ms,11.0495,11.0506,10,10,0.9999005,0.9959289,1.00389,0.7393644,1,0.05,0.02660995,,false,unchanged,,true,
      kv-cache,f32,1,tg5 @ d64,decode tok/s,tok/s,497.7601,398.1684,10,10,0.7999204,0.7967431,0.8031119,1.082509e-05,8.660071e-05,0.05,0.02660995,,false,regressed,,true,
      naive,f32,1,,peak memory,MiB,50,50,1,1,1,,,,,0.02,0.04,,false,unchanged,,true,
      kv-cache,f32,1,,peak memory,MiB,50,50,1,1,1,,,,,0.02,0.04,,false,unchanged,,true,
      naive,f32,1,,"load, warm",ms,2.008,2.0082,5,5,0.9999004,0.993949,1.005899,0.6904762,1,0.2,0.0258375,,false,unchanged,,true,
      kv-cache,f32,1,,"load, warm",ms,2.008,2.0082,5,5,0.9999004,0.993949,1.005899,0.6904762,1,0.2,0.0258375,,false,unchanged,,true,

      """)
  }

  @Test func json() throws {
    let text = try comparison.json
    let document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    guard case .object(let members) = document, case .array(let rows)? = members["rows"],
      case .object(let thresholds)? = members["thresholds"], case .object(let base)? = members["base"]
    else {
      Issue.record("not an object with rows, thresholds and base")
      return
    }
    expectEqual(members["schema"], .integer(2))
    expectEqual(members["method"], .string("stored"))
    expectEqual(members["exitCode"], .integer(3))
    expectEqual(thresholds["decode"], .number(0.05))
    expectEqual(thresholds["memory"], .number(0.02))
    expectEqual(base["label"], .string("base.json"))
    expectEqual(base["commit"], .string("0123abc"))
    expectEqual(members["failures"], .array([.string("`simd8`: tiny: max abs error 0.5 > 1e-4")]))
    expectEqual(rows.count, 10)
    guard case .object(let row)? = rows.first(where: { $0.verdict == "regressed" }) else {
      Issue.record("no regressed row")
      return
    }
    expectEqual(row["variant"], .string("kv-cache"))
    expectEqual(row["test"], .string("tg5 @ d64"))
    expectEqual(row["metric"], .string("decode tok/s"))
    expectEqual(row["counts"], .bool(true))
    expectEqual(row["shareOfCeiling"], .bool(false))
    expectEqual(row["threshold"], .number(0.05))
    let figures: [String: Double] = [
      "ratio": 1.0045 / 1.0046 / 1.25, "p": 2.0 / 184_756, "pAdjusted": 16.0 / 184_756,
      "noiseFloor": 1 - 1.0009 / 1.0081 / 1.02,
    ]
    for (key, expected) in figures {
      guard case .number(let value)? = row[key] else {
        Issue.record("no \(key)")
        continue
      }
      #expect(abs(value - expected) < 1e-6)
    }
    expectNil(row["confirmed"])
    expectNil(row["smallestDetectable"])
  }

  /// What only an interleaved comparison has.
  @Test func anInterleavedComparisonShowsItsColumns() {
    let row = ComparisonRow(
      contestant: MeasuredVariant(variant: "packed", weights: "f32", threads: 2), test: Fixture.decode,
      metric: .decodeRate, base: 100, head: 80, baseSamples: 20, headSamples: 20, ratio: Figure(value: 0.8),
      pValue: 0.0001, adjustedPValue: 0.0002, noiseFloor: 0.0123, smallestDetectable: 0.021, threshold: 0.02,
      verdict: .regressed, isConfirmed: true)
    let side = ComparedSide(label: "other", version: "0.1.0", started: "2026-01-02T03:04:05Z", buildFlags: [])
    let comparison = Comparison(
      method: .interleaved, base: side, head: side, thresholds: Thresholds(speeds: 0.02), rows: [row],
      unmatched: [], failures: [], warnings: [], notes: ["A note."])
    let text = comparison.markdown
    #expect(text.hasPrefix("# Comparison of two builds\n\n**1 regressed.** A change counts from 2 %"))
    expectContains(
      text, "| noise floor | smallest detectable | confirmed |",
      "|       1.2 % |               2.1 % | yes       |",
      "\n- A note.\n- Base: other, gpt2-bench 0.1.0, run of 2026-01-02T03:04:05Z.\n")
    expectContains(comparison.csv, ",0.0001,0.0002,0.02,0.0123,0.021,false,regressed,true,true,")
  }
}

extension JSONValue {
  fileprivate var verdict: String? {
    guard case .object(let members) = self, case .string(let word)? = members["verdict"] else { return nil }
    return word
  }
}

struct ComparisonGitHubTests {
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
    expectEqual(lines[0], "<!-- gpt2-bench compare -->")
    expectEqual(lines[1], "### Performance of two runs")
    #expect(lines[2].hasPrefix("**1 regressed, 2 inconclusive, 7 unchanged.** A change counts from 5 %"))
    expectContains(parts.shown, "Failed its correctness check in head:\n\n- `simd8`: ")
    let rows = lines.filter { $0.hasPrefix("| ") }.dropFirst(2)
    expectEqual(rows.count, 3)
    expectEqual(rows.first?.hasPrefix("| **regressed** | `kv-cache` |"), true)
    #expect(rows.dropFirst().allSatisfy { $0.hasPrefix("| inconclusive ") && $0.contains("`naive`") })
  }

  @Test func theRestIsFolded() {
    for title in ["7 other rows", "Geometric means", "On one side only", "How to read it"] {
      expectContains(parts.folded, "<details><summary>\(title)</summary>\n\n")
    }
    expectEqual(parts.folded.ranges(of: "| unchanged ").count, 7)
    #expect(!parts.folded.contains("**regressed** |"))
  }

  @Test func annotationsNameTheRows() {
    let lines = comparison.gitHubAnnotations
    expectEqual(lines.count, 6)
    expectEqual(
      lines[0],
      "::notice title=Performance of two runs::1 regressed, 2 inconclusive, 7 unchanged. Exit code 3.")
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
    expectContains(comparison.gitHubComment, "**Nothing could be compared.**")
    expectEqual(comparison.gitHubAnnotations.count, 1)
  }
}

struct WorkflowCommandTests {
  @Test func whatWouldEndTheCommandIsEscaped() {
    let command = WorkflowCommand(level: .error, title: "100 %: a, b\r\nc", message: "100 %: a, b\r\nc")
    expectEqual(command.line, "::error title=100 %25%3A a%2C b%0D%0Ac::100 %25: a, b%0D%0Ac")
  }
}
