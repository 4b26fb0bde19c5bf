/// An operation of a GPT-2 and what sizes it: what a cell of a `matmul` or an `ops` run measures, and
/// what the engine makes a problem of.
public enum OperationShape: Codable, Sendable, Hashable {
  /// out(m, n) = x(m, k) · w(n, k)ᵀ
  case matmul(m: Int, k: Int, n: Int)
  case layerNorm(rows: Int, channels: Int)
  case gelu(rows: Int, channels: Int)
  /// Of the scores of `rows` new positions after `depth` others, of all heads.
  case softmax(rows: Int, heads: Int, depth: Int)
  /// Of `rows` new positions after `depth` others.
  case attention(rows: Int, heads: Int, headSize: Int, depth: Int)
  case embedding(rows: Int, channels: Int, vocabulary: Int)
  /// The choice of one token.
  case sampling(vocabulary: Int, choice: Choice)

  /// How a token is chosen; what the words leave open is said here.
  public enum Choice: String, NamedChoice {
    /// The largest logit.
    case greedy
    /// A draw from all tokens.
    case temperature
    /// A draw from the most likely ones.
    case topK = "top-k"
    /// A draw from the fewest that reach a probability together.
    case topP = "top-p"

    public static let temperatureOfDraws: Float = 0.8
    public static let k = 40
    public static let p: Float = 0.95
  }

  /// The operations' names, in the order in which a pass comes to them; a matrix product's, several times in each, last.
  public enum Kind: String, NamedChoice {
    case embedding
    case layerNorm = "layernorm"
    case attention, softmax, gelu, sampling, matmul

    /// Those that `ops` measures.
    public static let ofOps = allCases.filter { $0 != .matmul }
  }

  /// A matrix product stands beside the others in JSON, under `gemm`; see `encode(beside:)`.
  enum CodingKeys: CodingKey, CaseIterable {
    case layerNorm, gelu, softmax, attention, embedding, sampling
  }

  public var kind: Kind {
    switch self {
    case .matmul: .matmul
    case .layerNorm: .layerNorm
    case .gelu: .gelu
    case .softmax: .softmax
    case .attention: .attention
    case .embedding: .embedding
    case .sampling: .sampling
    }
  }

  /// Rows of activations, or queries; one for a choice.
  public var rows: Int {
    switch self {
    case .matmul(let rows, _, _): rows
    case .layerNorm(let rows, _), .gelu(let rows, _), .softmax(let rows, _, _),
      .attention(let rows, _, _, _), .embedding(let rows, _, _):
      rows
    case .sampling: 1
    }
  }

  /// Whether it is the engine's own, the same code for every variant: what its rows differ by is no merit of theirs.
  public var isTheEngines: Bool { kind == .embedding || kind == .sampling }

  /// 2·M·N·K of a matrix product; nil for an operation whose arithmetic says less than its time.
  public var flops: Double? {
    guard case .matmul(let m, let k, let n) = self else { return nil }
    return 2 * Double(m) * Double(n) * Double(k)
  }

  /// How many rows take turns in the memory of one: the queries of a head in one row of scores.
  public var turns: Int { kind == .softmax ? rows : 1 }

  /// `64x768x3072` (M, K, N) for a matrix product; `layernorm 64x768`, `softmax 1x12 @ d512`, `attention 1x12x64 @ d512`, `sampling 50257 top-k`.
  public var name: String { kind == .matmul ? sizes : "\(kind.rawValue) \(sizes)" }

  /// The name without the operation's.
  public var sizes: String {
    switch self {
    case .matmul(let m, let k, let n): "\(m)x\(k)x\(n)"
    case .layerNorm(let rows, let channels), .gelu(let rows, let channels): "\(rows)x\(channels)"
    case .softmax(let rows, let heads, let depth): "\(rows)x\(heads) @ d\(depth)"
    case .attention(let rows, let heads, let headSize, let depth):
      "\(rows)x\(heads)x\(headSize) @ d\(depth)"
    case .embedding(let rows, let channels, let vocabulary): "\(rows)x\(channels) of \(vocabulary)"
    case .sampling(let vocabulary, let choice): "\(vocabulary) \(choice.rawValue)"
    }
  }
}

extension OperationShape {
  /// Beside the other fields of a message: a matrix product under `gemm`, any other operation under `operation`.
  private enum MessageKeys: CodingKey { case gemm, operation }

  private struct Sizes: Codable {
    let m: Int
    let k: Int
    let n: Int
  }

  /// - Returns: the operation that a message names; nil where it names none.
  public static func decode(beside decoder: any Decoder) throws -> OperationShape? {
    let fields = try decoder.container(keyedBy: MessageKeys.self)
    if let sizes = try fields.decodeIfPresent(Sizes.self, forKey: .gemm) {
      return .matmul(m: sizes.m, k: sizes.k, n: sizes.n)
    }
    return try fields.decodeIfPresent(OperationShape.self, forKey: .operation)
  }

  public func encode(beside encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: MessageKeys.self)
    if case .matmul(let m, let k, let n) = self {
      try fields.encode(Sizes(m: m, k: k, n: n), forKey: .gemm)
    } else {
      try fields.encode(self, forKey: .operation)
    }
  }
}
