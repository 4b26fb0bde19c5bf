import Record
import Statistics

extension RunReport {
  /// The machine, the build, the model and the ceilings that the roofline used.
  var machine: Section? {
    let ceilings = CeilingTable(record.ceilings)
    return Section(
      id: "machine", title: "Machine, build and ceilings",
      [
        .details(
          "The machine, the build and the model",
          [
            .table(
              Table([.init("", .left), .init("", .left)], rows: properties.map { [.init($0), .init($1)] }))
          ]),
        .details("What it can do at most", [ceilingBlocks(ceilings)].flatMap { $0 }),
      ])
  }

  private func ceilingBlocks(_ ceilings: CeilingTable) -> [Block] {
    [
      .table(ceilings.table, label: "ceilings"),
      .list(record.ceilings.isEmpty ? [] : ceilings.remarks + [ceilingMethod]),
    ]
  }

  /// What is known of where it ran, each with its name.
  var properties: [(name: String, value: Prose)] {
    let (machine, build) = (record.machine, record.build)
    let pairs: [(String, Prose?)] = [
      ("CPU", "\(machine.cpu), \(counted(machine.logicalCores, "logical core"))"),
      ("Extensions", machine.flags.isEmpty ? nil : Prose(machine.flags.joined(separator: " "))),
      ("Caches", machine.caches.isEmpty ? nil : Prose(machine.caches.joined(separator: ", "))),
      ("Memory", machine.memoryBytes.map { "\(NumberText.significant(Double($0) / 1_073_741_824, 3)) GiB" }),
      ("Governor", machine.governor.map { Prose($0) }),
      ("System", Prose(machine.system)),
      ("BLAS", machine.blas.map { Prose($0) }),
      ("Fork and join", machine.forkJoin.map { Prose($0.words) }),
      ("Build", "gpt2-bench \(build.version), \(build.configuration), \(build.compiler)"),
      ("CPU flag", "`\(build.cpuFlag)`, float vectors of up to \(build.vectorBits) bits"),
      ("Commit", build.commit.map { Prose($0) }),
      ("Products", record.instructions.map { Prose($0) }),
      ("Model", record.model.map(Self.description)),
      ("Started", Prose(record.started)),
      ("Finished", record.finished.map { Prose($0) }),
    ]
    return pairs.compactMap { name, value in value.map { (name, $0) } }
  }

  private static func description(_ model: ModelDescription) -> Prose {
    """
    \(model.name): \(model.layers) layers, \(model.heads) heads, \(model.channels) channels, vocabulary \
    \(model.vocabulary), context \(model.context), \(model.parameters) parameters, weights \
    \(mebibytes(model.weightBytes)); TTFT starts at \(model.hasTokenizer ? "text" : "token ids")
    """
  }

  private var ceilingMethod: Prose {
    guard record.ceilings.contains(where: { $0.fmaTrials != nil }) else {
      return "The roof is the best of several short trials before and after the rounds."
    }
    let time = record.ceilingSeconds.map { ", which took \(NumberText.significant($0, 2)) s in all" } ?? ""
    return """
      The roof is the \(Int(Ceiling.roofQuantile * 100))th percentile of n trials before, between and after the \
      rounds\(time). The best trial may be luck, and the median may hold the load of other programs. Every trial is in \
      `record.json`. Each thread is on a core of its own and reads its own part of the memory. It reads in the fastest \
      of several patterns: one or more streams side by side, with each cache line prefetched some bytes ahead.
      """
  }
}

// Whether the machine held still.
extension RunReport {
  /// What was looked at, and what was found. Nil where the record knows nothing of the machine and nothing else was
  /// found.
  var conditions: Section? { validity(saysHow: true) }

  /// Without how each thing is found, where a manual says it.
  func validity(saysHow: Bool) -> Section? {
    guard record.conditions != nil || !validity.findings.isEmpty else { return nil }
    let how: Prose = record.conditions != nil && saysHow ? Self.conditionNote : ""
    return Section(
      id: "validity", title: "Validity",
      [findings, .details("What was looked at", checked + [.paragraph(how)])])
  }

  /// What speaks against the figures.
  private var findings: Block {
    let lines = validity.findings.map { finding -> Prose in
      let word: Prose = finding.severity == .warning ? "**Warning**" : "Note"
      return "\(word), \(finding.check): \(finding.text)."
    }
    return lines.isEmpty ? .paragraph("Nothing was found that speaks against these figures.") : .list(lines)
  }

  private var checked: [Block] {
    let isKnown = record.conditions != nil
    let missing = validity.unreadable
    let columns: [Column<ValidityCheck>] = [
      Column("checked", .text { $0.name }), Column("found", .text { $0.figure }),
      Column("limit", .text { $0.limit }), Column("", .text { $0.finding?.severity.rawValue }),
    ]
    return [
      .table(Table(columns, isKnown ? validity.checks.filter { !$0.figure.isEmpty } : [])),
      .paragraph(missing.isEmpty ? "" : "Not readable here: \(missing.joined(separator: ", "))."),
    ]
  }

  private static let conditionNote: Prose = """
    Load by others, in cores, is what all processes and the kernel used, less what this command and its contestants \
    used. Frequency drift is P90 / P10 − 1 of the times of a fixed chain of dependent operations on one core. The \
    chain is timed before the rounds, between them and after them; its time is proportional to 1 / clock rate. Mann \
    and Kendall's test judges the trend of these times and of each cell's samples; the medians of both halves of the \
    run give its size. Core-to-core latency is half of the time in which two threads on the same two cores pass a \
    cache line to and fro, from P10 to P90. `record.json` has every one of these times.
    """
}

/// The ceilings: for each number of threads the arithmetic, then the levels of memory.
public struct CeilingTable: Sendable {
  let table: Table
  let remarks: [Prose]

  public init(_ ceilings: [Ceiling]) {
    let rows = ceilings.flatMap { ceiling in
      let fma = Row(
        threads: ceiling.threads, name: "FMA, float32", unit: "GFLOP/s", trials: ceiling.fmaTrials,
        best: ceiling.fmaGFLOPS)
      let products = (ceiling.products ?? []).map { peak in
        Row(
          threads: ceiling.threads, name: peak.words, unit: "Gop/s", trials: peak.trials,
          best: peak.trials.max() ?? 0)
      }
      let memory = ceiling.memory?.map { level in
        Row(
          threads: ceiling.threads, name: level.level + " read", unit: "GB/s", trials: level.trials,
          best: level.trials.max() ?? 0, level: level)
      }
      let dram = Row(
        threads: ceiling.threads, name: "\(Ceiling.dram) read", unit: "GB/s", trials: nil,
        best: ceiling.dramGBPerSecond)
      return [fma] + products + (memory ?? [dram])
    }
    table = Table(Self.columns, rows)
    remarks = ceilings.flatMap { ceiling in
      (ceiling.memory ?? []).compactMap { level in
        level.remark.map { "\(counted(ceiling.threads, "thread")), \(level.level): \($0)" }
      }
    }
  }

  /// - Parameter width: columns of the terminal; nil where there is none.
  public func text(width: Int? = nil) -> String {
    let remarks = remarks.map { remark in width.map { remark.plain.wrapped(to: $0) } ?? remark.plain }
    return ([table.terminal(colour: false, width: width ?? .max)] + remarks).joined(separator: "\n")
  }

  private struct Row: Sendable {
    let threads: Int
    let name, unit: String
    let trials: [Double]?
    let best: Double
    var level: MemoryRoof?
    var roof: Double { quantile(Ceiling.roofQuantile) ?? best }

    func quantile(_ share: Double) -> Double? { trials.flatMap { quantiles($0, [share]) }?[0] }
  }

  private static var columns: [Column<Row>] {
    [
      Column("threads", .integer { $0.threads }), Column("ceiling", .text { $0.name }),
      Column("unit", .text { $0.unit }), Column("roof", .number { $0.roof }),
      Column("a thread", rank: 2, .number { $0.roof / Double($0.threads) }),
      Column("median", .number { $0.quantile(0.5) }), Column("best", .number { $0.best }),
      Column("n", rank: 3, .integer { $0.trials?.count }),
      Column(
        "working set", alignment: .right, rank: 4, .text { $0.level.map { mebibytes($0.workingSetBytes, 3) } }
      ),
      Column("read as", rank: 5, .text { $0.level?.pattern }),
    ]
  }
}

extension MemoryRoof {
  /// `4 streams, 1024 B ahead`
  fileprivate var pattern: String {
    counted(streams, "stream") + (prefetchBytes > 0 ? ", \(prefetchBytes) B ahead" : "")
  }
}

extension Record {
  /// `bf16 on avx512_bf16; int8 and int4 on avx512_vnni`: what products with each precision of weights ran on; nil where
  /// no contestant said so.
  var instructions: String? {
    let named =
      cells.compactMap { cell in cell.instructions.map { (cell.weights, $0) } }
      + (profiles ?? []).compactMap { profile in profile.instructions.map { (profile.weights, $0) } }
    let sentences = named.map(\.1).uniqued().map { instructions in
      "\(named.filter { $0.1 == instructions }.map(\.0).uniqued().list) on \(instructions)"
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
  }
}

extension ForkJoin {
  /// `2 threads: 0.91 µs hot, 12 µs woken`
  public var words: String {
    "\(counted(threads, "thread")): \(NumberText.significant(hotMicroseconds, 3)) µs hot, "
      + "\(NumberText.significant(wokenMicroseconds, 3)) µs woken"
  }
}
