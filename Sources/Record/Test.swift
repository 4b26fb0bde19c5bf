/// What one cell measures. A kind of cell is one case here, its `traits`, and what it computes.
@dynamicMemberLookup
public enum Test: Sendable, Hashable {
  /// A prompt of `tokens` ids, then one token: TTFT and prefill. `pp64`
  case prefill(tokens: Int, batch: Int)
  /// A prompt of `depth` ids, then `tokens` new ones: TPOT, ITL and decode tok/s. `tg32 @ d64`
  case decode(tokens: Int, depth: Int, batch: Int)
  /// One step of training on `batch` windows that predict `context` tokens each. `train4x64`
  case training(batch: Int, context: Int)
  /// An operation alone. `64x768x3072` of a matrix product, `layernorm 64x768`
  case operation(OperationShape)

  /// All that differs from kind to kind. Whoever measures or reports asks for these, as properties of the test.
  public var traits: Traits {
    switch self {
    case .prefill(let tokens, let batch):
      Traits(
        name: "pp\(tokens)" + Self.suffix(batch: batch), primarySpan: .prefill, otherSpans: [.firstToken],
        stage: .prefill, generation: Generation(prompt: tokens, tokens: 1, batch: batch),
        tokensPerPrimaryDuration: Double(tokens) * Double(batch))
    case .decode(let tokens, let depth, let batch):
      Traits(
        name: "tg\(tokens)" + (depth > 0 ? " @ d\(depth)" : "") + Self.suffix(batch: batch),
        primarySpan: .step, otherSpans: [.outputToken], stage: .decode,
        generation: Generation(prompt: depth, tokens: tokens, batch: batch),
        tokensPerPrimaryDuration: Double(batch), primaryDurationsPerSample: max(tokens - 1, 1))
    case .training(let batch, let context):
      Traits(
        name: "train\(batch)x\(context)", primarySpan: .trainingStep,
        training: Training(batch: batch, context: context),
        tokensPerPrimaryDuration: Double(batch) * Double(context))
    case .operation(let shape):
      Traits(name: shape.name, primarySpan: shape.kind == .matmul ? .matmul : .call, operation: shape)
    }
  }

  private static func suffix(batch: Int) -> String { batch > 1 ? " b\(batch)" : "" }

  public subscript<Value>(dynamicMember trait: KeyPath<Traits, Value>) -> Value { traits[keyPath: trait] }

  public struct Traits: Sendable {
    /// The `test` column: `pp64`, `tg32 @ d64`, `train4x64`, `64x768x3072` (M, K, N), `layernorm 64x768`; ` b4` after
    /// that of a generation for a batch of four.
    public let name: String
    /// The time that its cells are judged by.
    public let primarySpan: Span
    /// What else is told of its samples.
    public var otherSpans: [Span] = []
    /// Whose passes it times, as profiles and sentences have it; nil for neither.
    public var stage: Profile.Stage?
    /// What every sequence of it generates; nil for what is no generation.
    public var generation: Generation?
    /// What a step trains on; nil for what is no training.
    public var training: Training?
    /// What is timed alone; nil for a whole model.
    public var operation: OperationShape?
    /// Tokens that one primary duration yields; nil where it yields none.
    public var tokensPerPrimaryDuration: Double?
    /// In one execution of its work, which an operation's samples have several of.
    public var primaryDurationsPerSample = 1

    /// Sequences computed together.
    public var batch: Int { generation?.batch ?? training?.batch ?? 1 }

    /// Of one primary duration, where the test alone tells them: see `OperationShape.flops`.
    public var flops: Double? { operation?.flops }

    /// Whether every variant runs the same code, so that none is faster than another.
    public var isTheEngines: Bool { operation?.isTheEngines ?? false }
  }

  /// How much is generated: the ids before the first new token, the new tokens, and the sequences.
  public struct Generation: Sendable {
    public let prompt: Int
    public let tokens: Int
    public let batch: Int
  }

  /// The windows of a step, and the tokens that each predicts.
  public struct Training: Sendable {
    public let batch: Int
    public let context: Int
  }

  /// Whether its cells have that time. Every contestant's process may have loaded a model.
  public func times(_ span: Span) -> Bool {
    span == traits.primarySpan || traits.otherSpans.contains(span) || span.isOfProcess
  }
}

extension Test: Codable {
  /// As JSON has it: a matrix product has a word of its own there.
  enum Stored: Codable {
    case prefill(tokens: Int, batch: Int)
    case decode(tokens: Int, depth: Int, batch: Int)
    case training(batch: Int, context: Int)
    case gemm(m: Int, k: Int, n: Int)
    case operation(shape: OperationShape)

    enum CodingKeys: CodingKey, CaseIterable { case prefill, decode, training, gemm, operation }
  }

  public init(from decoder: any Decoder) throws {
    self =
      switch try Stored(from: decoder) {
      case .prefill(let tokens, let batch): .prefill(tokens: tokens, batch: batch)
      case .decode(let tokens, let depth, let batch): .decode(tokens: tokens, depth: depth, batch: batch)
      case .training(let batch, let context): .training(batch: batch, context: context)
      case .gemm(let m, let k, let n): .operation(.matmul(m: m, k: k, n: n))
      case .operation(let shape): .operation(shape)
      }
  }

  public func encode(to encoder: any Encoder) throws { try stored.encode(to: encoder) }

  var stored: Stored {
    switch self {
    case .prefill(let tokens, let batch): .prefill(tokens: tokens, batch: batch)
    case .decode(let tokens, let depth, let batch): .decode(tokens: tokens, depth: depth, batch: batch)
    case .training(let batch, let context): .training(batch: batch, context: context)
    case .operation(.matmul(let m, let k, let n)): .gemm(m: m, k: k, n: n)
    case .operation(let shape): .operation(shape: shape)
    }
  }
}
