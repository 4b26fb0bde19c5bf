import Record
import Statistics

/// The ceilings as rows of text: for each number of threads the arithmetic, then the levels of memory.
public struct CeilingTable: Sendable {
  static let headings: [(String, MarkdownTable.Alignment)] = [
    ("threads", .right), ("ceiling", .left), ("unit", .left), ("roof", .right), ("a thread", .right),
    ("median", .right), ("best", .right), ("n", .right), ("working set", .right), ("read as", .left),
  ]
  /// Each as long as `headings`; empty where the record does not say.
  let rows: [[String]]
  /// What speaks against a figure, one line each.
  let remarks: [String]

  public init(_ ceilings: [Ceiling]) {
    rows = ceilings.flatMap { ceiling in
      let threads = ceiling.threads
      let fma = Self.row(
        threads, "FMA, float32", "GFLOP/s", ceiling.fmaTrials, best: ceiling.fmaGFLOPS, set: "", pattern: "")
      let memory = ceiling.memory?.map { level in
        Self.row(
          threads, level.level + " read", "GB/s", level.trials, best: level.trials.max() ?? 0,
          set: Self.size(level.workingSetBytes), pattern: level.pattern)
      }
      let dram = Self.row(
        threads, "\(Ceiling.dram) read", "GB/s", nil, best: ceiling.dramGBPerSecond, set: "", pattern: "")
      return [fma] + (memory ?? [dram])
    }
    remarks = ceilings.flatMap { ceiling in
      (ceiling.memory ?? []).compactMap { level in
        level.remark.map { "\(counted(ceiling.threads, "thread")), \(level.level): \($0.singleLine)" }
      }
    }
  }

  /// For a terminal: the table, and the remarks under it.
  public var text: String {
    let lines = [Self.headings.map(\.0)] + rows
    let widths = Self.headings.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let aligned = lines.map { line in
      Self.headings.indices.map { column in
        Self.headings[column].1 == .left
          ? line[column].padded(to: widths[column]) : line[column].leftPadded(to: widths[column])
      }.joined(separator: "  ").trimmedEnd
    }
    return (aligned + remarks).joined(separator: "\n")
  }

  private static func row(
    _ threads: Int, _ name: String, _ unit: String, _ trials: [Double]?, best: Double, set: String,
    pattern: String
  ) -> [String] {
    let figures = trials.flatMap { quantiles($0, [Ceiling.roofQuantile, 0.5]) }
    let roof = figures?[0] ?? best
    return [
      "\(threads)", name, unit, NumberText.significant(roof), NumberText.significant(roof / Double(threads)),
      figures.map { NumberText.significant($0[1]) } ?? "", NumberText.significant(best),
      trials.map { "\($0.count)" } ?? "", set, pattern,
    ]
  }

  private static func size(_ bytes: Int) -> String {
    NumberText.significant(Double(bytes) / 1_048_576, 3) + " MiB"
  }
}

extension MemoryRoof {
  /// `4 streams, 1024 B ahead`
  fileprivate var pattern: String {
    counted(streams, "stream") + (prefetchBytes > 0 ? ", \(prefetchBytes) B ahead" : "")
  }
}
