/// What must be the same in two records for their figures to be comparable.
enum Comparability {
  /// One line for each difference, and for a record that is incomplete.
  static func warnings(base: Record, head: Record) -> [String] {
    let pairs: [(String, String, String)] = [
      ("kind of run", base.kind.rawValue, head.kind.rawValue),
      ("model", model(base), model(head)),
      ("CPU", base.machine.cpu, head.machine.cpu),
      ("logical cores", "\(base.machine.logicalCores)", "\(head.machine.logicalCores)"),
      ("governor", base.machine.governor ?? "unknown", head.machine.governor ?? "unknown"),
      ("vector width", "\(base.build.vectorBits) bits", "\(head.build.vectorBits) bits"),
      ("compiler", base.build.compiler, head.build.compiler),
      ("configuration", base.build.configuration, head.build.configuration),
      ("CPU flag", base.build.cpuFlag, head.build.cpuFlag),
    ]
    let differences = pairs.filter { $0.1 != $0.2 }.map { name, old, new in
      "Not comparable: the \(name) differs: base \(old.singleLine), head \(new.singleLine)."
    }
    let incomplete = [("base", base), ("head", head)].filter { !$0.1.isComplete }.map { name, _ in
      "The \(name) record is incomplete."
    }
    return differences + incomplete
  }

  private static func model(_ record: Record) -> String {
    record.model.map { "\($0.name) (\(counted($0.parameters, "parameter")))" } ?? "none"
  }
}
