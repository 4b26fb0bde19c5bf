import Record

public struct PerplexityReport: Codable, Equatable, Sendable {
  public struct Result: Codable, Equatable, Sendable {
    public let variant: String
    /// Precision of the weights, for example `f32`.
    public let weights: String
    public let threads: Int
    /// Mean of −log p, natural logarithm.
    public let natsPerToken: Double
    /// exp(natsPerToken)
    public let perplexity: Double
    /// The scored tokens' −log₂ p over their bytes; absent where they have none.
    public let bitsPerByte: Double?
    /// The passes and the scoring, without loading and without tokenizing.
    public let seconds: Double
    public let tokensPerSecond: Double

    public init(
      variant: String, weights: String, threads: Int, natsPerToken: Double, perplexity: Double,
      bitsPerByte: Double?, seconds: Double, tokensPerSecond: Double
    ) {
      (self.variant, self.weights, self.threads) = (variant, weights, threads)
      (self.natsPerToken, self.perplexity, self.bitsPerByte) = (natsPerToken, perplexity, bitsPerByte)
      (self.seconds, self.tokensPerSecond) = (seconds, tokensPerSecond)
    }
  }

  public let model: String
  public let text: String
  /// Tokens that a window takes in.
  public let context: Int
  /// Tokens between two windows.
  public let stride: Int
  /// Whether the tokens after the last whole window were left out.
  public let wholeWindows: Bool
  public let tokens: Int
  public let scoredTokens: Int
  /// UTF-8 bytes of the scored tokens.
  public let scoredBytes: Int
  /// One for each variant; at least one.
  public let results: [Result]

  public init(
    model: String, text: String, context: Int, stride: Int, wholeWindows: Bool, tokens: Int,
    scoredTokens: Int, scoredBytes: Int, results: [Result]
  ) {
    (self.model, self.text, self.context, self.stride) = (model, text, context, stride)
    (self.wholeWindows, self.tokens, self.results) = (wholeWindows, tokens, results)
    (self.scoredTokens, self.scoredBytes) = (scoredTokens, scoredBytes)
  }
}

extension PerplexityReport {
  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: PageFormat) throws -> String {
    switch format {
    case .markdown: Prose(heading).markdown + "\n\n" + tableWithUnits.markdown + "\n"
    case .csv: csv
    case .json: try jsonText(self)
    case .html: page.text
    }
  }

  /// With each unit beside its heading: only a terminal's tables have a line for units.
  var tableWithUnits: Table {
    var table = table
    for index in table.headings.indices where !table.headings[index].unit.isEmpty {
      table.headings[index].text = "\(table.headings[index].title), \(table.headings[index].unit)"
    }
    return table
  }

  /// - Parameter isTerminal: whether the heading is broken too, so that no line is wider.
  public func terminalText(colour: Bool, width: Int, isTerminal: Bool = false) -> String {
    (isTerminal ? Prose(heading).plain.wrapped(to: width) : Prose(heading).plain) + "\n\n"
      + table.terminal(colour: colour, width: width)
  }

  var heading: String {
    let unscored = tokens - scoredTokens
    return "\(model) on \(text): \(counted(scoredTokens, "token")), \(counted(scoredBytes, "byte")), "
      + "\(unscored) not scored; windows of \(context), a new one every \(stride)"
  }

  /// A difference to the first variant's is shown where there are others.
  private var table: Table {
    func number(
      _ title: String, _ unit: String, _ style: Column<Result>.Style,
      _ read: @escaping @Sendable (Result) -> Double?
    ) -> Column<Result> {
      Column(heading: .short(title, unit), key: "", reading: .number(read), style: style)
    }
    let first = results.first
    let difference = number("nats more", "than \(first?.variant ?? "")", .scientific) { result in
      first.map { result.natsPerToken - $0.natsPerToken }
    }
    let columns: [Column<Result>] =
      [
        Column("variant", .text(\.variant)), Column("weights", rank: 2, .text(\.weights)),
        Column("threads", rank: 1, .integer(\.threads)),
        number("nats", "per token", .decimals(4)) { $0.natsPerToken },
        number("perplexity", "", .significant(5)) { $0.perplexity },
        number("bits", "per byte", .decimals(4)) { $0.bitsPerByte },
      ] + (results.count > 1 ? [difference] : []) + [number("speed", "tok/s", .plain) { $0.tokensPerSecond }]
    return Table(columns, results)
  }

  private var csv: String {
    let names = [
      "model", "text", "context", "stride", "whole_windows", "tokens", "tokens_scored", "bytes_scored",
      "variant", "weights", "threads", "nats_per_token", "perplexity", "bits_per_byte", "seconds",
      "tok_per_s",
    ]
    return CSV.text(
      names,
      results.map { result in
        [
          model, text, "\(context)", "\(stride)", "\(wholeWindows)", "\(tokens)", "\(scoredTokens)",
          "\(scoredBytes)", result.variant, result.weights, "\(result.threads)", "\(result.natsPerToken)",
          "\(result.perplexity)", result.bitsPerByte.map { "\($0)" } ?? "", NumberText.plain(result.seconds),
          NumberText.plain(result.tokensPerSecond),
        ]
      })
  }
}
