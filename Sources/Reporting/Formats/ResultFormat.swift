import Files
import Record

/// The formats of every command that has results: for people, for spreadsheets, for programs.
public enum ResultFormat: String, CaseIterable, Sendable {
  case markdown = "md"
  case csv, json
}

/// The same, and a page for a browser.
public enum PageFormat: String, CaseIterable, Sendable {
  case markdown = "md"
  case csv, json, html

  /// The format of the same name that every command has; nil of the page.
  var result: ResultFormat? {
    switch self {
    case .markdown: .markdown
    case .csv: .csv
    case .json: .json
    case .html: nil
    }
  }
}

/// What `check` found, each variant against each reference.
public struct CheckReport: Sendable {
  private let rows: [Correctness]

  public init(_ rows: [Correctness]) { self.rows = rows }

  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: ResultFormat) throws -> String {
    let columns = Column<Correctness>.checks(of: rows)
    return switch format {
    case .markdown: Table(columns, rows).withoutEmptyColumns.markdown + "\n"
    case .csv: CSV.text(columns, rows)
    case .json:
      try jsonText([
        "schema": .integer(1),
        "checks": JSONValue.array(rows.map { .object(Column.members(columns, of: $0)) }),
      ])
    }
  }
}

/// What `info` shows: the machine, the build and the measured ceilings.
public struct MachineReport: Encodable, Sendable {
  private enum CodingKeys: CodingKey { case schema, machine, build, forkJoin, ceilings, ceilingSeconds }

  private let schema: Int
  private let machine: Machine
  private let build: Build
  private let buildFacts: [(name: String, value: String)]
  private let forkJoin: [ForkJoin]
  private let ceilings: [Ceiling]
  private let ceilingSeconds: Double

  /// - Parameter buildFacts: what people are shown of the build, by name.
  public init(
    _ machine: Machine, _ build: Build, buildFacts: [(name: String, value: String)], forkJoin: [ForkJoin],
    ceilings: [Ceiling], ceilingSeconds: Double
  ) {
    (self.machine, self.build, self.forkJoin) = (machine, build, forkJoin)
    self.buildFacts = buildFacts
    (self.ceilings, self.ceilingSeconds, schema) = (ceilings, ceilingSeconds, 1)
  }

  /// What is known without measuring, by name.
  public var facts: [(name: String, value: String)] {
    var rows: [(name: String, value: String)] = [
      ("cpu", machine.cpu), ("flags", machine.flags.joined(separator: " ")),
      ("cores", "\(machine.logicalCores)"), ("caches", machine.caches.joined(separator: ", ")),
    ]
    if let bytes = machine.memoryBytes { rows.append(("memory", "\(bytes >> 20) MiB")) }
    if let governor = machine.governor { rows.append(("governor", governor)) }
    rows += [("system", machine.system)] + buildFacts
    if let blas = machine.blas { rows.append(("blas", blas)) }
    return rows + forkJoin.map { ("fork/join", $0.words) }
  }

  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: ResultFormat) throws -> String {
    switch format {
    case .markdown:
      let table = Table(
        [.init("", .left), .init("", .left)], rows: facts.map { [.init($0.name), .init($0.value)] })
      return table.markdown + "\n\n" + CeilingTable(ceilings).table.markdown + "\n"
    case .csv:
      let measured = ceilings.flatMap { ceiling in
        [
          ["fma_gflops_t\(ceiling.threads)", NumberText.plain(ceiling.fmaGFLOPS)],
          ["dram_gb_per_s_t\(ceiling.threads)", NumberText.plain(ceiling.dramGBPerSecond)],
        ]
          + (ceiling.products ?? []).map { peak in
            [
              "\(peak.numbers.rawValue)_gops_t\(ceiling.threads)", NumberText.plain(peak.trials.max() ?? 0),
            ]
          }
      }
      return CSV.text(["name", "value"], facts.map { [$0.name, $0.value] } + measured)
    case .json: return try jsonText(self)
    }
  }
}
