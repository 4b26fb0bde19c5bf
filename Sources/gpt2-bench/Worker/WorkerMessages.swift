import GPT2Engine
import Measurement
import Record
import Reporting

/// The payloads between the command and its workers. Another engine's script answers the same ones; see
/// `Benchmarks/peers/README.md`.

struct LoadRequest: Codable {
  /// As `--model` takes it; nil for a worker that only runs operations.
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
  /// What products with such weights run on, for example `avx512_vnni`; nil where there was nothing to choose, or where
  /// that was not said.
  var instructions: String? = nil
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

struct CheckRequest {
  /// Folders with a `reference.json`; their models are opened as needed.
  var references: [String] = []
  /// Greedy continuations to make; their models are opened as needed.
  var continuations: [ModelFileRequest]?
  var scope: CheckScope = .full
  /// Hold the loaded model against `naive` on these prompts; empty for none.
  var oraclePrompts: [[Int]] = []
  /// Hold the kernel's operation against its formula, a matrix product against its oracle, at ragged shapes first.
  var operation: OperationShape?
  /// Hold that many sequences of the loaded model, decoded together, against each of them alone.
  var batch: Int?
  /// Hold a text's perplexity against the one by float32 weights; a variant that has those does nothing.
  var perplexity: ModelFileRequest?
  /// Hold the gradients and steps of training against these references; a variant that does not train does nothing.
  var gradients: [ModelFileRequest]?
}

extension CheckRequest: Codable {
  private enum CodingKeys: CodingKey {
    case references, continuations, scope, oraclePrompts, batch, perplexity, gradients
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    references = try fields.decode([String].self, forKey: .references)
    continuations = try fields.decodeIfPresent([ModelFileRequest].self, forKey: .continuations)
    scope = try fields.decode(CheckScope.self, forKey: .scope)
    oraclePrompts = try fields.decode([[Int]].self, forKey: .oraclePrompts)
    operation = try OperationShape.decode(beside: decoder)
    batch = try fields.decodeIfPresent(Int.self, forKey: .batch)
    perplexity = try fields.decodeIfPresent(ModelFileRequest.self, forKey: .perplexity)
    gradients = try fields.decodeIfPresent([ModelFileRequest].self, forKey: .gradients)
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(references, forKey: .references)
    try fields.encodeIfPresent(continuations, forKey: .continuations)
    try fields.encode(scope, forKey: .scope)
    try fields.encode(oraclePrompts, forKey: .oraclePrompts)
    try operation?.encode(beside: encoder)
    try fields.encodeIfPresent(batch, forKey: .batch)
    try fields.encodeIfPresent(perplexity, forKey: .perplexity)
    try fields.encodeIfPresent(gradients, forKey: .gradients)
  }
}

/// A `continuations.json`, a text or a reference of gradients, and the model that it is put to, as `--model` takes it.
struct ModelFileRequest: Codable {
  let file: String
  let model: String
}

struct CheckAnswer: Codable {
  struct Reference: Codable {
    let name: String
    let comparison: LogitComparison
  }

  struct Gradients: Codable {
    let name: String
    /// To the tensor's root mean square, the largest of all tensors; nil where it is no number.
    let error: Double?
    let tolerance: Double
    /// Why they failed, in a line; nil where they passed.
    let failure: String?
  }

  struct Continuation: Codable {
    let name: String
    let check: ContinuationCheck
  }

  var references: [Reference] = []
  var continuations: [Continuation]?
  /// Of a matrix product, and what its ragged shapes showed, where they failed.
  var matmul: ValueCheck?
  var matmulFailure: String?
  /// The same of another operation.
  var operation: ValueCheck?
  var operationFailure: String?
  var batch: BatchCheck?
  /// Nil of float32 weights.
  var perplexity: PerplexityCheck?
  /// Nil of others.
  var gradients: [Gradients]?

  private enum CodingKeys: String, CodingKey {
    case references, continuations, operation, operationFailure, batch, perplexity, gradients
    case matmul = "gemm"
    case matmulFailure = "gemmFailure"
  }
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

/// One workload: a generation, a step of training, or an operation.
struct RunRequest {
  struct Generation: Codable {
    /// One prompt for each sequence of the batch, all of one length.
    let prompts: [[Int]]
    /// The first prompt as text, where the worker is to tokenize it in the measured time.
    let text: String?
    /// New tokens of each sequence.
    let tokens: Int
  }

  /// A step of AdamW. The parameters go on from the step before, at first from the model's.
  struct Training: Codable {
    /// One for each sequence of the batch, all of one length; each token but the first is predicted from those before.
    let windows: [[Int]]
    let learningRate: Double
    /// Of matrices, embeddings among them.
    let weightDecay: Double
    let beta1: Double
    let beta2: Double
    let epsilon: Double
    /// The largest norm of all gradients together; 0 does not clip.
    let clip: Double
  }

  var generation: Generation?
  var training: Training?
  var operation: OperationShape?
}

extension RunRequest {
  /// A generation.
  init(prompts: [[Int]], text: String? = nil, tokens: Int) {
    self.init(generation: Generation(prompts: prompts, text: text, tokens: tokens))
  }
}

extension RunRequest: Codable {
  private enum CodingKeys: CodingKey { case generation, training }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    generation = try fields.decodeIfPresent(Generation.self, forKey: .generation)
    training = try fields.decodeIfPresent(Training.self, forKey: .training)
    operation = try OperationShape.decode(beside: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(generation, forKey: .generation)
    try fields.encodeIfPresent(training, forKey: .training)
    try operation?.encode(beside: encoder)
  }
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
  /// Of a step of training: the mean of −log p before the update, in nats.
  var loss: Double? = nil
  /// Events of the CPU by their names in `CounterEvent`, of the stretch that a row is judged by: all `iterations` calls
  /// of an operation; the request where it is for one token; where it is for more, the steps after the first.
  var counters: [String: Int]? = nil
  /// The share of the time in which every counter really counted; below 1 the counts are extrapolated.
  var countersShare: Double? = nil
  /// What memory gave to the same threads right before and right after the request, in GB/s (10⁹ bytes). Only of a
  /// request for several tokens, and only where the weights are larger than caches.
  var memoryGBPerSecond: [Double]? = nil
}

extension RunAnswer {
  /// As a record keeps it.
  func sample(round: Int, sequence: Int) -> Sample {
    Sample(
      round: round, sequence: sequence, elapsedNanoseconds: elapsedNanoseconds, iterations: iterations,
      prefillNanoseconds: prefillNanoseconds, tokenNanoseconds: tokenNanoseconds, counters: counters,
      countersShare: countersShare, memoryGBPerSecond: memoryGBPerSecond)
  }

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

/// Asks a worker where its time goes, with the loaded model.
struct ProfileRequest: Codable {
  /// The prompt's ids: its pass is the prefill, and decoding goes on after it.
  let promptTokens: [Int]
  /// Tokens to decode, the prompt's own first token among them; 1 for the prefill alone.
  let newTokens: Int
  /// Run every pass a second time without probes, to tell what they cost.
  let measuresOverhead: Bool
  /// Decode all of them whatever it takes, or else as many as a second allows.
  let coversAllPositions: Bool
}

struct ProfileAnswer: Codable {
  /// Prefill, then decode where more than one token was asked for.
  let profiles: [Profile]
}
