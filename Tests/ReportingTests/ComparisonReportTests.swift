import Foundation
import Testing

@testable import Reporting

@Suite struct ComparisonReportTests {
  /// `kv-cache` slowed down, another CPU, a failed check, and two variants that the base does not have.
  private var comparison: Comparison {
    var head = Fixture.troubled()
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: [2.4, 2.5, 2.6])
    head.cells.removeLast()
    head.machine.cpu = "Other CPU"
    return Comparison(base: Fixture.small(), head: head)
  }

  @Test func markdown() {
    #expect(
      comparison.markdown
        == """
        # Comparison of two runs

        > **Warning:** Not comparable: the CPU differs: base Example CPU, head Other CPU.
        >
        > **Warning:** The head record is incomplete.

        **1 regressed, 7 unchanged.** Threshold 5 %, exit code 3.

        Failed its correctness check in head:

        - `simd8`: tiny: max abs error 0.5 > 1e-4

        | verdict       | variant    | weights | threads | test      | metric        |  base |  head | unit  |    n | ratio, > 1 is better | 95 % CI        | remark                           |
        | ------------- | ---------- | ------- | ------: | --------- | ------------- | ----: | ----: | ----- | ---: | -------------------: | -------------- | -------------------------------- |
        | **regressed** | `kv-cache` | f32     |       1 | tg5 @ d64 | decode tok/s  | 476.2 | 400.0 | tok/s | 3, 3 |                0.840 | 0.769 to 0.917 |                                  |
        | unchanged     | `naive`    | f32     |       1 | pp64      | prefill tok/s |  1561 |  1561 | tok/s | 3, 3 |                1.000 | 0.952 to 1.050 | the same samples in both records |
        | unchanged     | `naive`    | f32     |       1 | pp64      | TTFT          | 42.00 | 42.00 | ms    | 3, 3 |                1.000 | 0.953 to 1.049 | the same samples in both records |
        | unchanged     | `naive`    | f32     |       1 | tg5 @ d64 | decode tok/s  | 47.62 | 47.62 | tok/s | 3, 3 |                1.000 | 0.909 to 1.100 | the same samples in both records |
        | unchanged     | `kv-cache` | f32     |       1 | pp64      | prefill tok/s |  6095 |  6095 | tok/s | 3, 3 |                1.000 | 0.909 to 1.100 | the same samples in both records |
        | unchanged     | `kv-cache` | f32     |       1 | pp64      | TTFT          | 11.50 | 11.50 | ms    | 3, 3 |                1.000 | 0.917 to 1.091 | the same samples in both records |
        | unchanged     | `naive`    | f32     |       1 |           | peak memory   | 50.00 | 50.00 | MiB   | 1, 1 |                1.000 |                |                                  |
        | unchanged     | `kv-cache` | f32     |       1 |           | peak memory   | 50.00 | 50.00 | MiB   | 1, 1 |                1.000 |                |                                  |
        | (unchanged)   | `naive`    | f32     |       1 |           | load, warm    | 1.250 | 1.250 | ms    | 1, 1 |                1.000 |                | one value a side, does not count |
        | (unchanged)   | `kv-cache` | f32     |       1 |           | load, warm    | 1.250 | 1.250 | ms    | 1, 1 |                1.000 |                | one value a side, does not count |

        | geometric mean of the ratios | ratio, > 1 is better | rows |
        | ---------------------------- | -------------------: | ---: |
        | decode tok/s                 |                0.917 |    2 |
        | prefill tok/s                |                1.000 |    2 |
        | TTFT                         |                1.000 |    2 |
        | peak memory                  |                1.000 |    2 |
        | load, warm                   |                1.000 |    2 |

        ## In one record only

        - `simd8` (1 thread) on tg5 @ d64: only in head
        - `threaded` (1 thread) on tg5 @ d64: only in head

        ## How to read it

        - **Ratio** = median time in base ÷ median time in head (of a rate: the head's ÷ the base's; of memory: base ÷ head). Above 1 the head is faster or smaller.
        - **CI** is the 95 % percentile bootstrap of that ratio; the two records are resampled apart (unpaired).
        - **regressed**: the whole interval is below 1 and the ratio below 0.950. **improved**: the whole interval is above 1 and the ratio above 1.053. **unchanged**: the interval lies within 0.950 to 1.053. Otherwise, and with fewer than 3 samples on a side, **inconclusive**. **failed**: the head has no figure, because it failed its correctness check.
        - Peak memory is one value a process, and the threshold alone judges it. A load time is one value too; it is shown and does not count.
        - Exit code: 3 where a row regressed, else 4 where a check failed in head, else 5 where a row is inconclusive or nothing could be compared, else 0.
        - Base: gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z. Head: gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z.

        """)
  }

  @Test func csv() {
    #expect(
      comparison.csv
        == """
        variant,weights,threads,test,metric,unit,base,head,base_samples,head_samples,ratio,ratio_ci_low,ratio_ci_high,verdict,counts,reason
        naive,f32,1,pp64,prefill tok/s,tok/s,1560.976,1560.976,3,3,1,0.952381,1.05,unchanged,true,the same samples in both records
        naive,f32,1,pp64,TTFT,ms,42,42,3,3,1,0.9534884,1.04878,unchanged,true,the same samples in both records
        naive,f32,1,tg5 @ d64,decode tok/s,tok/s,47.61905,47.61905,3,3,1,0.9090909,1.1,unchanged,true,the same samples in both records
        kv-cache,f32,1,pp64,prefill tok/s,tok/s,6095.238,6095.238,3,3,1,0.9090909,1.1,unchanged,true,the same samples in both records
        kv-cache,f32,1,pp64,TTFT,ms,11.5,11.5,3,3,1,0.9166667,1.090909,unchanged,true,the same samples in both records
        kv-cache,f32,1,tg5 @ d64,decode tok/s,tok/s,476.1905,400,3,3,0.84,0.7692308,0.9166667,regressed,true,
        naive,f32,1,,peak memory,MiB,50,50,1,1,1,,,unchanged,true,
        kv-cache,f32,1,,peak memory,MiB,50,50,1,1,1,,,unchanged,true,
        naive,f32,1,,"load, warm",ms,1.25,1.25,1,1,1,,,unchanged,false,"one value a side, does not count"
        kv-cache,f32,1,,"load, warm",ms,1.25,1.25,1,1,1,,,unchanged,false,"one value a side, does not count"

        """)
  }

  @Test func json() throws {
    let text = try comparison.json
    let document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    guard case .object(let members) = document, case .array(let rows)? = members["rows"] else {
      Issue.record("not an object with rows")
      return
    }
    #expect(members["exitCode"] == .integer(3))
    #expect(members["threshold"] == .number(0.05))
    #expect(members["failures"] == .array([.string("`simd8`: tiny: max abs error 0.5 > 1e-4")]))
    #expect(rows.count == 10)
    guard case .object(let row)? = rows.first(where: { $0.verdict == "regressed" }) else {
      Issue.record("no regressed row")
      return
    }
    #expect(row["variant"] == .string("kv-cache"))
    #expect(row["test"] == .string("tg5 @ d64"))
    #expect(row["metric"] == .string("decode tok/s"))
    #expect(row["ratio"] == .number(0.84))
    #expect(row["counts"] == .bool(true))
  }
}

extension JSONValue {
  fileprivate var verdict: String? {
    guard case .object(let members) = self, case .string(let word)? = members["verdict"] else { return nil }
    return word
  }
}
