import Record

/// A record's test, whose name Swift Testing has too.
public typealias CellTest = Test

/// Small records with round numbers, so that every figure can be worked out by hand.
public enum Fixture {
  public static let prefill = CellTest.prefill(tokens: 64, batch: 1)
  public static let decode = CellTest.decode(tokens: 5, depth: 64, batch: 1)

  public static func record(kind: Record.Kind = .endToEnd, cells: [Cell] = []) -> Record {
    var record = Record(
      kind: kind, command: ["gpt2-bench", "all", "--model", "synthetic:tiny"],
      started: "2026-01-02T03:04:05Z",
      model: kind != .endToEnd
        ? nil
        : ModelDescription(
          name: "synthetic:tiny", layers: 2, heads: 4, channels: 64, vocabulary: 512, context: 128,
          parameters: 140_928, weightBytes: 563_712, hasTokenizer: false),
      machine: Machine(
        cpu: "Example CPU", flags: ["avx2", "fma"], logicalCores: 2, caches: ["L1d 32 KiB", "L2 1 MiB"],
        memoryBytes: 8_589_934_592, governor: nil, system: "Linux 6.1 x86_64"),
      build: Build(
        version: "0.1.0", compiler: "Swift 6.3", configuration: "release", cpuFlag: "-march=x86-64-v3",
        vectorBits: 256, commit: "0123abc"),
      settings: Settings(
        suite: "quick", repetitions: 3, cellBudgetSeconds: 20, seed: 42, warmup: "one execution"))
    record.finished = "2026-01-02T03:05:05Z"
    record.isComplete = true
    record.ceilings = [Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10)]
    record.cells = cells
    return record
  }

  /// `naive` and `kv-cache` on one prompt's and one decode test, three samples each, both checked.
  public static func small() -> Record {
    var record = record(cells: [
      prefillCell("naive", milliseconds: [40, 42, 41]), decodeCell("naive", stepMilliseconds: [20, 22, 21]),
      prefillCell("kv-cache", milliseconds: [10, 10.5, 11]),
      decodeCell("kv-cache", stepMilliseconds: [2, 2.1, 2.2]),
    ])
    record.correctness = ["naive", "kv-cache"].map { passedCheck($0) }
    return record
  }

  /// `small()` with two contestants of weights with fewer bits, and a third that is over its limit.
  public static func quantized() -> Record {
    var record = small()
    for (precision, step, kl) in [("bf16", 1.5, 1e-5), ("int8", 1.0, 3e-4), ("int4", 0.5, 0.2)] {
      for var cell in [
        prefillCell(precision, milliseconds: [8, 8.5, 9]),
        decodeCell(precision, stepMilliseconds: [step, 1.01 * step, 1.02 * step]),
      ] {
        cell.weights = precision
        record.cells.append(cell)
      }
      record.correctness += [
        qualityCheck(precision, kl: kl, top1: 1 - kl),
        qualityCheck(precision, "random", kl: kl / 2, top1: nil),
        Correctness(
          variant: precision, threads: 1, reference: "text", passed: true, maxAbsoluteError: nil,
          tolerance: 0, nmse: nil, argmaxAgreed: 0, argmaxCompared: 0, failure: nil, deltaPerplexity: kl / 4),
      ]
    }
    return record
  }

  private static func qualityCheck(
    _ variant: String, _ reference: String = "tiny", kl: Double, top1: Double?
  ) -> Correctness {
    Correctness(
      variant: variant, threads: 1, reference: reference, passed: kl < 0.15, maxAbsoluteError: 0.25,
      tolerance: 0, nmse: 0.001, argmaxAgreed: 120, argmaxCompared: 128,
      failure: kl < 0.15 ? nil : "mean KL divergence is 2.0e-01 nats, allowed 1.5e-01", kl: kl, top1: top1)
  }

  /// `small()`, interrupted, with a warning and three variants that gave no figure.
  public static func troubled() -> Record {
    var record = small()
    record.isComplete = false
    record.finished = nil
    record.warnings = ["The build is a debug build."]
    record.cells[3].message = "one sample lost"
    record.cells += [
      emptyCell("simd8", .failedCheck, message: "max abs error 0.5 > 1e-4"),
      emptyCell("threaded", .hung, message: "no answer | in 60 s"),
      emptyCell("tiled", .pending, message: nil),
    ]
    record.correctness.append(failedCheck("simd8"))
    return record
  }

  /// Two variants on a vector and on a matrix; the second variant failed on the matrix.
  public static func gemm() -> Record {
    var record = record(
      kind: .matmul,
      cells: [
        gemmCell("naive", m: 1, milliseconds: [0.02, 0.021, 0.022]),
        gemmCell("simd8", m: 1, milliseconds: [0.004, 0.0042, 0.0044]),
        gemmCell("naive", m: 64, milliseconds: [1.28, 1.28, 1.28]),
        gemmCell("simd8", m: 64, milliseconds: [0.128, 0.128, 0.128]),
      ])
    record.command = ["gpt2-bench", "matmul", "--size", "1x100x200,64x100x200"]
    record.settings.suite = nil
    record.correctness = [
      passedCheck("naive", reference: "1x100x200"), passedCheck("naive", reference: "64x100x200"),
      passedCheck("simd8", reference: "1x100x200"), failedCheck("simd8", reference: "64x100x200"),
    ]
    for index in record.correctness.indices {
      record.correctness[index].argmaxAgreed = 0
      record.correctness[index].argmaxCompared = 0
    }
    return record
  }

  /// Of two threads, with trials, a level of cache and a remark.
  public static let ceilings = [
    Ceiling(
      threads: 2, fmaGFLOPS: 220, dramGBPerSecond: 12, fmaTrials: [180, 200, 220],
      memory: [
        MemoryRoof(
          level: "L2", capacityBytes: 4 << 20, workingSetBytes: 2 << 20, streams: 1, prefetchBytes: 0,
          trials: [50, 50, 50], remark: nil),
        MemoryRoof(
          level: "DRAM", capacityBytes: nil, workingSetBytes: 512 << 20, streams: 4, prefetchBytes: 1024,
          trials: [10, 11, 12], remark: "the buffer\nis small"),
      ])
  ]

  /// `small()` with three loads and first tokens a contestant, and two other programs.
  public static func loaded() -> Record {
    var record = small()
    for index in record.cells.indices {
      record.cells[index].load = LoadTimes(
        coldNanoseconds: nil, warmNanoseconds: 2_000_000,
        samples: [30, 10, 20].enumerated().map { round, total in
          LoadSample(
            round: round, loadNanoseconds: 2_000_000, firstTokenNanoseconds: total * 1_000_000)
        })
      record.cells[index].baselineMemoryBytes = 10_485_760
    }
    record.peers = [
      PeerDescription(name: "kv-cache", command: "python3 a.py", version: "engine 1.2"),
      PeerDescription(name: "mute", command: "./mute"),
    ]
    return record
  }

  /// A minute on two cores in which nothing happened but the run: 12 stretches of 5 s, the loop timed at each end.
  public static func quietConditions() -> Conditions {
    var conditions = Conditions(
      stretches: (0..<12).map { stretch(at: 5 * Double($0)) },
      calibration: (0...12).map {
        CalibrationSample(
          atSeconds: 5 * Double($0), nanoseconds: 1_300_000 + 1000 * ($0 % 3), frequencyMHz: 3000)
      })
    (conditions.pagesSwappedIn, conditions.pagesSwappedOut) = (0, 0)
    (conditions.groupThrottledPeriods, conditions.groupThrottledSeconds) = (0, 0)
    (conditions.coreThrottles, conditions.packageThrottles) = (0, 0)
    return conditions
  }

  /// 5 s, of which `others` cores were somebody else's.
  public static func stretch(at start: Double, others: Double = 0.01, stolen: Double = 0.002) -> Stretch {
    var stretch = Stretch(startSeconds: start, seconds: 5)
    (stretch.cores, stretch.busySeconds, stretch.ownSeconds) = (2, 5 + 5 * others, 5)
    (stretch.stolenSeconds, stretch.totalSeconds) = (10 * stolen, 10)
    return stretch
  }

  public static func passedCheck(_ variant: String, reference: String = "tiny") -> Correctness {
    Correctness(
      variant: variant, threads: 1, reference: reference, passed: true, maxAbsoluteError: 1.5e-6,
      tolerance: 1e-4, nmse: 2.5e-13, argmaxAgreed: 128, argmaxCompared: 128, failure: nil)
  }

  public static func failedCheck(_ variant: String, reference: String = "tiny") -> Correctness {
    Correctness(
      variant: variant, threads: 1, reference: reference, passed: false, maxAbsoluteError: 0.5,
      tolerance: 1e-4, nmse: 0.01, argmaxAgreed: 90, argmaxCompared: 128,
      failure: "max abs error 0.5 > 1e-4")
  }

  /// A prompt's samples: the forward pass takes `milliseconds`, the first token is there 1 ms later.
  public static func prefillCell(_ variant: String, threads: Int = 1, milliseconds: [Double]) -> Cell {
    var cell = cell(variant, threads: threads, test: prefill)
    cell.flops = 2e8
    cell.bytes = 6e5
    cell.samples = milliseconds.enumerated().map { round, time in
      Sample(
        round: round, sequence: round, elapsedNanoseconds: (time + 1) * 1e6, iterations: 1,
        prefillNanoseconds: Int((time * 1e6).rounded()), tokenNanoseconds: [Int(((time + 1) * 1e6).rounded())]
      )
    }
    return cell
  }

  /// Five tokens a sample, the first after 12 ms and the others `stepMilliseconds` apart.
  public static func decodeCell(_ variant: String, threads: Int = 1, stepMilliseconds: [Double]) -> Cell {
    var cell = cell(variant, threads: threads, test: decode)
    cell.flops = 4e6
    cell.bytes = 6e5
    cell.samples = stepMilliseconds.enumerated().map { round, step in
      let times = (0..<5).map { Int(((12 + Double($0) * step) * 1e6).rounded()) }
      return Sample(
        round: round, sequence: round, elapsedNanoseconds: Double(times[4]), iterations: 1,
        prefillNanoseconds: 11_000_000, tokenNanoseconds: times)
    }
    return cell
  }

  public static func gemmCell(_ variant: String, m: Int, milliseconds: [Double]) -> Cell {
    var cell = Cell(
      variant: variant, weights: "f32", threads: 1, test: .operation(.matmul(m: m, k: 100, n: 200)),
      status: .measured)
    cell.flops = 2 * Double(m) * 100 * 200
    cell.bytes = 4 * Double(m * 100 + 100 * 200 + m * 200)
    cell.samples = milliseconds.enumerated().map { round, time in
      Sample(
        round: round, sequence: round, elapsedNanoseconds: time * 1e6, iterations: 10,
        prefillNanoseconds: nil, tokenNanoseconds: [])
    }
    return cell
  }

  /// Two variants on a layer norm, a choice and attention; the second failed on attention.
  public static func operations() -> Record {
    let norm = OperationShape.layerNorm(rows: 64, channels: 768)
    let choice = OperationShape.sampling(vocabulary: 50257, choice: .topK)
    let attention = OperationShape.attention(rows: 1, heads: 12, headSize: 64, depth: 512)
    var record = record(
      kind: .operations,
      cells: [
        operationCell(
          "naive", norm, flops: 400_000, bytes: 400_000, streamed: 6000, microseconds: [80, 80, 80]),
        operationCell(
          "simd8", norm, flops: 400_000, bytes: 400_000, streamed: 6000, microseconds: [16, 16, 16]),
        operationCell(
          "naive", choice, flops: nil, bytes: 200_000, streamed: 200_000, microseconds: [250, 250, 250]),
        operationCell(
          "naive", attention, flops: 1_600_000, bytes: 3_200_000, streamed: 3_000_000, microseconds: [1000]),
        operationCell(
          "simd8", attention, flops: 1_600_000, bytes: 3_200_000, streamed: 3_000_000, microseconds: [400]),
      ])
    record.command = ["gpt2-bench", "ops", "--ops", "layernorm,sampling,attention", "--rows", "1,64"]
    record.settings.suite = nil
    record.correctness = [
      passedCheck("naive", reference: norm.name), passedCheck("simd8", reference: norm.name),
      passedCheck("naive", reference: choice.name), passedCheck("naive", reference: attention.name),
      failedCheck("simd8", reference: attention.name),
    ]
    for index in record.correctness.indices {
      record.correctness[index].argmaxAgreed = 0
      record.correctness[index].argmaxCompared = 0
    }
    return record
  }

  public static func operationCell(
    _ variant: String, _ shape: OperationShape, flops: Double?, bytes: Double, streamed: Double,
    microseconds: [Double]
  ) -> Cell {
    var cell = Cell(
      variant: variant, weights: "f32", threads: 1, test: .operation(shape), status: .measured)
    (cell.flops, cell.bytes, cell.streamedBytes) = (flops, bytes, streamed)
    cell.samples = microseconds.enumerated().map { round, time in
      Sample(
        round: round, sequence: round, elapsedNanoseconds: time * 1e3, iterations: 100,
        prefillNanoseconds: nil, tokenNanoseconds: [])
    }
    return cell
  }

  public static func emptyCell(_ variant: String, _ status: Cell.Status, message: String?) -> Cell {
    var cell = cell(variant, threads: 1, test: decode)
    cell.status = status
    cell.message = message
    return cell
  }

  /// `small()` on two contestants with where their time went: 1 ms a token at decode for `kv-cache`, 10 for `naive`.
  public static func withPhases() -> Record {
    var record = small()
    record.profiles = [
      profile("naive", .decode, tokens: 64, milliseconds: 10),
      profile("kv-cache", .decode, tokens: 64, milliseconds: 1),
      profile("naive", .prefill, tokens: 64, milliseconds: 640),
      profile("kv-cache", .prefill, tokens: 64, milliseconds: 64),
    ]
    return record
  }

  /// Two passes kept of three: 60 % in MLP up of two layers, 20 % in the logits, 15 % waiting, 5 % unexplained.
  public static func profile(_ variant: String, _ stage: Profile.Stage, tokens: Int, milliseconds: Double)
    -> Profile
  {
    let pass = milliseconds * 1e6
    func entry(_ phase: ProfilePhase, layer: Int?, share: Double, wait: Double = 0) -> Profile.Entry {
      Profile.Entry(
        phase: phase, layer: layer, calls: 2, nanoseconds: 2 * pass * share, waitNanoseconds: 2 * pass * wait,
        flops: 2e6, streamedBytes: 4e5, activationBytes: 1e5)
    }
    return Profile(
      variant: variant, weights: "f32", threads: 1, stage: stage, tokens: tokens,
      passNanoseconds: [pass, pass, 3 * pass], keptPasses: 2, wallNanoseconds: 2 * pass,
      entries: [
        entry(.up, layer: 0, share: 0.3, wait: 0.15), entry(.up, layer: 1, share: 0.3),
        entry(.logits, layer: nil, share: 0.2),
      ],
      overhead: Profile.Overhead(
        withNanoseconds: [1.01, 1.01, 1.01].map { $0 * pass }, withoutNanoseconds: [pass, pass, pass]),
      threadTimes: [Profile.ThreadTime(busyNanoseconds: pass, waitNanoseconds: 0)])
  }

  /// Sixteen contestants on two decode tests and a prompt's: 1,440 samples, 46,560 token times.
  public static func large(tokens: Int = 48) -> Record {
    let variants = (0..<16).map { "variant-\($0)" }
    var record = record(
      cells: variants.flatMap { name in
        [64, 512].map { depth -> Cell in
          var cell = decodeCell(name, stepMilliseconds: [])
          cell.test = .decode(tokens: tokens, depth: depth, batch: 1)
          cell.samples = (0..<30).map { round in
            Sample(
              round: round, sequence: round, elapsedNanoseconds: Double(tokens) * 2.3e7, iterations: 1,
              prefillNanoseconds: 11_234_567, tokenNanoseconds: (1...tokens).map { $0 * 23_456_789 + round })
          }
          return cell
        } + [prefillCell(name, milliseconds: (0..<30).map { 40 + Double($0) / 7 })]
      })
    record.profiles = variants.flatMap { name in
      [
        profile(name, .decode, tokens: 64, milliseconds: 10),
        profile(name, .prefill, tokens: 64, milliseconds: 640),
      ]
    }
    record.correctness = variants.flatMap { name in
      ["a", "b", "c"].map { passedCheck(name, reference: $0) }
    }
    return record
  }

  private static func cell(_ variant: String, threads: Int, test: CellTest) -> Cell {
    var cell = Cell(variant: variant, weights: "f32", threads: threads, test: test, status: .measured)
    cell.peakMemoryBytes = 52_428_800
    cell.load = LoadTimes(coldNanoseconds: 3_500_000, warmNanoseconds: 1_250_000)
    return cell
  }
}
