/// An operation of a GPT-2 and what sizes it: what a cell of an `ops` run measures.
public enum OperationShape: Codable, Sendable, Hashable {
  case layerNorm(rows: Int, channels: Int)
  case gelu(rows: Int, channels: Int)
  /// Of the scores of `rows` new positions behind `depth` others, of all heads.
  case softmax(rows: Int, heads: Int, depth: Int)
  /// Of `rows` new positions behind `depth` others.
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

  /// The operations' names, in the order in which a pass comes to them.
  public enum Kind: String, NamedChoice {
    case embedding
    case layerNorm = "layernorm"
    case attention, softmax, gelu, sampling
  }

  public var kind: Kind {
    switch self {
    case .layerNorm: .layerNorm
    case .gelu: .gelu
    case .softmax: .softmax
    case .attention: .attention
    case .embedding: .embedding
    case .sampling: .sampling
    }
  }

  /// Rows of activations, or queries; one for a choice.
  var rows: Int {
    switch self {
    case .layerNorm(let rows, _), .gelu(let rows, _), .softmax(let rows, _, _),
      .attention(let rows, _, _, _), .embedding(let rows, _, _):
      rows
    case .sampling: 1
    }
  }

  /// Whether it is the engine's own, the same code for every variant: what its rows differ by is no merit of theirs.
  var isTheEngines: Bool { kind == .embedding || kind == .sampling }

  /// `layernorm 64x768`, `softmax 1x12 @ d512`, `attention 1x12x64 @ d512`, `sampling 50257 top-k`.
  public var name: String {
    let sizes =
      switch self {
      case .layerNorm(let rows, let channels), .gelu(let rows, let channels): "\(rows)x\(channels)"
      case .softmax(let rows, let heads, let depth): "\(rows)x\(heads) @ d\(depth)"
      case .attention(let rows, let heads, let headSize, let depth):
        "\(rows)x\(heads)x\(headSize) @ d\(depth)"
      case .embedding(let rows, let channels, let vocabulary): "\(rows)x\(channels) of \(vocabulary)"
      case .sampling(let vocabulary, let choice): "\(vocabulary) \(choice.rawValue)"
      }
    return "\(kind.rawValue) \(sizes)"
  }
}

extension RecordRules {
  func check(_ shape: OperationShape, field: String) throws {
    let field = "\(field).\(shape.codingName)"
    func sizes(_ values: (Int, String)...) throws {
      for (value, name) in values { try size(value, "\(field).\(name)") }
    }
    switch shape {
    case .layerNorm(let rows, let channels), .gelu(let rows, let channels):
      try sizes((rows, "rows"), (channels, "channels"))
    case .softmax(let rows, let heads, let depth):
      try sizes((rows, "rows"), (heads, "heads"))
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).depth")
    case .attention(let rows, let heads, let headSize, let depth):
      try sizes((rows, "rows"), (heads, "heads"), (headSize, "headSize"))
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).depth")
    case .embedding(let rows, let channels, let vocabulary):
      try sizes((rows, "rows"), (channels, "channels"), (vocabulary, "vocabulary"))
    case .sampling(let vocabulary, _): try sizes((vocabulary, "vocabulary"))
    }
  }
}

extension OperationShape {
  /// As JSON names the case.
  fileprivate var codingName: String {
    switch self {
    case .layerNorm: "layerNorm"
    case .gelu: "gelu"
    case .softmax: "softmax"
    case .attention: "attention"
    case .embedding: "embedding"
    case .sampling: "sampling"
    }
  }
}
