import Record

extension PerplexityReport {
  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: Format) throws -> String {
    switch format {
    case .markdown:
      var table = MarkdownTable(
        columns.map { ($0.unit.isEmpty ? $0.title : "\($0.title), \($0.unit)", $0.alignment) })
      table.rows = results.map(cells)
      return heading + "\n\n" + table.text + "\n"
    case .csv: return csv
    case .json: return String(decoding: try readableJSON(self), as: UTF8.self)
    }
  }

  /// - Parameters:
  ///   - colour: whether entries may be bold.
  ///   - width: columns of the terminal.
  public func terminalText(colour: Bool, width: Int) -> String {
    var table = TextTable(columns)
    table.rows = results.map { cells($0).map { TextTable.Entry($0) } }
    return heading + "\n\n" + table.text(colour: colour, width: width)
  }

  private var heading: String {
    let unscored = tokens - scoredTokens
    return "\(model) on \(text): \(counted(scoredTokens, "token")), \(counted(scoredBytes, "byte")), "
      + "\(unscored) not scored; windows of \(context), a new one every \(stride)"
  }

  /// A difference to the first variant's is shown where there are others.
  private var columns: [TextTable.Column] {
    var columns: [TextTable.Column] = [
      .init(title: "variant", alignment: .left), .init(title: "weights", alignment: .left, rank: 2),
      .init(title: "threads", rank: 1), .init(title: "nats", unit: "per token"), .init(title: "perplexity"),
      .init(title: "bits", unit: "per byte"),
    ]
    if results.count > 1 { columns.append(.init(title: "nats more", unit: "than \(results[0].variant)")) }
    return columns + [.init(title: "speed", unit: "tok/s")]
  }

  private func cells(_ result: Result) -> [String] {
    var cells = [
      result.variant, result.weights, "\(result.threads)", NumberText.fixed(result.natsPerToken, 4),
      NumberText.significant(result.perplexity, 5),
      result.bitsPerByte.map { NumberText.fixed($0, 4) } ?? "",
    ]
    if results.count > 1 {
      cells.append(NumberText.scientific(result.natsPerToken - results[0].natsPerToken))
    }
    return cells + [NumberText.significant(result.tokensPerSecond)]
  }

  private var csv: String {
    let names = [
      "model", "text", "context", "stride", "whole_windows", "tokens", "tokens_scored", "bytes_scored",
      "variant", "weights", "threads", "nats_per_token", "perplexity", "bits_per_byte", "seconds",
      "tok_per_s",
    ]
    return CSVReport.table(
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
