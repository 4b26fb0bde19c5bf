import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// Exact text, so that a change of the report is a diff that a reviewer reads.
struct MarkdownReportTests {
  @Test func aSmallRunWhole() {
    expectEqual(
      RunReport(Fixture.small()).markdown,
      """
      # synthetic:tiny on Example CPU

      **`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476 ± 24 tok/s.** It is 10.0 times as fast as `naive`. It reaches 2.86 % of what memory (DRAM) allows: a better kernel could be up to 35.0 times as fast. A token comes every 2.10 ms; one in a hundred takes over 2.20 ms.

      **`kv-cache` (1 thread) is fastest at prefill (`pp64`): 6100 ± 300 tok/s.** It is 3.90 times as fast as `naive`. It reaches 19.0 % of what arithmetic allows: a better kernel could be up to 5.25 times as fast. The first token comes after 11.5 ms.

      2 of 2 variants passed every correctness check.

      ## Every cell

      | variant  | weights | threads | test      | TTFT ms | prefill tok/s ± CI | decode tok/s ± CI | TPOT ms | ITL p50 / p90 / p99 ms | % of the roofline | roof          | peak memory MiB | speed against naive | samples | check |
      | -------- | ------- | ------: | --------- | ------: | -----------------: | ----------------: | ------: | ---------------------: | ----------------: | ------------- | --------------: | ------------------: | ------: | ----- |
      | kv-cache | f32     |       1 | tg5 @ d64 |         |                    |          476 ± 24 |    2.10 |  2.100 / 2.200 / 2.200 |             2.857 | memory (DRAM) |           50.00 |               10.0× |       3 | pass  |
      | naive    | f32     |       1 | tg5 @ d64 |         |                    |        47.6 ± 2.4 |    21.0 |  21.00 / 22.00 / 22.00 |            0.2857 | memory (DRAM) |           50.00 |               1.00× |       3 | pass  |
      | kv-cache | f32     |       1 | pp64      |   11.50 |         6100 ± 300 |                   |         |                        |             19.05 | compute       |           50.00 |               3.90× |       3 | pass  |
      | naive    | f32     |       1 | pp64      |    42.0 |          1561 ± 39 |                   |         |                        |             4.878 | compute       |           50.00 |               1.00× |       3 | pass  |

      ## Correctness

      2 of 2 variants passed every correctness check.

      <details><summary>2 checks, each variant against each reference</summary>

      | variant    | checks | max abs error | tolerance | nearest to its tolerance | argmax agreement | verdict |
      | ---------- | -----: | ------------: | --------: | ------------------------ | ---------------: | ------- |
      | `naive`    |      1 |       1.5e-06 |   1.0e-04 | tiny                     |          128/128 | pass    |
      | `kv-cache` |      1 |       1.5e-06 |   1.0e-04 | tiny                     |          128/128 | pass    |

      </details>

      ## Conditions

      <details><summary>The machine, the build and the model</summary>

      - **CPU:** Example CPU, 2 logical cores
      - **Extensions:** avx2 fma
      - **Caches:** L1d 32 KiB, L2 1 MiB
      - **Memory:** 8.00 GiB
      - **System:** Linux 6.1 x86_64
      - **Build:** gpt2-bench 0.1.0, release, Swift 6.3
      - **CPU flag:** `-march=x86-64-v3`, float vectors of up to 256 bits
      - **Commit:** 0123abc
      - **Model:** synthetic:tiny: 2 layers, 4 heads, 64 channels, vocabulary 512, context 128, 140928 parameters, weights 0.5376 MiB; TTFT starts at token ids
      - **Started:** 2026-01-02T03:04:05Z
      - **Finished:** 2026-01-02T03:05:05Z
      - **At most, 1 thread:** 100.0 GFLOP/s of float32 FMA, reads of DRAM 10.0 GB/s

      </details>

      <details><summary>How samples were taken</summary>

      - Contestants took turns in 3 rounds. Each round had a fresh random order of the variants, which ran one at a time, each in a process of its own.
      - Samples of a cell: 3 wanted, 3 taken. A variant stopped early when it had spent 20 s on a cell; its row then has `3 of 10`.
      - Warm-up before the first sample of a cell, not kept: one execution.
      - Seed of the order and of the inputs: 42. Suite: `quick`.
      - Durations come from a monotonic clock; every raw sample is in `record.json` and `samples.csv`.

      </details>

      ### Repeat it

      ```
      gpt2-bench all --model synthetic:tiny
      ```

      `report.html` has the charts and all figures, `results.csv`, `samples.csv` and `profile.csv` the same for programs.

      ## What the words mean

      - **Tests.** `pp64`: a prompt of 64 tokens. `tg32 @ d64`: 32 new tokens after a prompt of 64. `b4`: four texts at once.
      - **TTFT**: the time to the first token. **Prefill**: tokens of the prompt ÷ the time of its pass. **Decode**: new tokens after the first ÷ their time. **TPOT**: time per output token. **ITL**: the gaps between tokens, of all samples.
      - **% of the roofline**: the least time that this machine's ceilings allow ÷ the time that it took. **Roof**: what sets that least time, compute or the named memory.
      - **Speed against naive**: `naive`'s time ÷ the row's. **Peak memory**: the most that the process had resident.
      - **A figure** is a median, in the digits that its 95 % interval supports. ± is that interval; where its ends are not as far from the median, they stand in parentheses. An empty field: there is no figure.
      - **Samples**: `3 of 10` means that the cell had used up its time before it had all of them.

      [reports/README.md](../README.md#definitions) has every formula, and says how it is measured.

      """)
  }

  @Test func anInterruptedRunOpensWithItsTroubles() {
    expectEqual(
      opening(RunReport(Fixture.troubled()).markdown, before: "## Correctness"),
      """
      # synthetic:tiny on Example CPU

      > **Warning:** The run is incomplete: 6 of 7 cells done.
      >
      > **Warning:** The build is a debug build.

      **`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476 ± 24 tok/s.** It is 10.0 times as fast as `naive`. It reaches 2.86 % of what memory (DRAM) allows: a better kernel could be up to 35.0 times as fast. A token comes every 2.10 ms; one in a hundred takes over 2.20 ms.

      **`kv-cache` (1 thread) is fastest at prefill (`pp64`): 6100 ± 300 tok/s.** It is 3.90 times as fast as `naive`. It reaches 19.0 % of what arithmetic allows: a better kernel could be up to 5.25 times as fast. The first token comes after 11.5 ms.

      FAILED its correctness check: `simd8` (tiny: max abs error 0.5 > 1e-4). Not checked: `threaded`, `tiled`. 2 of 5 variants passed every correctness check.

      - `simd8` (1 thread) has no figures on tg5 @ d64: failed its correctness check: max abs error 0.5 > 1e-4
      - `threaded` (1 thread) has no figures on tg5 @ d64: its process hung: no answer | in 60 s

      ## Every cell

      | variant  | weights | threads | test      | TTFT ms | prefill tok/s ± CI | decode tok/s ± CI | TPOT ms | ITL p50 / p90 / p99 ms | % of the roofline | roof          | peak memory MiB | speed against naive | samples | check   |
      | -------- | ------- | ------: | --------- | ------: | -----------------: | ----------------: | ------: | ---------------------: | ----------------: | ------------- | --------------: | ------------------: | ------: | ------- |
      | kv-cache | f32     |       1 | tg5 @ d64 |         |                    |          476 ± 24 |    2.10 |  2.100 / 2.200 / 2.200 |             2.857 | memory (DRAM) |           50.00 |               10.0× |       3 | pass    |
      | naive    | f32     |       1 | tg5 @ d64 |         |                    |        47.6 ± 2.4 |    21.0 |  21.00 / 22.00 / 22.00 |            0.2857 | memory (DRAM) |           50.00 |               1.00× |       3 | pass    |
      | simd8    | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |                 |                     |         | FAIL    |
      | threaded | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |                 |                     |         | hung    |
      | tiled    | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |           50.00 |                     |         | pending |
      | kv-cache | f32     |       1 | pp64      |   11.50 |         6100 ± 300 |                   |         |                        |             19.05 | compute       |           50.00 |               3.90× |       3 | pass    |
      | naive    | f32     |       1 | pp64      |    42.0 |          1561 ± 39 |                   |         |                        |             4.878 | compute       |           50.00 |               1.00× |       3 | pass    |
      """)
  }

  @Test func aGemmRunOpensWithAnAnswerPerShape() {
    expectEqual(
      opening(RunReport(Fixture.gemm()).markdown, before: "## Conditions"),
      """
      # GEMM on Example CPU

      **`simd8` (1 thread) is fastest on `1x100x200`: 9.524 GFLOP/s.** It is 5.00 times as fast as `naive`. Memory (DRAM) limits it: it is as fast as the measured limit allows (193.3 %).

      **`naive` (1 thread) is fastest on `64x100x200`: 2.000 GFLOP/s.** It reaches 2.00 % of what arithmetic allows: a better kernel could be up to 50.0 times as fast.

      FAILED its correctness check: `simd8` (64x100x200: max abs error 0.5 > 1e-4). 1 of 2 variants passed every correctness check.

      - `simd8` (1 thread) has no figures on 64x100x200: failed its correctness check: 64x100x200: max abs error 0.5 > 1e-4

      ## Every cell

      | variant |   M |   K |   N | threads |  ms (median) ± CI | GFLOP/s |   GB/s | % of the roofline | roof          | max error | check | speed against naive | samples |
      | ------- | --: | --: | --: | ------: | ----------------: | ------: | -----: | ----------------: | ------------- | --------: | ----- | ------------------: | ------: |
      | simd8   |   1 | 100 | 200 |       1 | 0.00420 ± 0.00020 |   9.524 |  19.33 |             193.3 | memory (DRAM) |   1.5e-06 | pass  |               5.00× |       3 |
      | naive   |   1 | 100 | 200 |       1 |   0.0210 ± 0.0010 |   1.905 |  3.867 |             38.67 | memory (DRAM) |   1.5e-06 | pass  |               1.00× |       3 |
      | naive   |  64 | 100 | 200 |       1 |     1.280 ± 0.000 |   2.000 | 0.1225 |             2.000 | compute       |   1.5e-06 | pass  |               1.00× |       3 |
      | simd8   |  64 | 100 | 200 |       1 |                   |         |        |                   |               |   5.0e-01 | FAIL  |                     |         |

      Above 100 % of a roof: `simd8` (1 thread) on 1x100x200 (193 %). The roof was measured too low, or in a worse moment than the samples. (What the first-level cache holds has the second level's roof: the first is not measured.)

      ## Correctness

      FAILED its correctness check: `simd8` (64x100x200: max abs error 0.5 > 1e-4). 1 of 2 variants passed every correctness check.

      <details open><summary>4 checks, each variant against each reference</summary>

      | variant | checks | max abs error | tolerance | nearest to its tolerance | argmax agreement | verdict                                    |
      | ------- | -----: | ------------: | --------: | ------------------------ | ---------------: | ------------------------------------------ |
      | `naive` |      2 |       1.5e-06 |   1.0e-04 | 1x100x200                |                  | pass                                       |
      | `simd8` |      2 |       5.0e-01 |   1.0e-04 | 64x100x200               |                  | FAIL: 64x100x200: max abs error 0.5 > 1e-4 |

      </details>
      """)
  }

  @Test func aRunWithoutCellsSaysSo() {
    let text = RunReport(Fixture.record()).markdown
    expectContains(
      text, "\n\nNo variant has a figure.\n\n", "No variant was checked against a reference in this run.")
    #expect(!text.contains("## Every cell"))
  }

  @Test func everyVariantFailedLeavesNoSpeed() {
    var record = Fixture.small()
    record.correctness = [Fixture.failedCheck("naive"), Fixture.failedCheck("kv-cache")]
    let text = RunReport(record).markdown
    expectContains(text, "No variant has a figure. FAILED its correctness check: `naive` (tiny: max abs")
    #expect(!text.contains("is fastest"))
    #expect(!text.contains("Work and roofline"))
  }

  @Test func promptsAloneAreRankedByPrefill() {
    let record = Fixture.record(cells: [Fixture.prefillCell("naive", milliseconds: [40, 42, 41])])
    expectContains(
      RunReport(record).markdown,
      "**`naive` (1 thread) is fastest at prefill (`pp64`): 1561 ± 39 tok/s.** It reaches ")
  }

  @Test(arguments: [
    ("-p", "-p"), ("64,512", "64,512"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$x", "'$x'"),
  ])
  func theCommandCanBePasted(argument: String, word: String) {
    expectEqual(shellWord(argument), word)
  }

  private func opening(_ text: String, before heading: String) -> String {
    guard let end = text.firstRange(of: "\n\n" + heading)?.lowerBound else { return text }
    return String(text[..<end])
  }
}

struct CSVReportTests {
  @Test func oneRowACellAndNothingWhereThereIsNoFigure() {
    expectEqual(
      CSVReport(Fixture.troubled()).results,
      """
      variant,weights,threads,test,prompt_tokens,new_tokens,batch,status,check,samples,ttft_ms,ttft_ms_ci_low,ttft_ms_ci_high,prefill_ms,prefill_ms_ci_low,prefill_ms_ci_high,prefill_tok_per_s,prefill_tok_per_s_ci_low,prefill_tok_per_s_ci_high,decode_tok_per_s,decode_tok_per_s_ci_low,decode_tok_per_s_ci_high,decode_tok_per_s_per_user,decode_tok_per_s_per_user_ci_low,decode_tok_per_s_per_user_ci_high,tpot_ms,tpot_ms_ci_low,tpot_ms_ci_high,itl_p50_ms,itl_p90_ms,itl_p99_ms,speed_against_naive,speed_against_naive_ci_low,speed_against_naive_ci_high,gflop_per_s,gb_per_s,flop_per_byte,roofline_percent,roof,memory_gb_per_s,memory_percent,peak_memory_mib,kv_cache_mib,memory_before_load_mib,load_cold_ms,load_warm_ms,load_to_first_token_ms,load_to_first_token_ms_ci_low,load_to_first_token_ms_ci_high,load_samples,drift,instructions,cycles,cache_misses,message
      naive,f32,1,pp64,64,1,1,measured,pass,3,42,41,43,41,40,42,1560.976,1523.81,1600,,,,,,,,,,,,,1,,,4.878049,0.01463415,333.3333,4.878049,compute,,,50,,,3.5,1.25,,,,,,,,,
      naive,f32,1,tg5 @ d64,64,5,1,measured,pass,3,,,,,,,,,,47.61905,45.45455,50,47.61905,45.45455,50,21,20,22,21,22,22,1,,,0.1904762,0.02857143,6.666667,0.2857143,memory (DRAM),,,50,,,3.5,1.25,,,,,,,,,
      kv-cache,f32,1,pp64,64,1,1,measured,pass,3,11.5,11,12,10.5,10,11,6095.238,5818.182,6400,,,,,,,,,,,,,3.904762,3.636364,4.2,19.04762,0.05714286,333.3333,19.04762,compute,,,50,,,3.5,1.25,,,,,,,,,
      kv-cache,f32,1,tg5 @ d64,64,5,1,measured,pass,3,,,,,,,,,,476.1905,454.5455,500,476.1905,454.5455,500,2.1,2,2.2,2.1,2.2,2.2,10,9.090909,11,1.904762,0.2857143,6.666667,2.857143,memory (DRAM),,,50,,,3.5,1.25,,,,,,,,,one sample lost
      simd8,f32,1,tg5 @ d64,64,5,1,failed-check,FAIL,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,max abs error 0.5 > 1e-4
      threaded,f32,1,tg5 @ d64,64,5,1,hung,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,no answer | in 60 s
      tiled,f32,1,tg5 @ d64,64,5,1,pending,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,50,,,3.5,1.25,,,,,,,,,

      """)
  }

  @Test func gemmsHaveTheirShapeInColumns() {
    expectEqual(
      CSVReport(Fixture.gemm()).results,
      """
      variant,weights,m,k,n,threads,status,check,samples,ms,ms_ci_low,ms_ci_high,gflop_per_s,gb_per_s,flop_per_byte,roofline_percent,roof,speed_against_naive,speed_against_naive_ci_low,speed_against_naive_ci_high,max_abs_error,drift,instructions,cycles,cache_misses,message
      naive,f32,1,100,200,1,measured,pass,3,0.021,0.02,0.022,1.904762,3.866667,0.4926108,38.66667,memory (DRAM),1,,,1.5e-06,,,,,
      simd8,f32,1,100,200,1,measured,pass,3,0.0042,0.004,0.0044,9.52381,19.33333,0.4926108,193.3333,memory (DRAM),5,4.545455,5.5,1.5e-06,,,,,
      naive,f32,64,100,200,1,measured,pass,3,1.28,1.28,1.28,2,0.1225,16.32653,2,compute,1,,,1.5e-06,,,,,
      simd8,f32,64,100,200,1,failed-check,FAIL,,,,,,,,,,,,,0.5,,,,,64x100x200: max abs error 0.5 > 1e-4

      """)
  }

  @Test func everyRawSample() {
    expectEqual(
      CSVReport(Fixture.small()).samples,
      """
      variant,weights,threads,test,status,round,sequence,elapsed_ns,iterations,prefill_ns,memory_gb_per_s,token_ns
      naive,f32,1,pp64,measured,0,0,41000000,1,40000000,,41000000
      naive,f32,1,pp64,measured,1,1,43000000,1,42000000,,43000000
      naive,f32,1,pp64,measured,2,2,42000000,1,41000000,,42000000
      naive,f32,1,tg5 @ d64,measured,0,0,92000000,1,11000000,,12000000 32000000 52000000 72000000 92000000
      naive,f32,1,tg5 @ d64,measured,1,1,100000000,1,11000000,,12000000 34000000 56000000 78000000 100000000
      naive,f32,1,tg5 @ d64,measured,2,2,96000000,1,11000000,,12000000 33000000 54000000 75000000 96000000
      kv-cache,f32,1,pp64,measured,0,0,11000000,1,10000000,,11000000
      kv-cache,f32,1,pp64,measured,1,1,11500000,1,10500000,,11500000
      kv-cache,f32,1,pp64,measured,2,2,12000000,1,11000000,,12000000
      kv-cache,f32,1,tg5 @ d64,measured,0,0,20000000,1,11000000,,12000000 14000000 16000000 18000000 20000000
      kv-cache,f32,1,tg5 @ d64,measured,1,1,20400000,1,11000000,,12000000 14100000 16200000 18300000 20400000
      kv-cache,f32,1,tg5 @ d64,measured,2,2,20800000,1,11000000,,12000000 14200000 16400000 18600000 20800000

      """)
  }

  @Test func everyRowHasAsManyFieldsAsThereAreNames() {
    for kind in [Record.Kind.endToEnd, .matmul, .operations] {
      var record = Fixture.troubled()
      record.kind = kind
      let counts = CSVReport(record).results.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).count
      }
      expectEqual(Set(counts).count, 1)
      let names = record.csvColumns.flatMap(\.fields)
      expectEqual(Set(names).count, names.count)
    }
  }
}
