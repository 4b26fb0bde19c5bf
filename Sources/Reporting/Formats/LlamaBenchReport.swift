import Files
import Record
import Statistics

/// A run as llama.cpp's `llama-bench -o csv` and `-o sql` print theirs: the same fields in the same order (of
/// llama.cpp in autumn 2026), so that `compare-llama-bench.py` and what else reads such files reads this one.
///
/// A prompt is a `pp` test; a decode test is a `tg` test of as many tokens at the same depth. llama-bench times all N
/// tokens, gpt2-bench the N − 1 after the first, so a sample of `tg` is N times its time a token: `avg_ts` is the mean
/// of the samples' decode tok/s. Batches of several sequences, GEMMs and operations are left out. `backends` is the
/// variant's name and `model_filename` the model's; `type_k` and `type_v` are empty for another program, whose cache is
/// not known. What remains is what llama-bench says of a run on the CPU, with its default batches and mapped weights.
public struct LlamaBenchReport: Sendable {
  /// Names in llama-bench's order, with the types of its SQL.
  static let fields: [(name: String, type: String)] = [
    ("build_commit", "TEXT"), ("build_number", "INTEGER"), ("cpu_info", "TEXT"), ("gpu_info", "TEXT"),
    ("backends", "TEXT"), ("model_filename", "TEXT"), ("model_type", "TEXT"), ("model_size", "INTEGER"),
    ("model_n_params", "INTEGER"), ("n_batch", "INTEGER"), ("n_ubatch", "INTEGER"), ("n_threads", "INTEGER"),
    ("cpu_mask", "TEXT"), ("cpu_strict", "INTEGER"), ("poll", "INTEGER"), ("type_k", "TEXT"),
    ("type_v", "TEXT"), ("n_gpu_layers", "INTEGER"), ("n_cpu_moe", "INTEGER"), ("split_mode", "TEXT"),
    ("main_gpu", "INTEGER"), ("no_kv_offload", "INTEGER"), ("flash_attn", "INTEGER"), ("devices", "TEXT"),
    ("tensor_split", "TEXT"), ("tensor_buft_overrides", "TEXT"), ("load_mode", "TEXT"),
    ("embeddings", "INTEGER"), ("no_op_offload", "INTEGER"), ("no_host", "INTEGER"),
    ("fit_target", "INTEGER"), ("fit_min_ctx", "INTEGER"), ("n_prompt", "INTEGER"), ("n_gen", "INTEGER"),
    ("n_depth", "INTEGER"), ("test_time", "TEXT"), ("avg_ns", "INTEGER"), ("stddev_ns", "INTEGER"),
    ("avg_ts", "REAL"), ("stddev_ts", "REAL"),
  ]

  /// A value for each field, a row for each test that has a figure.
  let rows: [[String]]

  public init(_ record: Record) {
    rows = RunFigures(record).rows.compactMap { row in
      LlamaBenchTest(row.cell).map { Self.values(of: $0, in: record) }
    }
  }

  /// Names bare, every value in double quotes, as llama-bench prints them.
  public var csv: String {
    let lines = rows.map { $0.map(CSV.quoted).joined(separator: ",") }
    return ([Self.fields.map(\.name).joined(separator: ",")] + lines).map { $0 + "\n" }.joined()
  }

  /// The table `llama_bench`, made where it is missing, and an insertion a row.
  public var sql: String {
    let columns = Self.fields.map { "  \($0.name) \($0.type)" }.joined(separator: ",\n")
    let names = Self.fields.map(\.name).joined(separator: ", ")
    let insertions = rows.map { row in
      let values = row.map { "'" + $0.replacing("'", with: "''") + "'" }.joined(separator: ", ")
      return "INSERT INTO llama_bench (\(names)) VALUES (\(values));\n"
    }
    return "CREATE TABLE IF NOT EXISTS llama_bench (\n\(columns)\n);\n\n" + insertions.joined()
  }

  private static func values(of test: LlamaBenchTest, in record: Record) -> [String] {
    let isPeer = record.peers?.contains { $0.name == test.cell.variant } ?? false
    let cache = isPeer ? "" : test.cell.cache ?? "f32"
    let model = record.model
    // One literal of all of them takes the compiler half a minute.
    let build: [String] = [
      record.build.commit ?? record.build.version, "0", record.machine.cpu, "", test.cell.variant,
    ]
    let modelType: String = model.map { Self.modelType($0, weights: test.cell.weights) } ?? ""
    let bytes: String = model.map { "\($0.weightBytes)" } ?? ""
    let parameters: String = model.map { "\($0.parameters)" } ?? ""
    let sizes: [String] = [model?.name ?? "", modelType, bytes, parameters, "2048", "512"]
    let threads = String(test.cell.threads)
    let settings: [String] = [
      threads, "0x0", "0", "50", cache, cache, "0", "0", "layer", "0", "0", "0", "none", "0.00", "none",
      "mmap", "0", "0", "0", "0", "0",
    ]
    let lengths: [String] = [test.prompt, test.generated, test.depth].map { String($0) }
    let figures: [String] = [
      record.started, test.meanNanoseconds, test.deviationNanoseconds, test.meanRate, test.deviationOfRate,
    ]
    return [build, sizes, settings, lengths, figures].joined().map(\.safeLine)
  }

  /// `gpt2 124.44 M f32`
  private static func modelType(_ model: ModelDescription, weights: String) -> String {
    let size = NumberText.fixed(Double(model.parameters) / 1e6, 2)
    return ["gpt2", "\(size) M", weights].filter { !$0.isEmpty }.joined(separator: " ")
  }
}

/// One row: what was computed, and mean and standard deviation (n − 1; empty for one sample) of its times and rates.
private struct LlamaBenchTest {
  let cell: Cell
  let prompt: Int
  let generated: Int
  let depth: Int
  private let samples: [Double]

  /// Nil for what llama-bench has no test for, and where there is no sample.
  init?(_ cell: Cell) {
    self.cell = cell
    switch cell.test {
    case .prefill(let tokens, 1):
      (prompt, generated, depth) = (tokens, 0, 0)
      samples = cell.primaryDurations
    case .decode(let tokens, let depth, 1):
      (prompt, generated, self.depth) = (0, tokens, depth)
      samples = cell.primaryDurations.map { $0 * Double(tokens) }
    default: return nil
    }
    if samples.isEmpty { return nil }
  }

  private var rates: [Double] { samples.map { Double(prompt + generated) * 1e9 / $0 } }
  var meanNanoseconds: String { text(mean(samples), decimals: 0) }
  var deviationNanoseconds: String { text(standardDeviation(samples), decimals: 0) }
  var meanRate: String { text(mean(rates), decimals: 6) }
  var deviationOfRate: String { text(standardDeviation(rates), decimals: 6) }

  private func text(_ value: Double?, decimals: Int) -> String {
    value.flatMap { $0.isFinite ? NumberText.fixed($0, decimals) : nil } ?? ""
  }
}
