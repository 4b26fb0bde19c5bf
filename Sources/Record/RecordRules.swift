/// The ranges that the numbers of a decoded record of either kind must keep, so that arithmetic on them cannot trap.
struct RecordRules {
  let path: String
  static let sizes = 1...Int(Int32.max)

  /// - Throws: `RecordError.invalid` for the first field out of its range.
  func check(_ record: Record) throws {
    for (index, cell) in record.cells.enumerated() {
      try check(cell, field: "cells[\(index)]")
    }
    for (index, ceiling) in record.ceilings.enumerated() { try check(ceiling, field: "ceilings[\(index)]") }
    try record.ceilingSeconds.map { try positive($0, "ceilingSeconds") }
    try record.conditions.map { try check($0, field: "conditions") }
    for (index, profile) in (record.profiles ?? []).enumerated() {
      try check(profile, field: "profiles[\(index)]")
    }
  }

  private func check(_ conditions: Conditions, field: String) throws {
    for (index, stretch) in conditions.stretches.enumerated() {
      let field = "\(field).stretches[\(index)]"
      try notNegative(stretch.startSeconds, "\(field).startSeconds")
      try positive(stretch.seconds, "\(field).seconds")
      try stretch.cores.map { try size($0, "\(field).cores") }
      try stretch.busySeconds.map { try notNegative($0, "\(field).busySeconds") }
      try stretch.ownSeconds.map { try notNegative($0, "\(field).ownSeconds") }
      try stretch.stolenSeconds.map { try notNegative($0, "\(field).stolenSeconds") }
      try stretch.totalSeconds.map { try notNegative($0, "\(field).totalSeconds") }
    }
    for (index, sample) in conditions.calibration.enumerated() {
      let field = "\(field).calibration[\(index)]"
      try notNegative(sample.atSeconds, "\(field).atSeconds")
      try inRange(sample.nanoseconds, 1...Int.max, "\(field).nanoseconds")
      try sample.frequencyMHz.map { try positive($0, "\(field).frequencyMHz") }
    }
    for (index, sample) in (conditions.coreToCore ?? []).enumerated() {
      let field = "\(field).coreToCore[\(index)]"
      try notNegative(sample.atSeconds, "\(field).atSeconds")
      try positive(sample.nanoseconds, "\(field).nanoseconds")
    }
    let counts = [
      ("pagesSwappedIn", conditions.pagesSwappedIn), ("pagesSwappedOut", conditions.pagesSwappedOut),
      ("groupThrottledPeriods", conditions.groupThrottledPeriods),
      ("coreThrottles", conditions.coreThrottles), ("packageThrottles", conditions.packageThrottles),
    ]
    for (name, count) in counts { try count.map { try inRange($0, 0...Int.max, "\(field).\(name)") } }
    try conditions.groupThrottledSeconds.map { try notNegative($0, "\(field).groupThrottledSeconds") }
  }

  private func check(_ cell: Cell, field: String) throws {
    try size(cell.threads, "\(field).threads")
    try check(cell.test, field: "\(field).test")
    for (index, sample) in cell.samples.enumerated() {
      try check(sample, field: "\(field).samples[\(index)]")
    }
    try cell.flops.map { try positive($0, "\(field).flops") }
    try cell.bytes.map { try positive($0, "\(field).bytes") }
    try cell.cacheBytes.map { try positive($0, "\(field).cacheBytes") }
    try cell.streamedBytes.map { try notNegative($0, "\(field).streamedBytes") }
    try cell.peakMemoryBytes.map { try inRange($0, 1...Int.max, "\(field).peakMemoryBytes") }
    try cell.baselineMemoryBytes.map { try inRange($0, 1...Int.max, "\(field).baselineMemoryBytes") }
    try cell.load?.coldNanoseconds.map { try inRange($0, 1...Int.max, "\(field).load.coldNanoseconds") }
    try cell.load?.warmNanoseconds.map { try inRange($0, 1...Int.max, "\(field).load.warmNanoseconds") }
    for (index, sample) in (cell.load?.samples ?? []).enumerated() {
      let field = "\(field).load.samples[\(index)]"
      try inRange(sample.round, 0...Self.sizes.upperBound, "\(field).round")
      try inRange(sample.loadNanoseconds, 1...Int.max, "\(field).loadNanoseconds")
      try inRange(
        sample.firstTokenNanoseconds, sample.loadNanoseconds...Int.max, "\(field).firstTokenNanoseconds")
    }
  }

  private func check(_ test: Test, field: String) throws {
    switch test {
    case .prefill(let tokens, let batch):
      try size(tokens, "\(field).prefill.tokens")
      try size(batch, "\(field).prefill.batch")
    case .decode(let tokens, let depth, let batch):
      try size(tokens, "\(field).decode.tokens")
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).decode.depth")
      try size(batch, "\(field).decode.batch")
    case .operation(let shape): try check(shape, field: field)
    }
  }

  private func check(_ shape: OperationShape, field: String) throws {
    let field = Self.field(of: shape, in: field)
    func sizes(_ values: (Int, String)...) throws {
      for (value, name) in values { try size(value, "\(field).\(name)") }
    }
    switch shape {
    case .matmul(let m, let k, let n): try sizes((m, "m"), (k, "k"), (n, "n"))
    case .layerNorm(let rows, let channels), .gelu(let rows, let channels):
      try sizes((rows, "rows"), (channels, "channels"))
    case .softmax(let rows, let heads, let depth):
      try sizes((rows, "rows"), (heads, "heads"))
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).depth")
    case .attention(let rows, let heads, let headSize, let depth):
      try sizes((rows, "rows"), (heads, "heads"), (headSize, "headSize"))
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).depth")
    case .embedding(let rows, let channels, let vocabulary):
      try sizes((rows, "rows"), (channels, "channels"), (vocabulary, "vocabulary"))
    case .sampling(let vocabulary, _): try sizes((vocabulary, "vocabulary"))
    }
  }

  /// Where JSON has the sizes of an operation of the test in `field`.
  private static func field(of shape: OperationShape, in field: String) -> String {
    let name =
      switch shape {
      case .matmul: "gemm"
      case .layerNorm: "operation.shape.layerNorm"
      case .gelu: "operation.shape.gelu"
      case .softmax: "operation.shape.softmax"
      case .attention: "operation.shape.attention"
      case .embedding: "operation.shape.embedding"
      case .sampling: "operation.shape.sampling"
      }
    return "\(field).\(name)"
  }

  private func check(_ ceiling: Ceiling, field: String) throws {
    try size(ceiling.threads, "\(field).threads")
    try positive(ceiling.fmaGFLOPS, "\(field).fmaGFLOPS")
    try positive(ceiling.dramGBPerSecond, "\(field).dramGBPerSecond")
    try ceiling.fmaTrials.map { try trials($0, "\(field).fmaTrials") }
    for (index, level) in (ceiling.memory ?? []).enumerated() {
      let field = "\(field).memory[\(index)]"
      try trials(level.trials, "\(field).trials")
      try level.capacityBytes.map { try inRange($0, 1...Int.max, "\(field).capacityBytes") }
      try inRange(level.workingSetBytes, 1...Int.max, "\(field).workingSetBytes")
      try inRange(level.streams, 1...Int.max, "\(field).streams")
      try inRange(level.prefetchBytes, 0...Int.max, "\(field).prefetchBytes")
    }
  }

  private func trials(_ rates: [Double], _ field: String) throws {
    guard !rates.isEmpty else {
      throw RecordError.invalid(path: path, field: field, found: "none", expected: "at least one trial")
    }
    for (index, rate) in rates.enumerated() { try positive(rate, "\(field)[\(index)]") }
  }

  private func check(_ sample: Sample, field: String) throws {
    try positive(sample.elapsedNanoseconds, "\(field).elapsedNanoseconds")
    try inRange(sample.round, 0...Self.sizes.upperBound, "\(field).round")
    try sample.prefillNanoseconds.map { try inRange($0, 1...Int.max, "\(field).prefillNanoseconds") }
    var previous = 0
    for (index, time) in sample.tokenNanoseconds.enumerated() {
      try inRange(time, previous...Int.max, "\(field).tokenNanoseconds[\(index)]")
      previous = time
    }
    for (name, count) in (sample.counters ?? [:]).sorted(by: { $0.key < $1.key }) {
      try inRange(count, 0...Int.max, "\(field).counters.\(name)")
    }
    try sample.countersShare.map { try positive($0, "\(field).countersShare") }
  }

  private func size(_ value: Int, _ field: String) throws {
    try inRange(value, Self.sizes, field)
  }

  private func inRange(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws {
    guard !range.contains(value) else { return }
    let expected =
      range.upperBound == Int.max
      ? "an integer of at least \(range.lowerBound)"
      : "an integer in \(range.lowerBound)...\(range.upperBound)"
    throw RecordError.invalid(path: path, field: field, found: "\(value)", expected: expected)
  }

  private func notNegative(_ value: Double, _ field: String) throws {
    guard !(value >= 0 && value.isFinite) else { return }
    throw RecordError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number of at least 0")
  }

  private func positive(_ value: Double, _ field: String) throws {
    guard !(value > 0 && value.isFinite) else { return }
    throw RecordError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number above 0")
  }
}

extension RecordRules {
  /// - Throws: `RecordError.invalid` for the first field out of its range.
  func check(_ profile: Profile, field: String) throws {
    try size(profile.threads, "\(field).threads")
    try inRange(profile.tokens, 0...Self.sizes.upperBound, "\(field).tokens")
    for (index, time) in profile.passNanoseconds.enumerated() {
      try positive(time, "\(field).passNanoseconds[\(index)]")
    }
    try inRange(
      profile.keptPasses, 1...max(profile.passNanoseconds.count, 1), "\(field).keptPasses")
    try positive(profile.wallNanoseconds, "\(field).wallNanoseconds")
    try atMost(Self.longest, profile.wallNanoseconds, "\(field).wallNanoseconds")
    for (index, entry) in profile.entries.enumerated() {
      try check(entry, field: "\(field).entries[\(index)]")
    }
    if let overhead = profile.overhead {
      for (name, times) in [
        ("withNanoseconds", overhead.withNanoseconds), ("withoutNanoseconds", overhead.withoutNanoseconds),
      ] {
        for (index, time) in times.enumerated() {
          try positive(time, "\(field).overhead.\(name)[\(index)]")
        }
      }
    }
    for (index, time) in profile.threadTimes.enumerated() {
      try notNegative(time.busyNanoseconds, "\(field).threadTimes[\(index)].busyNanoseconds")
      try notNegative(time.waitNanoseconds, "\(field).threadTimes[\(index)].waitNanoseconds")
    }
  }

  private func check(_ entry: Profile.Entry, field: String) throws {
    try entry.layer.map { try inRange($0, 0...Self.sizes.upperBound, "\(field).layer") }
    try inRange(entry.calls, 0...Self.sizes.upperBound, "\(field).calls")
    let numbers = [
      ("nanoseconds", entry.nanoseconds), ("waitNanoseconds", entry.waitNanoseconds), ("flops", entry.flops),
      ("streamedBytes", entry.streamedBytes), ("activationBytes", entry.activationBytes),
    ]
    for (name, number) in numbers { try notNegative(number, "\(field).\(name)") }
    try atMost(Self.longest, entry.nanoseconds, "\(field).nanoseconds")
    try atMost(Self.longest, entry.waitNanoseconds, "\(field).waitNanoseconds")
  }

  /// A century, in nanoseconds: no pass takes longer, and no table has room for it.
  private static let longest = 3e18

  private func atMost(_ limit: Double, _ value: Double, _ field: String) throws {
    guard value > limit else { return }
    throw RecordError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number of at most \(limit)")
  }
}

extension RecordRules {
  /// Every index means something, too. What the settings' texts say is the reader's business.
  ///
  /// - Throws: `RecordError.invalid` for the first field out of its range.
  func check(_ record: PairedRecord) throws {
    try check(record.settings)
    for (index, contestant) in record.contestants.enumerated() {
      try size(contestant.threads, "contestants[\(index)].threads")
    }
    let contestants = 0..<record.contestants.count
    for (index, unit) in record.units.enumerated() {
      try isIndex(unit.contestant, contestants, "units[\(index)].contestant")
      try unit.rounds.map { try size($0, "units[\(index)].rounds") }
      try check(unit.test, field: "units[\(index)].test")
    }
    for (index, lost) in record.lost.enumerated() {
      try isIndex(lost.contestant, contestants, "lost[\(index)].contestant")
    }
    try record.conditions.map { try check($0, field: "conditions") }
    for (index, block) in record.blocks.enumerated() { try check(block, record, "blocks[\(index)]") }
  }

  private func check(_ settings: PairedSettings) throws {
    try require(
      settings.alpha > 0 && settings.alpha < 1, "settings.alpha", "\(settings.alpha)",
      "a number between 0 and 1")
    try inRange(settings.firstLook, 2...1_000_000, "settings.firstLook")
    try inRange(settings.confirmationBlocks, 0...1_000_000, "settings.confirmationBlocks")
    try positive(settings.budgetSeconds, "settings.budgetSeconds")
  }

  private func check(_ block: PairedBlock, _ record: PairedRecord, _ field: String) throws {
    for (index, process) in block.processes.enumerated() {
      let field = "\(field).processes[\(index)]"
      try isIndex(process.contestant, 0..<record.contestants.count, "\(field).contestant")
      try process.loadNanoseconds.map { try inRange($0, 1...Int.max, "\(field).loadNanoseconds") }
      try process.peakMemoryBytes.map { try inRange($0, 1...Int.max, "\(field).peakMemoryBytes") }
    }
    for (index, taken) in block.samples.enumerated() {
      try isIndex(taken.unit, 0..<record.units.count, "\(field).samples[\(index)].unit")
      try check(taken.sample, field: "\(field).samples[\(index)].sample")
    }
  }

  private func isIndex(_ value: Int, _ range: Range<Int>, _ field: String) throws {
    try require(range.contains(value), field, "\(value)", "an index below \(range.upperBound)")
  }

  private func require(_ condition: Bool, _ field: String, _ found: String, _ expected: String) throws {
    guard !condition else { return }
    throw RecordError.invalid(path: path, field: field, found: found, expected: expected)
  }
}

extension Profile {
  /// Whether every number is in its range, as in a record's file.
  ///
  /// - Parameter source: who said it; an error opens with that.
  /// - Throws: `RecordError.invalid` for the first field that is not.
  public func check(source: String) throws {
    try RecordRules(path: source).check(self, field: "profile")
  }
}
