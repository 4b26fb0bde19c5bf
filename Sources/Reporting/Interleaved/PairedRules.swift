/// The ranges that a decoded paired record's numbers must keep, so that arithmetic on them cannot trap and every index
/// means something.
struct PairedRules {
  let path: String
  /// What holds for records of either kind.
  private var common: RecordRules { RecordRules(path: path) }
  private static let counts = 1...Int(Int32.max)

  /// - Throws: `ReportingError.invalid` for the first field out of its range.
  func check(_ record: PairedRecord) throws {
    try require(
      record.kind == PairedRecord.kindName, "kind", "\"\(record.kind)\"", "\"\(PairedRecord.kindName)\"")
    try check(record.settings)
    for (index, contestant) in record.contestants.enumerated() {
      try common.inRange(contestant.threads, Self.counts, "contestants[\(index)].threads")
    }
    let contestants = 0..<record.contestants.count
    for (index, unit) in record.units.enumerated() {
      try isIndex(unit.contestant, contestants, "units[\(index)].contestant")
      try unit.rounds.map { try common.inRange($0, Self.counts, "units[\(index)].rounds") }
      try common.check(unit.test, field: "units[\(index)].test")
    }
    for (index, lost) in record.lost.enumerated() {
      try isIndex(lost.contestant, contestants, "lost[\(index)].contestant")
    }
    try record.conditions.map { try common.check($0, field: "conditions") }
    for (index, block) in record.blocks.enumerated() { try check(block, record, "blocks[\(index)]") }
  }

  private func check(_ settings: PairedSettings) throws {
    try require(
      settings.alpha > 0 && settings.alpha < 1, "settings.alpha", "\(settings.alpha)",
      "a number between 0 and 1")
    try common.inRange(settings.firstLook, 2...1_000_000, "settings.firstLook")
    try common.inRange(settings.confirmationBlocks, 0...1_000_000, "settings.confirmationBlocks")
    try common.positive(settings.budgetSeconds, "settings.budgetSeconds")
    do {
      _ = try Thresholds(parsing: settings.maxRegression)
      if let rows = settings.rows { _ = try RowFilter(parsing: rows) }
    } catch {
      throw ReportingError.invalid(
        path: path, field: "settings", found: error.found, expected: error.expected)
    }
  }

  private func check(_ block: PairedBlock, _ record: PairedRecord, _ field: String) throws {
    for (index, process) in block.processes.enumerated() {
      let field = "\(field).processes[\(index)]"
      try isIndex(process.contestant, 0..<record.contestants.count, "\(field).contestant")
      try process.loadNanoseconds.map { try common.inRange($0, 1...Int.max, "\(field).loadNanoseconds") }
      try process.peakMemoryBytes.map { try common.inRange($0, 1...Int.max, "\(field).peakMemoryBytes") }
    }
    for (index, taken) in block.samples.enumerated() {
      try isIndex(taken.unit, 0..<record.units.count, "\(field).samples[\(index)].unit")
      try common.check(taken.sample, field: "\(field).samples[\(index)].sample")
    }
  }

  private func isIndex(_ value: Int, _ range: Range<Int>, _ field: String) throws {
    try require(range.contains(value), field, "\(value)", "an index below \(range.upperBound)")
  }

  private func require(_ condition: Bool, _ field: String, _ found: String, _ expected: String) throws {
    guard !condition else { return }
    throw ReportingError.invalid(path: path, field: field, found: found, expected: expected)
  }
}
