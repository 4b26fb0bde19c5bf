import Record

/// The record as two tables of comma-separated values (RFC 4180; lines end in LF, as in most CSV files on
/// the systems that this runs on).
public struct CSVReport: Sendable {
  /// One row a cell, one column a figure, units in the columns' names; empty where there is no figure.
  public let results: String
  /// One row a sample, raw: durations in nanoseconds; the tokens' times, separated by blanks, come last.
  public let samples: String

  public init(_ record: Record) {
    self.init(RunFigures(record))
  }

  init(_ run: RunFigures) {
    let columns = TableColumns.csv(run.record.kind)
    results = Self.table(
      columns.flatMap(\.csvNames), run.rows.map { row in columns.flatMap { $0.csvValues(row) } })
    samples = Self.table(
      [
        "variant", "weights", "threads", "test", "status", "round", "sequence", "elapsed_ns", "iterations",
        "prefill_ns", "token_ns",
      ], run.record.cells.flatMap(Self.sampleRows))
  }

  private static func sampleRows(_ cell: Cell) -> [[String]] {
    cell.samples.map { sample in
      [
        cell.variant, cell.weights, "\(cell.threads)", cell.test.name, cell.status.rawValue,
        "\(sample.round)", "\(sample.sequence)", number(sample.elapsedNanoseconds), "\(sample.iterations)",
        sample.prefillNanoseconds.map(String.init) ?? "",
        sample.tokenNanoseconds.map(String.init).joined(separator: " "),
      ]
    }
  }

  /// Every digit of the number, without a fraction where it has none.
  private static func number(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }

  static func table(_ names: [String], _ rows: [[String]]) -> String {
    ([names] + rows).map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// In double quotes where the field holds a comma, a quote or a line's end; quotes doubled.
  static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}
