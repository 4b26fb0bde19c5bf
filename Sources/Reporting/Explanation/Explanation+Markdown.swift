extension Explanation {
  /// For people, as Markdown without a heading: the headline, what changed most, every part, how to read it.
  public var markdown: String {
    [
      "**\(headline)**" + (largestSentence.map { " \($0)" } ?? ""), table,
      MarkdownReport.list(notes),
    ].filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private var table: String {
    let scale = scale
    var table = MarkdownTable([
      ("\(scale.unit) per \(to.profile.passWord)", .left), (MarkdownTable.escaped(from.name), .right),
      (MarkdownTable.escaped(to.name), .right), ("change", .right), ("share %", .right), ("by work", .right),
      ("by rate", .right), ("FLOPs, ×", .right), ("bytes, ×", .right),
    ])
    table.rows = parts.map { part in
      [
        part.name, scale.text(part.from.nanoseconds), scale.text(part.to.nanoseconds),
        scale.signed(part.change), share(part.change).map(NumberText.percent) ?? "",
        attributed(part.split?.work), attributed(part.split?.rate),
        Self.ratio(part.from.flops, part.to.flops), Self.ratio(part.from.bytes, part.to.bytes),
      ]
    }
    table.rows.append(
      [
        "**in all**", scale.text(from.nanoseconds), scale.text(to.nanoseconds), scale.signed(change),
        share(change).map(NumberText.percent) ?? "",
        attributed(parts.compactMap(\.split?.work).reduce(0, +)),
        attributed(parts.compactMap(\.split?.rate).reduce(0, +)), "", "",
      ])
    return table.text
  }

  private func attributed(_ nanoseconds: Double?) -> String {
    isDecided ? nanoseconds.map(scale.signed) ?? "" : ""
  }

  /// How many times as much the second side has; empty where one has nothing.
  private static func ratio(_ from: Double, _ to: Double) -> String {
    from > 0 && to > 0 ? NumberText.significant(to / from, 3) : ""
  }
}
