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
      + (model.hasTokenizer ? "text" : "token ids (no tokenizer)")
  }

  private static func ceilings(_ record: Record) -> String {
    guard !record.ceilings.isEmpty else { return "" }
    var table = MarkdownTable([
      ("threads", .right), ("peak FMA GFLOP/s, float32", .right), ("DRAM read GB/s", .right),
    ])
    table.rows = record.ceilings.map {
      [
        "\($0.threads)", NumberText.significant($0.fmaGFLOPS), NumberText.significant($0.dramGBPerSecond),
      ]
    }
    return table.text
  }
}
