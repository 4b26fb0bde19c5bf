import Record
import Statistics

extension RunReport {
  /// How it was measured: the definitions with their formulas, the sampling, and the command.
  var method: Section? {
    Section(
      id: "method", title: "How it was measured",
      [
        .details("What the words mean", [.list(definitions)]),
        .details("How samples were taken", [.list(sampling)]),
      ]
        + peers + repetition)
  }

  var repetition: [Block] {
    [.heading("Repeat it"), .code(record.command.map(shellWord).joined(separator: " "))]
  }

  /// The other programs, with their commands and what they say they are.
  var peers: [Block] {
    guard let peers = record.peers, !peers.isEmpty else { return [] }
    let note: Prose = """
      Each program speaks the protocol of `Benchmarks/peers/README.md` and times itself. It runs in the same rounds \
      and on the same token ids as the variants. Its arithmetic is counted as that of a variant with a KV cache, \
      unless it says otherwise.
      """
    return [
      .heading("Other programs"),
      .list(
        peers.map { peer in "**\(peer.name)**: \(peer.version.map { "\($0), " } ?? "")`\(peer.command)`" }),
      .paragraph(note),
    ]
  }

  var definitions: [Prose] {
    let all =
      switch record.kind {
      case .endToEnd: Self.endToEndDefinitions + trainingDefinition + qualityDefinition
      case .matmul: Self.matmulDefinitions
      case .operations: Self.operationDefinitions
      }
    return all + narrowWeights + narrowCache
  }

  /// None where all weights are float32.
  var narrowWeights: [Prose] {
    guard record.cells.contains(where: { ProductPeak.Numbers(weights: $0.weights) != nil }) else { return [] }
    return [
      """
      **Narrow weights.** Their bytes are those of their format, and P_peak of such a row is the peak of the \
      instructions that its products ran on, where the CPU has some for such numbers.
      """
    ]
  }

  /// None where all caches are float32.
  var narrowCache: [Prose] {
    guard record.cells.contains(where: { $0.cache != nil }) else { return [] }
    return [
      """
      **Narrow caches.** `+kv-bf16` in a name says that keys and values are kept in bfloat16, two bytes each, and are \
      counted so. The limits of such a variant are those of bfloat16 weights, or of its own where they have fewer bits.
      """
    ]
  }

  /// Of the columns that are there where a test trains.
  var trainingDefinition: [Prose] {
    guard record.hasTraining else { return [] }
    return [
      """
      **Training.** `train4x64` is one step of AdamW on 4 windows of 64 tokens: forward, backward, and the update of \
      all parameters. Each step goes on from the one before. **Train tok/s** = tokens of the windows ÷ the step's time. \
      Its **GFLOP/s** count 6 · parameters · tokens (Kaplan et al. 2020): products within attention, norms and the \
      update come on top and are not counted. **% of the FMA peak** = those ÷ this machine's compute peak. Its \
      compulsory bytes are parameters, gradients and both moments, each read and written once. Its gradients and the \
      losses of ten steps were held against PyTorch's in float64 on small models first.
      """
    ]
  }

  /// Of the columns that are there where weights or caches have fewer bits than float32's.
  var qualityDefinition: [Prose] {
    guard record.correctness.haveQuality else { return [] }
    return [
      """
      **KL** = the mean over positions of Σ p · log(p ÷ q) in nats: p is the reference's distribution of the next token, q \
      the variant's. **top-1** = the share of positions with the reference's best token, of trained models. **Δppl** = \
      the perplexity of a text ÷ the same by float32 weights, − 1. Each is the worst of the checks.
      """
    ]
  }

  private static let endToEndDefinitions: [Prose] = [
    """
    **Tests.** `pp64` is a prompt of 64 tokens, then one new token. `tg32 @ d64` is 32 new tokens after a prompt of 64 \
    tokens: that is the depth at which decoding starts. `b4` is a batch of four sequences.
    """,
    """
    **TTFT** (time to first token) = t(first token available) − t(request start). It includes tokenization, prefill \
    and sampling, but not loading. `ttft_ms` is end to end; `prefill_ms` is the forward pass only. All sequences of a \
    batch get their first tokens together.
    """,
    """
    **TPOT** (time per output token) = (E2E − TTFT)/(N−1) for N > 1 new tokens, where E2E is the time of the whole \
    request. **ITL** (inter-token latency) = the list of gaps between tokens, of all samples together. p50, p90 and \
    p99 are its type-7 quantiles.
    """,
    """
    **Decode tok/s** = (N−1)/(t_last − t_first) for N new tokens, times B for a batch of B sequences. llama-bench's tg \
    counts all N tokens.
    """,
    """
    **Decode per user** = the same for one of the B sequences. **KV caches** = the keys and values that all sequences \
    keep by the end of the test: 2 · layers · channels float32 values for each input token.
    """,
    """
    **Prefill tok/s** = P / prefill time for a prompt of P tokens, times B for a batch of B. It is total tokens over \
    total time, not a mean of rates.
    """,
    """
    **GFLOP/s** and **GB/s** = operations and compulsory bytes of the prompt's pass, or of one average decode \
    step, ÷ its time. Compulsory bytes count each weight and each cached value once.
    """,
    roofline,
    """
    **Memory GB/s** = what memory gave to the same threads in short reads of the weights, right before and right after \
    each sample of decoding. **% of memory** = compulsory bytes of a step ÷ its time ÷ that rate. Both are medians over \
    the samples; they are given where the weights are larger than caches.
    """,
    "**Peak memory** = the process's peak resident set size (`ru_maxrss` or `VmHWM`) by the end of its cells.",
    againstNaive, interval,
  ]

  private static let matmulDefinitions: [Prose] = [
    "**Shape.** out(M, N) = x(M, K) · w(N, K)ᵀ.",
    """
    **GFLOP/s** = 2·M·N·K / t / 1e9. **GB/s** = compulsory bytes / t / 1e9, for float32 4·(M·K + K·N + M·N): each \
    operand and the result counts once.
    """,
    roofline + """
       The calls go round several copies of the weights, together larger than all caches. The weights are therefore \
      cold, as in decoding, and the memory is DRAM. The other operands stay hot.
      """,
    againstNaive, interval,
  ]

  private static let operationDefinitions: [Prose] = [
    """
    **Tests.** `layernorm` and `gelu` are rows x channels. `attention` is rows x heads x head size, and `softmax` is \
    rows x heads; their rows are new positions, and each sees the `d` positions before them. `embedding` is rows x \
    channels, of a vocabulary. `sampling` chooses one token of a vocabulary: `greedy`, or drawn at temperature \
    \(OperationShape.Choice.temperatureOfDraws) from all, with `top-k` \(OperationShape.Choice.k), or with `top-p` \
    \(OperationShape.Choice.p).
    """,
    """
    **Operands.** Activations lie in the caches, where the operation before leaves them in a pass. Weights of layer \
    norms, and keys and values of earlier positions, take turns in more memory than all caches hold together. A \
    token's vector lies anywhere in a table of that size. Between the timed calls, the clock is stopped and the \
    neighbouring work of a pass is done. The products on both sides of a layer norm or an attention read what it wrote \
    and write what it will read. Attention's new keys and values are stored, and GELU gets fresh values. All threads \
    write the logits that a token is chosen from while they read a table. Before an embedding, the logits of the pass \
    before are computed.
    """,
    """
    **The engine's own.** Embedding and sampling run the same code for every variant, on one thread. Their rows differ \
    only by the machine's noise, so they are not ranked.
    """,
    """
    **In a pass.** `packed` computes GELU within the product before it. Its softmax leaves the division to the sum \
    over the values. Threads synchronise once for all of attention; softmax measured alone needs a synchronisation of \
    its own.
    """,
    """
    **GFLOP/s** counts additions, products, quotients, powers and comparisons as one operation each. Layer norm has 8 \
    for each value, GELU 9, softmax 5 for each score, and embedding 1 for each value. Attention has 4 · head size for \
    each pair of positions and each head. None are counted for sampling. **GB/s** = bytes ÷ time, with each operand \
    read once and each result written once.
    """,
    """
    **% of the roofline** = 100 · least time ÷ time, after Williams, Waterman and Patterson 2009. The least time is \
    max(FLOPs / P_peak, streamed / BW(DRAM) + other bytes / BW(nearest memory that holds them)). Its ceilings are \
    those of this run, with as many threads. The first-level cache is not measured: what it holds is given the second \
    level's BW, so a share may be above 100. **Roof** names the larger of the two times.
    """,
    againstNaive, interval,
  ]

  private static let roofline: Prose = """
    **% of the roofline** = 100 · achieved / min(P_peak, AI · BW), where AI = FLOPs / compulsory bytes (Williams, \
    Waterman and Patterson 2009). P_peak is this machine's compute peak. BW is the bandwidth of the nearest memory \
    level that holds the bytes. Both were measured in this run with as many threads. **Roof** names the lower of the \
    two limits: compute, or that memory level.
    """

  private static let againstNaive: Prose = """
    **Speed against naive** = `naive`'s median time ÷ the row's, on the same test (prefill time, decode step, GEMM or \
    operation). It takes `naive` with as many threads where that was measured, else with its fewest.
    """

  private static let interval: Prose = """
    Every figure is a median over n samples, or a rate that is total tokens ÷ the median time. The interval is the \
    95 % percentile bootstrap of the median (\(Bootstrap().resamples) resamples, fixed seed). It is given from \
    \(Bootstrap.minimumCount) samples on. Where memory was read beside the samples, the interval of a prompt's and a \
    token's time also holds what the machine itself changed by: log t(block) = log t + m · memory(block) + (1 − m) · \
    speed(block) + noise, for up to \(MachineDrift.mostBlocks) blocks of the run's rounds. m is the share of the time that \
    the bytes took at memory's rate, speed the time of a fixed loop or of the passes over prompts, whichever moved more. The \
    half of a 95 % prediction interval of one more block is added by squares. A figure has the digits that its interval \
    supports: two of the half of it. ± is the distance from the median to the interval's farther end; where that is over a \
    quarter farther than the other, the ends stand in parentheses, from low to high. An empty field means that there is no figure.
    """

  var sampling: [Prose] {
    guard !record.isProfileAlone else {
      return ["Seed of the inputs: \(record.settings.seed).", "Durations come from a monotonic clock."]
    }
    let counts = run.rows.filter(\.hasFigures).map(\.figures.sampleCount)
    let rounds = (record.cells.flatMap(\.samples).map(\.round).max() ?? -1) + 1
    let spread =
      counts.min() == counts.max() ? "\(counts.max() ?? 0)" : "\(counts.min() ?? 0) to \(counts.max() ?? 0)"
    let warmup: [Prose]? = record.settings.warmup.map {
      ["Warm-up before the first sample of a cell, not kept: \($0)."]
    }
    let processes = record.kind == .endToEnd ? ", each in a process of its own" : ""
    return [
      """
      Contestants took turns in \(counted(rounds, "round")). Each round had a fresh random order of the variants, \
      which ran one at a time\(processes).
      """,
      """
      Samples of a cell: \(record.settings.repetitions) wanted, \(spread) taken. A variant stopped early when it had \
      spent \(NumberText.significant(record.settings.cellBudgetSeconds, 2)) s on a cell; its row then has `3 of 10`.
      """,
    ] + (warmup ?? []) + [
      "Seed of the order and of the inputs: \(record.settings.seed). Suite: \(suite).",
      "Durations come from a monotonic clock; every raw sample is in `record.json` and `samples.csv`.",
    ] + run.remarksOnFigures
  }

  private var suite: Prose {
    record.settings.suite.map { "`\($0)`" } ?? "none; the tests came from the command line"
  }
}

/// `argument` as a POSIX shell reads it back.
public func shellWord(_ argument: String) -> String {
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

/// A command to be typed, after a label: in one line where that fits, else in several that a shell joins. A word that is
/// longer than a line goes on at the start of the next, unless it is in quotation marks, where a shell would not join it.
/// - Parameter width: columns of the terminal; words stay whole where they are fewer than 20.
public func commandToType(_ words: [String], after label: String, width: Int) -> String {
  var lines = [label]
  for (index, word) in words.map({ shellWord($0).safeLine }).enumerated() {
    let joined = lines[lines.count - 1] + (index == 0 ? "" : " ") + word
    let room = width - (index == words.count - 1 ? 0 : 2)
    if index == 0 || joined.count <= room {
      lines[lines.count - 1] = joined
    } else {
      lines[lines.count - 1] += " \\"
      lines.append("    " + word)
    }
    while let line = lines.last, line.count > room, width >= 20, !word.contains("'") {
      lines[lines.count - 1] = line.prefix(width - 1) + "\\"
      lines.append(String(line.dropFirst(width - 1)))
    }
  }
  return lines.joined(separator: "\n")
}
