import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// Exact text, so that a change of the report is a diff that a reviewer reads.
@Suite struct MarkdownReportTests {
  @Test func aSmallRunWhole() {
    #expect(
      RunReport(Fixture.small()).markdown
        == """
        # synthetic:tiny on Example CPU

        **`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476.2 ± 23.8 tok/s, 10.0× `naive`.** 2 of 2 variants passed every correctness check.

        | variant    | threads | decode tok/s ± CI, `tg5 @ d64` |                          | against naive | prefill tok/s ± CI, `pp64` | against naive | check |
        | ---------- | ------: | -----------------------------: | ------------------------ | ------------: | -------------------------: | ------------: | ----- |
        | `kv-cache` |       1 |                   476.2 ± 23.8 | ████████████████████████ |         10.0× |                 6095 ± 305 |         3.90× | pass  |
        | `naive`    |       1 |                   47.62 ± 2.38 | ██▍                      |         1.00× |                  1561 ± 39 |         1.00× | pass  |

        ## Every cell

        | variant  | weights | threads | test      | TTFT ms | prefill tok/s ± CI | decode tok/s ± CI | TPOT ms | ITL p50 / p90 / p99 ms | % of the roofline | roof          | peak memory MiB | speed against naive | samples | check |
        | -------- | ------- | ------: | --------- | ------: | -----------------: | ----------------: | ------: | ---------------------: | ----------------: | ------------- | --------------: | ------------------: | ------: | ----- |
        | kv-cache | f32     |       1 | tg5 @ d64 |         |                    |      476.2 ± 23.8 |   2.100 |  2.100 / 2.200 / 2.200 |             2.857 | memory (DRAM) |           50.00 |               10.0× |       3 | pass  |
        | naive    | f32     |       1 | tg5 @ d64 |         |                    |      47.62 ± 2.38 |   21.00 |  21.00 / 22.00 / 22.00 |            0.2857 | memory (DRAM) |           50.00 |               1.00× |       3 | pass  |
        | kv-cache | f32     |       1 | pp64      |   11.50 |         6095 ± 305 |                   |         |                        |             19.05 | compute       |           50.00 |               3.90× |       3 | pass  |
        | naive    | f32     |       1 | pp64      |   42.00 |          1561 ± 39 |                   |         |                        |             4.878 | compute       |           50.00 |               1.00× |       3 | pass  |

        ## Decode speed by position

        Decode tok/s over ranges of positions. The new token with index i takes the position depth + i. A variant that recomputes the whole sequence gets slower as the sequence grows; one with a KV cache hardly does.

        | `tg5 @ d64` | threads |    65 |    66 |    67 |    68 |
        | ----------- | ------: | ----: | ----: | ----: | ----: |
        | `kv-cache`  |       1 | 476.2 | 476.2 | 476.2 | 476.2 |
        | `naive`     |       1 | 47.62 | 47.62 | 47.62 | 47.62 |

        ## Work and roofline

        | variant  | threads | test      | GFLOP/s |    GB/s | FLOP/B | % of the roofline | roof          |
        | -------- | ------: | --------- | ------: | ------: | -----: | ----------------: | ------------- |
        | kv-cache |       1 | tg5 @ d64 |   1.905 |  0.2857 |  6.667 |             2.857 | memory (DRAM) |
        | naive    |       1 | tg5 @ d64 |  0.1905 | 0.02857 |  6.667 |            0.2857 | memory (DRAM) |
        | kv-cache |       1 | pp64      |   19.05 | 0.05714 |  333.3 |             19.05 | compute       |
        | naive    |       1 | pp64      |   4.878 | 0.01463 |  333.3 |             4.878 | compute       |

        ## Correctness

        | variant    | threads | reference | max abs error | tolerance |    NMSE | argmax agreement | verdict |
        | ---------- | ------: | --------- | ------------: | --------: | ------: | ---------------: | ------- |
        | `naive`    |       1 | tiny      |       1.5e-06 |   1.0e-04 | 2.5e-13 |          128/128 | pass    |
        | `kv-cache` |       1 | tiny      |       1.5e-06 |   1.0e-04 | 2.5e-13 |          128/128 | pass    |

        ## Loading and memory

        | variant  | weights | threads | load, cold ms | load, warm ms | peak memory MiB |
        | -------- | ------- | ------: | ------------: | ------------: | --------------: |
        | kv-cache | f32     |       1 |         3.500 |         1.250 |           50.00 |
        | naive    | f32     |       1 |         3.500 |         1.250 |           50.00 |

        Each variant ran in a process of its own. The peak is the largest size of the resident set. All processes share the pages of the memory-mapped weights file, and the peak of every process counts them. Before a cold load, the file's pages were dropped from the page cache; before a warm load, they were not.

        ## How it was measured

        ### Definitions

        - **Tests.** `pp64` is a prompt of 64 tokens, then one new token. `tg32 @ d64` is 32 new tokens after a prompt of 64 tokens: that is the depth at which decoding starts. `b4` is a batch of four sequences.
        - **TTFT** (time to first token) = t(first token available) − t(request start). It includes tokenization, prefill and sampling, but not loading. `ttft_ms` is end to end; `prefill_ms` is the forward pass only. All sequences of a batch get their first tokens together.
        - **TPOT** (time per output token) = (E2E − TTFT)/(N−1) for N > 1 new tokens, where E2E is the time of the whole request. **ITL** (inter-token latency) = the list of gaps between tokens, of all samples together. p50, p90 and p99 are its type-7 quantiles.
        - **Decode tok/s** = (N−1)/(t_last − t_first) for N new tokens, times B for a batch of B sequences. llama-bench's tg counts all N tokens.
        - **Decode per user** = the same for one of the B sequences. **KV caches** = the keys and values that all sequences keep by the end of the test: 2 · layers · channels float32 values for each input token.
        - **Prefill tok/s** = P / prefill time for a prompt of P tokens, times B for a batch of B. It is total tokens over total time, not a mean of rates.
        - **GFLOP/s** and **GB/s** = operations and compulsory bytes of the prompt's pass, or of one average decode step, ÷ its time. Compulsory bytes count each weight and each cached value once.
        - **% of the roofline** = 100 · achieved / min(P_peak, AI · BW), where AI = FLOPs / compulsory bytes (Williams, Waterman and Patterson 2009). P_peak is this machine's compute peak. BW is the bandwidth of the nearest memory level that holds the bytes. Both were measured in this run with as many threads. **Roof** names the lower of the two limits: compute, or that memory level.
        - **Memory GB/s** = what memory gave to the same threads in short reads of the weights, right before and right after each sample of decoding. **% of memory** = compulsory bytes of a step ÷ its time ÷ that rate. Both are medians over the samples; they are given where the weights are larger than caches.
        - **Peak memory** = the process's peak resident set size (`ru_maxrss` or `VmHWM`) by the end of its cells.
        - **Speed against naive** = `naive`'s median time ÷ the row's, on the same test (prefill time, decode step, GEMM or operation). It takes `naive` with as many threads where that was measured, else with its fewest.
        - Every figure is a median over n samples, or a rate that is total tokens ÷ the median time. The interval is the 95 % percentile bootstrap of the median (2000 resamples, fixed seed). It is given from 3 samples on. Where memory was read beside the samples, the interval of a prompt's and a token's time also holds what the machine itself changed by: log t(block) = log t + m · memory(block) + (1 − m) · clock(block) + noise, for up to 5 blocks of the run's rounds. m is the share of the time that the bytes took at memory's rate, clock that of a fixed loop. The half of a 95 % prediction interval of one more block is added by squares. ± is the distance from the median to the interval's farther end. An empty field means that there is no figure.

        ### Sampling

        - Contestants took turns in 3 rounds. Each round had a fresh random order of the variants, which ran one at a time, each in a process of its own.
        - Samples of a cell: 3 wanted, 3 taken. A variant stopped early when it had spent 20.00 s on a cell.
        - Warm-up before the first sample of a cell, not kept: one execution.
        - Seed of the order and of the inputs: 42. Suite: `quick`.
        - Durations come from a monotonic clock; every raw sample is in `record.json` and `samples.csv`.

        ### Repeat it

        ```
        gpt2-bench all --model synthetic:tiny
        ```

        ## Machine, build and ceilings

        |            |                                                                                                                                              |
        | ---------- | -------------------------------------------------------------------------------------------------------------------------------------------- |
        | CPU        | Example CPU, 2 logical cores                                                                                                                 |
        | Extensions | avx2 fma                                                                                                                                     |
        | Caches     | L1d 32 KiB, L2 1 MiB                                                                                                                         |
        | Memory     | 8.00 GiB                                                                                                                                     |
        | System     | Linux 6.1 x86_64                                                                                                                             |
        | Build      | gpt2-bench 0.1.0, release, Swift 6.3                                                                                                         |
        | CPU flag   | `-march=x86-64-v3`, float vectors of up to 256 bits                                                                                          |
        | Commit     | 0123abc                                                                                                                                      |
        | Model      | synthetic:tiny: 2 layers, 4 heads, 64 channels, vocabulary 512, context 128, 140928 parameters, weights 0.5376 MiB; TTFT starts at token ids |
        | Started    | 2026-01-02T03:04:05Z                                                                                                                         |
        | Finished   | 2026-01-02T03:05:05Z                                                                                                                         |

        | threads | ceiling      | unit    |  roof | a thread | median |  best |   n | working set | read as |
        | ------: | ------------ | ------- | ----: | -------: | -----: | ----: | --: | ----------: | ------- |
        |       1 | FMA, float32 | GFLOP/s | 100.0 |    100.0 |        | 100.0 |     |             |         |
        |       1 | DRAM read    | GB/s    | 10.00 |    10.00 |        | 10.00 |     |             |         |

        - The roof is the best of several short trials before and after the rounds.

        """)
  }

  @Test func anInterruptedRunOpensWithItsTroubles() {
    #expect(
      opening(RunReport(Fixture.troubled()).markdown, before: "## Decode speed")
        == """
        # synthetic:tiny on Example CPU

        > **Warning:** The run is incomplete: 6 of 7 cells done.
        >
        > **Warning:** The build is a debug build.

        **`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476.2 ± 23.8 tok/s, 10.0× `naive`.** FAILED its correctness check: `simd8` (tiny: max abs error 0.5 > 1e-4). Not checked: `threaded`, `tiled`. 2 of 5 variants passed every correctness check.

        - `simd8` (1 thread) has no figures on tg5 @ d64: failed its correctness check: max abs error 0.5 > 1e-4
        - `threaded` (1 thread) has no figures on tg5 @ d64: its process hung: no answer | in 60 s

        | variant    | threads | decode tok/s ± CI, `tg5 @ d64` |                          | against naive | prefill tok/s ± CI, `pp64` | against naive | check |
        | ---------- | ------: | -----------------------------: | ------------------------ | ------------: | -------------------------: | ------------: | ----- |
        | `kv-cache` |       1 |                   476.2 ± 23.8 | ████████████████████████ |         10.0× |                 6095 ± 305 |         3.90× | pass  |
        | `naive`    |       1 |                   47.62 ± 2.38 | ██▍                      |         1.00× |                  1561 ± 39 |         1.00× | pass  |

        ## Every cell

        | variant  | weights | threads | test      | TTFT ms | prefill tok/s ± CI | decode tok/s ± CI | TPOT ms | ITL p50 / p90 / p99 ms | % of the roofline | roof          | peak memory MiB | speed against naive | samples | check   |
        | -------- | ------- | ------: | --------- | ------: | -----------------: | ----------------: | ------: | ---------------------: | ----------------: | ------------- | --------------: | ------------------: | ------: | ------- |
        | kv-cache | f32     |       1 | tg5 @ d64 |         |                    |      476.2 ± 23.8 |   2.100 |  2.100 / 2.200 / 2.200 |             2.857 | memory (DRAM) |           50.00 |               10.0× |       3 | pass    |
        | naive    | f32     |       1 | tg5 @ d64 |         |                    |      47.62 ± 2.38 |   21.00 |  21.00 / 22.00 / 22.00 |            0.2857 | memory (DRAM) |           50.00 |               1.00× |       3 | pass    |
        | simd8    | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |                 |                     |         | FAIL    |
        | threaded | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |                 |                     |         | hung    |
        | tiled    | f32     |       1 | tg5 @ d64 |         |                    |                   |         |                        |                   |               |           50.00 |                     |         | pending |
        | kv-cache | f32     |       1 | pp64      |   11.50 |         6095 ± 305 |                   |         |                        |             19.05 | compute       |           50.00 |               3.90× |       3 | pass    |
        | naive    | f32     |       1 | pp64      |   42.00 |          1561 ± 39 |                   |         |                        |             4.878 | compute       |           50.00 |               1.00× |       3 | pass    |
        """)
  }

  @Test func aGemmRunOpensWithAnAnswerPerShape() {
    #expect(
      opening(RunReport(Fixture.gemm()).markdown, before: "### Definitions")
        == """
        # GEMM on Example CPU

        **`simd8` (1 thread) is fastest on `1x100x200`: 9.524 GFLOP/s, 5.00× `naive`.** **`naive` (1 thread) is fastest on `64x100x200`: 2.000 GFLOP/s.** FAILED its correctness check: `simd8` (64x100x200: max abs error 0.5 > 1e-4). 1 of 2 variants passed every correctness check.

        - `simd8` (1 thread) has no figures on 64x100x200: failed its correctness check: 64x100x200: max abs error 0.5 > 1e-4

        | variant | threads | GFLOP/s, `1x100x200` |                          | against naive | check |
        | ------- | ------: | -------------------: | ------------------------ | ------------: | ----- |
        | `simd8` |       1 |                9.524 | ████████████████████████ |         5.00× | pass  |
        | `naive` |       1 |                1.905 | ████▊                    |         1.00× | pass  |

        | variant | threads | GFLOP/s, `64x100x200` |                          | against naive | check |
        | ------- | ------: | --------------------: | ------------------------ | ------------: | ----- |
        | `naive` |       1 |                 2.000 | ████████████████████████ |         1.00× | pass  |

        ## Every cell

        | variant |   M |   K |   N | threads |    ms (median) ± CI | GFLOP/s |   GB/s | % of the roofline | roof          | max error | check | speed against naive | samples |
        | ------- | --: | --: | --: | ------: | ------------------: | ------: | -----: | ----------------: | ------------- | --------: | ----- | ------------------: | ------: |
        | simd8   |   1 | 100 | 200 |       1 | 0.004200 ± 0.000200 |   9.524 |  19.33 |             193.3 | memory (DRAM) |   1.5e-06 | pass  |               5.00× |       3 |
        | naive   |   1 | 100 | 200 |       1 |   0.02100 ± 0.00100 |   1.905 |  3.867 |             38.67 | memory (DRAM) |   1.5e-06 | pass  |               1.00× |       3 |
        | naive   |  64 | 100 | 200 |       1 |       1.280 ± 0.000 |   2.000 | 0.1225 |             2.000 | compute       |   1.5e-06 | pass  |               1.00× |       3 |
        | simd8   |  64 | 100 | 200 |       1 |                     |         |        |                   |               |   5.0e-01 | FAIL  |                     |         |

        Above 100 % of a roof: `simd8` (1 thread) on 1x100x200 (193 %). The roof was measured too low, or in a worse moment than the samples. (What the first-level cache holds has the second level's roof: the first is not measured.)

        ## Correctness

        | variant | threads | reference  | max abs error | tolerance |    NMSE | verdict                        |
        | ------- | ------: | ---------- | ------------: | --------: | ------: | ------------------------------ |
        | `naive` |       1 | 1x100x200  |       1.5e-06 |   1.0e-04 | 2.5e-13 | pass                           |
        | `naive` |       1 | 64x100x200 |       1.5e-06 |   1.0e-04 | 2.5e-13 | pass                           |
        | `simd8` |       1 | 1x100x200  |       1.5e-06 |   1.0e-04 | 2.5e-13 | pass                           |
        | `simd8` |       1 | 64x100x200 |       5.0e-01 |   1.0e-04 | 1.0e-02 | FAIL: max abs error 0.5 > 1e-4 |

        ## How it was measured
        """)
  }

  @Test func aRunWithoutCellsSaysSo() {
    let text = RunReport(Fixture.record()).markdown
    #expect(text.contains("\n\nNo variant has a figure.\n\n"))
    #expect(text.contains("No variant was checked against a reference in this run."))
    #expect(!text.contains("## Every cell"))
  }

  @Test func everyVariantFailedLeavesNoSpeed() {
    var record = Fixture.small()
    record.correctness = [Fixture.failedCheck("naive"), Fixture.failedCheck("kv-cache")]
    let text = RunReport(record).markdown
    #expect(text.contains("No variant has a figure. FAILED its correctness check: `naive` (tiny: max abs"))
    #expect(!text.contains("is fastest"))
    #expect(!text.contains("Work and roofline"))
  }

  @Test func promptsAloneAreRankedByPrefill() {
    let record = Fixture.record(cells: [Fixture.prefillCell("naive", milliseconds: [40, 42, 41])])
    #expect(
      RunReport(record).markdown.contains(
        "**`naive` (1 thread) is fastest at prefill (`pp64`): 1561 ± 39 tok/s.** Not checked: `naive`."))
  }

  @Test(arguments: [
    ("-p", "-p"), ("64,512", "64,512"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$x", "'$x'"),
  ])
  func theCommandCanBePasted(argument: String, word: String) {
    #expect(shellWord(argument) == word)
  }

  private func opening(_ text: String, before heading: String) -> String {
    guard let end = text.firstRange(of: "\n\n" + heading)?.lowerBound else { return text }
    return String(text[..<end])
  }
}

@Suite struct CSVReportTests {
  @Test func oneRowACellAndNothingWhereThereIsNoFigure() {
    #expect(
      CSVReport(Fixture.troubled()).results
        == """
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
    #expect(
      CSVReport(Fixture.gemm()).results
        == """
        variant,weights,m,k,n,threads,status,check,samples,ms,ms_ci_low,ms_ci_high,gflop_per_s,gb_per_s,flop_per_byte,roofline_percent,roof,speed_against_naive,speed_against_naive_ci_low,speed_against_naive_ci_high,max_abs_error,drift,instructions,cycles,cache_misses,message
        naive,f32,1,100,200,1,measured,pass,3,0.021,0.02,0.022,1.904762,3.866667,0.4926108,38.66667,memory (DRAM),1,,,1.5e-06,,,,,
        simd8,f32,1,100,200,1,measured,pass,3,0.0042,0.004,0.0044,9.52381,19.33333,0.4926108,193.3333,memory (DRAM),5,4.545455,5.5,1.5e-06,,,,,
        naive,f32,64,100,200,1,measured,pass,3,1.28,1.28,1.28,2,0.1225,16.32653,2,compute,1,,,1.5e-06,,,,,
        simd8,f32,64,100,200,1,failed-check,FAIL,,,,,,,,,,,,,0.5,,,,,64x100x200: max abs error 0.5 > 1e-4

        """)
  }

  @Test func everyRawSample() {
    #expect(
      CSVReport(Fixture.small()).samples
        == """
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
      #expect(Set(counts).count == 1)
      let names = record.csvColumns.flatMap(\.fields)
      #expect(Set(names).count == names.count)
    }
  }
}
