import GPT2Engine
import Measurement
import Reporting

/// The payloads between the command and its workers. Another engine's script answers the same ones; see
/// `Benchmarks/peers/README.md`.

struct LoadRequest: Codable {
  /// As `--model` takes it; nil for a worker that only runs matrix products and other operations.
  let model: String?
  let variant: String
  let threads: Int
  /// Drop the weights' file from the page cache first.
  let cold: Bool
}

struct LoadAnswer: Codable {
  /// From opening the file to an engine that can be asked.
  let loadNanoseconds: Int?
  /// Whether none of the file was in the page cache; nil where it was not to be dropped.
  let wasCold: Bool?
  /// Threads that the contestant really uses.
  let threads: Int
  /// Precision of the weights as tables show it, for example `f32`.
  let weights: String?
  /// What computes, with its version, in a line.
  let version: String?
  /// Resident memory before the model was loaded.
  let baselineBytes: Int?
  /// How a token is decoded, `cache` or `recompute`: what its arithmetic is counted by.
  let decoding: String?
  /// Why `run` will give no counters, in a line; nil where it does, or where that was not said.
  var countersUnavailable: String? = nil
  /// Of a `gpt2-bench`, without its commit.
  var build: Build? = nil
}

struct CheckRequest: Codable {
  /// Folders with a `reference.json`; their models are opened as needed.
  let references: [String]
  /// Greedy continuations to make; their models are opened as needed.
  var continuations: [ContinuationRequest]? = nil
  let scope: CheckScope
  /// Hold the loaded model against `naive` on these prompts; empty for none.
  let oraclePrompts: [[Int]]
  /// Hold the kernel's matrix product against its oracle, at ragged shapes first.
  let gemm: GemmShape?
  /// Hold the kernel's operation against its formula, at ragged shapes first.
  var operation: OperationShape? = nil
  /// Hold that many sequences of the loaded model, decoded together, against each of them alone.
  var batch: Int? = nil
}

/// A `continuations.json`, and the model that is to give what it says, as `--model` takes it.
struct ContinuationRequest: Codable {
  let file: String
  let model: String
}

struct CheckAnswer: Codable {
  struct Reference: Codable {
    let name: String
    let comparison: LogitComparison
  }

  struct Continuation: Codable {
    let name: String
    let check: ContinuationCheck
  }

  let references: [Reference]
  var continuations: [Continuation]? = nil
  let gemm: ValueCheck?
  /// What the ragged shapes showed, where they failed.
  let gemmFailure: String?
  var operation: ValueCheck? = nil
  /// What the operation's ragged shapes showed, where they failed.
  var operationFailure: String? = nil
  var batch: BatchCheck? = nil
}

struct LogitsRequest: Codable {
  /// The prompt.
  let ids: [Int]
  /// The `.npy` file to write: float32, (positions, vocabulary), of the prompt's last positions.
  let out: String
}

struct LogitsAnswer: Codable {
  /// Rows of the file.
  let positions: Int
}

struct GemmShape: Codable, Hashable {
  let m: Int
  let k: Int
  let n: Int

  var name: String { "\(m)x\(k)x\(n)" }
}

/// One workload: a generation, a matrix product or another operation.
struct RunRequest: Codable {
  struct Generation: Codable {
    /// One prompt for each sequence of the batch, all of one length.
    let prompts: [[Int]]
    /// The first prompt as text, where the worker is to tokenize it in the measured time.
    let text: String?
    /// New tokens of each sequence.
    let tokens: Int
  }

  let generation: Generation?
  let gemm: GemmShape?
  var operation: OperationShape? = nil
}

struct RunAnswer: Codable {
  let elapsedNanoseconds: Double
  /// Calls that `elapsedNanoseconds` is the mean of.
  let iterations: Int
  let prefillNanoseconds: Int?
  /// When each new token was there, from the request's start.
  let tokenNanoseconds: [Int]
  /// The new ids of each sequence.
  let ids: [[Int]]
  /// Events of the CPU by their names in `CounterEvent`, of the stretch that a row is judged by: all `iterations` calls
  /// of a matrix product or operation; the request where it is for one token; where it is for more, the steps behind the first.
  var counters: [String: Int]? = nil
  /// The share of the time in which every counter really counted; below 1 the counts are extrapolated.
  var countersShare: Double? = nil
}

extension RunAnswer {
  /// The same with what was counted.
  func with(_ counted: Counted?) -> RunAnswer {
    guard let counted else { return self }
    var answer = self
    answer.counters = Dictionary(uniqueKeysWithValues: counted.counts.map { ($0.rawValue, $1) })
    answer.countersShare = counted.share
    return answer
  }
}

struct MemoryAnswer: Codable {
  /// Nil where the system does not tell.
  let peakBytes: Int?
}
