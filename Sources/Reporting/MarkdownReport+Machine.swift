import Record

extension MarkdownReport {
  /// The machine, the build, the model and the ceilings that the roofline used.
  static func machine(_ record: Record) -> String {
    section(
      "Machine, build and ceilings",
      [properties(record), ceilings(record)])
  }

  private static func properties(_ record: Record) -> String {
    let machine = record.machine
    let build = record.build
    let pairs: [(String, String?)] = [
      ("CPU", "\(machine.cpu), \(counted(machine.logicalCores, "logical core"))"),
      ("Extensions", machine.flags.isEmpty ? nil : machine.flags.joined(separator: " ")),
      ("Caches", machine.caches.isEmpty ? nil : machine.caches.joined(separator: ", ")),
      ("Memory", machine.memoryBytes.map { "\(NumberText.significant(Double($0) / 1_073_741_824, 3)) GiB" }),
      ("Governor", machine.governor),
      ("System", machine.system),
      ("BLAS", machine.blas),
      ("Fork and join", machine.forkJoin?.words),
      ("Build", "gpt2-bench \(build.version), \(build.configuration), \(build.compiler)"),
      ("CPU flag", "`\(build.cpuFlag)`, float vectors of up to \(build.vectorBits) bits"),
      ("Commit", build.commit),
      ("Model", record.model.map(description)),
      ("Started", record.started),
      ("Finished", record.finished),
    ]
    var table = MarkdownTable([("", .left), ("", .left)])
    table.rows = pairs.compactMap { name, value in value.map { [name, $0] } }
    return table.text
  }

  private static func description(_ model: ModelDescription) -> String {
    "\(model.name): \(model.layers) layers, \(model.heads) heads, \(model.channels) channels, vocabulary "
      + "\(model.vocabulary), context \(model.context), \(model.parameters) parameters, weights "
      + "\(NumberText.significant(Double(model.weightBytes) / 1_048_576)) MiB; TTFT starts at "
      + (model.hasTokenizer ? "text" : "token ids")
  }

  private static func ceilings(_ record: Record) -> String {
    guard !record.ceilings.isEmpty else { return "" }
    let ceilings = CeilingTable(record.ceilings)
    var table = MarkdownTable(CeilingTable.headings)
    table.rows = ceilings.rows
    return ([table.text, list(ceilings.remarks + [ceilingMethod(record)])]).joined(separator: "\n\n")
  }

  private static func ceilingMethod(_ record: Record) -> String {
    guard record.ceilings.contains(where: { $0.fmaTrials != nil }) else {
      return "The roof is the best of several short trials before and after the rounds."
    }
    let time = record.ceilingSeconds.map { ", which took \(NumberText.significant($0, 2)) s in all" } ?? ""
    return
      "The roof is the \(Int(Ceiling.roofQuantile * 100))th percentile of n trials before, between and after "
      + "the rounds\(time): the best is luck, the median may be somebody else's load. Every trial is in "
      + "`record.json`. Each thread is on a core of its own and reads its own part, in the fastest of several "
      + "patterns: so many streams side by side, each line asked for so far ahead."
  }
}

extension ForkJoin {
  /// `2 threads: 0.91 µs hot, 12 µs woken`
  public var words: String {
    "\(counted(threads, "thread")): \(NumberText.significant(hotMicroseconds, 3)) µs hot, "
      + "\(NumberText.significant(wokenMicroseconds, 3)) µs woken"
  }
}
