import Record
import Statistics

extension RunReport {
  /// How it was measured: the definitions with their formulas, the sampling, and the command.
  var method: Section? {
    Section(
      id: "method", title: "How it was measured",
      [.heading("Definitions"), .list(definitions), .heading("Sampling"), .list(sampling)] + peers + [
        .heading("Repeat it"), .code(record.command.map(shellWord).joined(separator: " ")),
      ])
  }

  /// The other programs, with their commands and what they say they are.
  private var peers: [Block] {
    guard let peers = record.peers, !peers.isEmpty else { return [] }
    let note: Prose =
      """
      Each answers the lines of `Benchmarks/peers/README.md`, in the same rounds and on the same token ids as the \
      variants, and times itself; its arithmetic is counted as a KV cache's unless it says otherwise.
      """
    return [
      .heading("Other programs"),
      .list(
        peers.map { peer in
          "**\(peer.name)**: \(peer.version.map { "\($0), " } ?? "")`\(peer.command)`"
        }), .paragraph(note),
    ]
  }

  private var definitions: [Prose] {
    switch record.kind {
    case .endToEnd: Self.endToEndDefinitions
    case .matmul: Self.matmulDefinitions
    case .operations: Self.operationDefinitions
    }
  }

  private static let endToEndDefinitions: [Prose] = [
    """
    **Tests.** `pp64` is a prompt of 64 tokens, then one new token; `tg32 @ d64` is 32 new tokens after a prompt \
    of 64, the depth at which decoding starts; `b4` is a batch of four sequences.
    """,
    """
    **TTFT** = t(first token available) − t(request start): tokenization, prefill and sampling inside, loading \
    outside. `ttft_ms` is end to end, `prefill_ms` is the forward pass only. The users of a batch get their first \
    tokens together.
    """,
    """
    **TPOT** = (E2E − TTFT)/(N−1), N > 1. **ITL** = the list of gaps between tokens, of all samples together; p50, \
    p90 and p99 are its type-7 quantiles.
    """,
    """
    **Decode tok/s** = (N−1)/(t_last − t_first) for N new tokens, times B for a batch of B sequences; \
    llama-bench's tg counts all N.
    """,
    """
    **Decode per user** = the same for one of the B sequences. **KV caches** = the keys and values that all of \
    them keep by the end of the test, 2 · layers · channels float32 for each token that was taken in.
    """,
    """
    **Prefill tok/s** = P / prefill time for a prompt of P tokens, times B for a batch of B; total tokens over \
    total time, not a mean of rates.
    """,
    """
    **GFLOP/s** and **GB/s** = operations and compulsory bytes of the prompt's pass, or of one average decode \
    step, ÷ its time. Compulsory: each weight and each cached value once.
    """,
    roofline,
    "**Peak memory** = the process's peak resident set size (`ru_maxrss` or `VmHWM`) by the end of its cells.",
    againstNaive, interval,
  ]

  private static let matmulDefinitions: [Prose] = [
    "**Shape.** out(M, N) = x(M, K) · w(N, K)ᵀ.",
    """
    **GFLOP/s** = 2·M·N·K / t / 1e9. **GB/s** = compulsory bytes / t / 1e9, for float32 4·(M·K + K·N + M·N): each \
    operand and the result once.
    """,
    roofline
      + """
       The weights take turns among copies larger than the caches together (cold), as decoding reads them, so the \
      memory is DRAM; the other operands stay hot.
      """,
    againstNaive, interval,
  ]

  private static let operationDefinitions: [Prose] = [
    """
    **Tests.** `layernorm` and `gelu` are rows x channels; `attention` is rows x heads x head size and `softmax` \
    rows x heads, of new positions behind `d` others that each sees; `embedding` is rows x channels, of a \
    vocabulary; `sampling` is the choice of one token of a vocabulary: `greedy`, or drawn at temperature \
    \(OperationShape.Choice.temperatureOfDraws) from all, with `top-k` \(OperationShape.Choice.k), or with `top-p` \
    \(OperationShape.Choice.p).
    """,
    """
    **Operands.** Activations are where the operation before leaves them in a pass, in the caches. Weights of \
    layer norms and keys and values of the positions before take turns in more memory than all caches hold \
    together; a token's vector lies anywhere in as much of a table. While the clock stands, the products that \
    stand on both sides of a layer norm or an attention in a pass read what it wrote and write what it will read, \
    attention's new keys and values are stored, GELU gets fresh values, all threads write the logits that a token \
    is chosen from while they read a table, and before an embedding the logits of the pass before are computed.
    """,
    """
    **The engine's own.** Embedding and sampling are the same code for every variant, on one thread: their rows \
    differ by what the machine does to a row, and are not ranked.
    """,
    """
    **In a pass.** `packed` computes GELU within the product before it, and its softmax leaves the division to \
    what sums the values. Threads come together once for attention; softmax alone has them come together for \
    itself.
    """,
    """
    **GFLOP/s**: additions, products, quotients, powers and comparisons, one each: layer norm 8 a value, GELU 9, \
    softmax 5 a score, attention 4 · head size a pair of positions and head, embedding 1 a value; none are counted \
    for sampling. **GB/s** = each operand read once and each result written once ÷ time.
    """,
    """
    **% of the roofline** = 100 · least time ÷ time, least = max(FLOPs / P_peak, streamed / BW(DRAM) + other bytes \
    / BW(nearest memory that holds them)), after Williams, Waterman and Patterson 2009, with ceilings of this run \
    and as many threads. No first-level cache is measured: what it holds is given the second level's BW, so that a \
    share may be above 100. **Roof** is the larger of both times.
    """,
    againstNaive, interval,
  ]

  private static let roofline: Prose =
    """
    **% of the roofline** = 100 · achieved / min(P_peak, AI · BW), where AI = FLOPs / compulsory bytes (Williams, \
    Waterman and Patterson 2009), and P_peak and BW are this machine's, measured in this run with as many threads. \
    **Roof** is the lower of the two: compute, or the memory that BW is of, the nearest level that holds the \
    bytes.
    """

  private static let againstNaive: Prose =
    """
    **Speed against naive** = `naive`'s median time ÷ the row's, on the same test (prefill time, decode step, GEMM \
    or operation); `naive` with as many threads where that was measured, else with its fewest.
    """

  private static let interval: Prose =
    """
    Every figure is a median over n samples, or a rate that is total tokens ÷ the median time. The interval is the \
    95 % percentile bootstrap of the median (\(Bootstrap().resamples) resamples, fixed seed), given from \
    \(Bootstrap.minimumCount) samples on; ± is its end farther from the median. An empty field means that there is \
    no figure.
    """

  private var sampling: [Prose] {
    guard !record.isProfileAlone else {
      return ["Seed of the inputs: \(record.settings.seed).", "Durations come from a monotonic clock."]
    }
    let counts = run.rows.filter(\.hasFigures).map(\.figures.sampleCount)
    let rounds = (record.cells.flatMap(\.samples).map(\.round).max() ?? -1) + 1
    let spread =
      counts.min() == counts.max() ? "\(counts.max() ?? 0)" : "\(counts.min() ?? 0) to \(counts.max() ?? 0)"
    let warmup: [Prose]? = record.settings.warmup.map {
      ["Before the first sample of a cell, not kept: \($0)."]
    }
    let processes = record.kind == .endToEnd ? ", each in a process of its own" : ""
    return [
      """
      Contestants took turns: \(counted(rounds, "round")), in each a fresh random order of the variants, one at a \
      time\(processes).
      """,
      """
      Samples of a cell: \(record.settings.repetitions) wanted, \(spread) taken. A variant stopped short of them \
      when it had spent \(NumberText.significant(record.settings.cellBudgetSeconds)) s on a cell.
      """,
    ] + (warmup ?? []) + [
      "Seed of the order and of the inputs: \(record.settings.seed). Suite: \(suite).",
      "Durations come from a monotonic clock; every raw sample is in `record.json` and `samples.csv`.",
    ] + run.remarksOnFigures
  }

  private var suite: Prose {
    record.settings.suite.map { "`\($0)`" } ?? "none, the cells came from the command line"
  }
}

/// `argument` as a POSIX shell reads it back.
func shellWord(_ argument: String) -> String {
  let isPlain =
    !argument.isEmpty
    && argument.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9": return true
      default: return "-_./:=,@%+".unicodeScalars.contains(scalar)
      }
    }
  return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
}
