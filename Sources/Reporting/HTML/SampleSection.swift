import Record

// Every raw sample, in one table whose rows can be chosen.
extension PageContext {
  /// As many gaps are about a megabyte of text, half of what a page may have.
  private static let gapLimit = 150_000

  private var sampledCells: [Cell] { record.cells.filter { !$0.samples.isEmpty } }

  private typealias SampleRow = (cell: Cell, sample: Sample)

  var samples: Section? {
    let rows = sampledCells.flatMap { cell in cell.samples.map { (cell: cell, sample: $0) } }
    let gaps = rows.reduce(0) { $0 + $1.sample.tokenNanoseconds.count }
    let showsGaps = gaps <= Self.gapLimit
    let note: Prose =
      "A row is one sample: its round, its place in the run's order, then milliseconds. "
      + (showsGaps ? "" : Self.tooManyGaps) + "The buttons choose rows."
    let table = Table(columns(showsGaps: showsGaps), rows)
    return Section(
      id: "samples", title: "Every raw sample",
      rows.isEmpty
        ? []
        : [
          .details(
            counted(rows.count, "sample"),
            [.note(note), .choice(table, by: Array(Self.chosen), label: "every raw sample")])
        ])
  }

  /// The columns by which rows are chosen: variant and test.
  private static let chosen = 0..<2

  /// How many choices there are in each of them.
  var sampleChoices: [Int] {
    let cells = sampledCells
    return [
      cells.map { name(of: MeasuredVariant($0)) }.uniqued().count, cells.map(\.test.name).uniqued().count,
    ]
  }

  private static let tooManyGaps: Prose =
    "There are too many gaps between tokens for a page; `samples.csv` and `record.json` hold them. "

  private func columns(showsGaps: Bool) -> [Column<SampleRow>] {
    func time(_ heading: Prose, _ nanoseconds: @escaping @Sendable (Sample) -> Double?) -> Column<SampleRow> {
      Column(
        heading, alignment: .right, isOptional: true, .text { nanoseconds($0.sample).map(Self.milliseconds) })
    }
    return [
      Column("variant", .text { name(of: MeasuredVariant($0.cell)) }),
      Column("test", .text { $0.cell.test.name }),
      Column(
        "status", isOptional: true, .text { $0.cell.status == .measured ? nil : $0.cell.status.words }),
      Column("round", .integer { $0.sample.round }), Column("order", .integer { $0.sample.sequence }),
      time("whole ms") { $0.elapsedNanoseconds },
      time("prefill ms") { $0.prefillNanoseconds.map(Double.init) },
      time("first token ms") { $0.tokenNanoseconds.first.map(Double.init) },
      Column(
        "calls", isOptional: true, .integer { $0.sample.iterations > 1 ? $0.sample.iterations : nil }),
      Column("gaps ms", isOptional: true, .text { showsGaps ? Self.gaps($0.sample) : nil }),
    ]
  }

  private static func gaps(_ sample: Sample) -> String? {
    let tokens = sample.tokenNanoseconds
    guard tokens.count > 1 else { return nil }
    return zip(tokens.dropFirst(), tokens).map { milliseconds(Double($0 - $1)) }.joined(separator: " ")
  }

  /// Five significant digits at least down to a microsecond, without the cost of a format string.
  private static func milliseconds(_ nanoseconds: Double) -> String {
    guard nanoseconds >= 0, nanoseconds < 1e15 else { return NumberText.significant(nanoseconds / 1e6, 5) }
    let (unit, digits): (Double, Int) = nanoseconds >= 1e8 ? (1e4, 2) : nanoseconds >= 1e5 ? (1e3, 3) : (1, 6)
    let number = Int((nanoseconds / unit).rounded())
    let power = [2: 100, 3: 1000, 6: 1_000_000][digits] ?? 1
    let decimals = String(number % power)
    return "\(number / power)." + String(repeating: "0", count: digits - decimals.count) + decimals
  }
}
