import Record

/// Runs of several models, and the figures of each row below each other, model by model. Each run is a record of its
/// own: its references, its roofline and its history are one model's. Nothing is judged here: which model is faster is a
/// matter of its size.
public struct ModelSummary: Sendable {
  private let runs: [RunFigures]
  private let rows: [HistoryRow]

  /// - Parameter records: one of each model, in the order in which they are shown.
  /// - Returns: nil where none has a figure.
  public init?(_ records: [Record]) {
    runs = records.map(RunFigures.init)
    rows = HistoryRow.all(of: runs)
    guard !rows.isEmpty else { return nil }
  }

  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: ResultFormat) throws -> String {
    try points.text(as: format, .modelPoints, of: document)
  }

  public func terminalText(colour: Bool, width: Int) -> String {
    document.title.plain + "\n\n" + table.terminal(colour: colour, width: width)
  }

  private var document: Document {
    Document(
      title: "\(counted(runs.count, "model")), row by row", opening: [.table(table, label: "rows")],
      sections: [])
  }

  private var table: Table { Table(.models, points) }

  private var points: [HistoryPoint] { HistoryPoint.all(of: rows, in: runs) }
}

extension [Column<HistoryPoint>] {
  /// For people.
  fileprivate static var models: Self {
    var figure = Column<HistoryPoint>("figure", .figure(\.figure))
    figure.heading = .short("figure", "± CI")
    figure.showsInterval = true
    var model = Column<HistoryPoint>("model", .text(\.run.model?.name))
    model.heading.canShorten = true
    return [
      Column("test", .text(\.row.place.test.name)),
      Column("variant", .text(\.row.place.contestant.variant)) { .code($0.row.place.contestant.variant) },
      Column("weights", rank: 2, .text(\.row.place.contestant.weights)),
      Column("threads", rank: 1, .integer(\.row.place.contestant.threads)),
      model, Column("metric", .text(\.row.metric.name)), figure,
    ]
  }

  fileprivate static var modelPoints: Self {
    [Column("model", .text(\.run.model?.name))] + historyPoints
  }
}
