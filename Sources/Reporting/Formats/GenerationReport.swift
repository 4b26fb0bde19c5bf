import Files
import Record

/// What `generate` made of a prompt, by one variant or several.
public struct GenerationReport: Codable, Equatable, Sendable {
  public struct Result: Codable, Equatable, Sendable {
    public let variant: String
    /// Precision of the weights, for example `f32`.
    public let weights: String
    public let threads: Int
    /// The new tokens.
    public let ids: [Int]
    /// Their text; absent where none was made.
    public let text: String?
    /// Absent where there was no token.
    public let timeToFirstTokenMilliseconds: Double?
    /// Of the tokens after the first; absent where there were none.
    public let tokensPerSecond: Double?

    public init(
      variant: String, weights: String, threads: Int, ids: [Int], text: String?,
      timeToFirstTokenMilliseconds: Double?, tokensPerSecond: Double?
    ) {
      (self.variant, self.weights, self.threads, self.ids, self.text) = (variant, weights, threads, ids, text)
      self.timeToFirstTokenMilliseconds = timeToFirstTokenMilliseconds
      self.tokensPerSecond = tokensPerSecond
    }
  }

  private let schema: Int
  public let model: String
  public let promptIDs: [Int]
  public let temperature: Double
  /// Of the random numbers; absent where nothing is drawn.
  public let seed: UInt64?
  public let results: [Result]

  public init(model: String, promptIDs: [Int], temperature: Double, seed: UInt64, results: [Result]) {
    (self.model, self.promptIDs, self.temperature) = (model, promptIDs, temperature)
    (self.seed, self.results, schema) = (temperature > 0 ? seed : nil, results, 1)
  }

  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: ResultFormat) throws -> String {
    switch format {
    case .markdown:
      let texts = results.map { result in
        "\(MarkdownText.code(result.variant)):\n\n"
          + MarkdownText.codeBlock(result.text ?? Self.words(result.ids))
      }
      let title: Prose = "\(model): \(promptIDs.count) tokens of prompt"
      return ([title.markdown, Table(Self.columns, results).markdown] + texts).joined(separator: "\n\n")
        + "\n"
    case .csv: return CSV.text(Self.columns + Self.contents, results)
    case .json: return try jsonText(self)
    }
  }

  private static func words(_ ids: [Int]) -> String { ids.map(String.init).joined(separator: " ") }

  private static var columns: [Column<Result>] {
    [
      Column("variant", .text(\.variant)), Column("weights", .text(\.weights)),
      Column("threads", .integer(\.threads)), Column("new tokens", key: "new_tokens", .integer(\.ids.count)),
      Column("TTFT ms", key: "ttft_ms", .number(\.timeToFirstTokenMilliseconds)),
      Column("tok/s", key: "tok_per_s", .number(\.tokensPerSecond)),
    ]
  }

  private static var contents: [Column<Result>] {
    [Column("ids", .text { words($0.ids) }), Column("text", .text(\.text))]
  }
}
