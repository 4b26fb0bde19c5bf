/// The ranges that the numbers of a decoded record of either kind must keep, so that arithmetic on them cannot trap.
///
/// Every `check` throws `RecordError.invalid` for the first field out of its range.
struct RecordRules {
  let path: String

  private static let sizes = 1...Int(Int32.max)
  /// A century, in nanoseconds: no pass takes longer, and no table has room for it.
  private static let longest = 3e18

  func check(_ record: Record) throws {
    try size(record.machine.logicalCores, "machine.logicalCores")
    try each(record.cells, "cells", check)
    try each(record.ceilings, "ceilings", check)
    try each(record.correctness, "correctness", check)
    try all("", positive, ("ceilingSeconds", record.ceilingSeconds))
    try record.conditions.map { try check($0, "conditions") }
    try each(record.profiles, "profiles", check)
  }

  /// Every index means something, too. What the settings' texts say is the reader's business.
  func check(_ record: PairedRecord) throws {
    try check(record.settings)
    try size(record.machine.logicalCores, "machine.logicalCores")
    let contestants = 0..<record.contestants.count
    try each(record.contestants, "contestants") { try all($1, size, ("threads", $0.threads)) }
    try each(record.units, "units") { unit, field in
      try isIndex(unit.contestant, contestants, "\(field).contestant")
      try all(field, size, ("rounds", unit.rounds))
      try check(unit.test, "\(field).test")
    }
    try each(record.lost, "lost") { try isIndex($0.contestant, contestants, "\($1).contestant") }
    try record.conditions.map { try check($0, "conditions") }
    try each(record.correctness, "correctness") { try check($0.outcome, "\($1).outcome") }
    try each(record.blocks, "blocks") { block, field in
      try each(block.processes, "\(field).processes") { process, field in
        try isIndex(process.contestant, contestants, "\(field).contestant")
        try all(
          field, atLeastOne, ("loadNanoseconds", process.loadNanoseconds),
          ("peakMemoryBytes", process.peakMemoryBytes))
      }
      try each(block.samples, "\(field).samples") { taken, field in
        try isIndex(taken.unit, 0..<record.units.count, "\(field).unit")
        try check(taken.sample, "\(field).sample")
      }
    }
  }

  private func check(_ settings: PairedSettings) throws {
    try require(
      settings.alpha > 0 && settings.alpha < 1, "settings.alpha", "\(settings.alpha)",
      "a number between 0 and 1")
    try inRange(settings.firstLook, 2...1_000_000, "settings.firstLook")
    try inRange(settings.confirmationBlocks, 0...1_000_000, "settings.confirmationBlocks")
    try positive(settings.budgetSeconds, "settings.budgetSeconds")
  }

  private func check(_ cell: Cell, _ field: String) throws {
    try size(cell.threads, "\(field).threads")
    try check(cell.test, "\(field).test")
    try each(cell.samples, "\(field).samples", check)
    try all(
      field, positive, ("flops", cell.flops), ("bytes", cell.bytes), ("cacheBytes", cell.cacheBytes))
    try all(field, notNegative, ("streamedBytes", cell.streamedBytes))
    try all(
      field, atLeastOne, ("peakMemoryBytes", cell.peakMemoryBytes),
      ("baselineMemoryBytes", cell.baselineMemoryBytes),
      ("load.coldNanoseconds", cell.load?.coldNanoseconds),
      ("load.warmNanoseconds", cell.load?.warmNanoseconds))
    try each(cell.load?.samples, "\(field).load.samples") { sample, field in
      try count(sample.round, "\(field).round")
      try atLeastOne(sample.loadNanoseconds, "\(field).loadNanoseconds")
      try inRange(
        sample.firstTokenNanoseconds, sample.loadNanoseconds...Int.max, "\(field).firstTokenNanoseconds")
      try all(field, atLeastOne, ("peakMemoryBytes", sample.peakMemoryBytes))
    }
  }

  private func check(_ correctness: Correctness, _ field: String) throws {
    try all(field, notNegative, ("kl", correctness.kl), ("top1", correctness.top1))
    guard let delta = correctness.deltaPerplexity else { return }
    try require(
      delta > -1 && delta.isFinite, "\(field).deltaPerplexity", "\(delta)", "a number above -1")
  }

  /// Every number of a test is a size, but for a depth, which may be 0. Each has the names that JSON has it under.
  private func check(_ test: Test, _ field: String) throws { try sizes(of: test.stored, field) }

  /// Of the values of an enumeration's case.
  /// - Parameter field: where the choice stands; empty for the message itself.
  fileprivate func sizes(of choice: Any, _ field: String) throws {
    guard let (name, values) = Mirror(reflecting: choice).children.first, let name else { return }
    for case (let label?, let value) in Mirror(reflecting: values).children {
      let field = (field.isEmpty ? "" : "\(field).") + "\(name).\(label)"
      if let number = value as? Int {
        try (label == "depth" ? count : size)(number, field)
      } else {
        try sizes(of: value, field)
      }
    }
  }

  private func check(_ sample: Sample, _ field: String) throws {
    try positive(sample.elapsedNanoseconds, "\(field).elapsedNanoseconds")
    try count(sample.round, "\(field).round")
    try all(field, atLeastOne, ("prefillNanoseconds", sample.prefillNanoseconds))
    var previous = 0
    try each(sample.tokenNanoseconds, "\(field).tokenNanoseconds") { time, field in
      try inRange(time, previous...Int.max, field)
      previous = time
    }
    for (name, count) in (sample.counters ?? [:]).sorted(by: { $0.key < $1.key }) {
      try atLeastZero(count, "\(field).counters.\(name)")
    }
    try all(field, positive, ("countersShare", sample.countersShare))
    try each(sample.memoryGBPerSecond, "\(field).memoryGBPerSecond") { try positive($0, $1) }
  }

  private func check(_ ceiling: Ceiling, _ field: String) throws {
    try size(ceiling.threads, "\(field).threads")
    try all(
      field, positive, ("fmaGFLOPS", ceiling.fmaGFLOPS), ("dramGBPerSecond", ceiling.dramGBPerSecond))
    try ceiling.fmaTrials.map { try trials($0, "\(field).fmaTrials") }
    try each(ceiling.products, "\(field).products") { try trials($0.trials, "\($1).trials") }
    try each(ceiling.memory, "\(field).memory") { level, field in
      try trials(level.trials, "\(field).trials")
      try all(
        field, atLeastOne, ("capacityBytes", level.capacityBytes),
        ("workingSetBytes", level.workingSetBytes), ("streams", level.streams))
      try atLeastZero(level.prefetchBytes, "\(field).prefetchBytes")
    }
  }

  private func trials(_ rates: [Double], _ field: String) throws {
    try require(!rates.isEmpty, field, "none", "at least one trial")
    try each(rates, field, positive)
  }

  private func check(_ conditions: Conditions, _ field: String) throws {
    try each(conditions.stretches, "\(field).stretches") { stretch, field in
      try positive(stretch.seconds, "\(field).seconds")
      try all(field, size, ("cores", stretch.cores))
      try all(
        field, notNegative, ("startSeconds", stretch.startSeconds), ("busySeconds", stretch.busySeconds),
        ("ownSeconds", stretch.ownSeconds), ("stolenSeconds", stretch.stolenSeconds),
        ("totalSeconds", stretch.totalSeconds))
    }
    try each(conditions.calibration, "\(field).calibration") { sample, field in
      try notNegative(sample.atSeconds, "\(field).atSeconds")
      try atLeastOne(sample.nanoseconds, "\(field).nanoseconds")
      try all(field, positive, ("frequencyMHz", sample.frequencyMHz))
    }
    try each(conditions.coreToCore, "\(field).coreToCore") { sample, field in
      try notNegative(sample.atSeconds, "\(field).atSeconds")
      try positive(sample.nanoseconds, "\(field).nanoseconds")
    }
    try all(
      field, atLeastZero, ("pagesSwappedIn", conditions.pagesSwappedIn),
      ("pagesSwappedOut", conditions.pagesSwappedOut),
      ("groupThrottledPeriods", conditions.groupThrottledPeriods),
      ("coreThrottles", conditions.coreThrottles), ("packageThrottles", conditions.packageThrottles))
    try all(field, notNegative, ("groupThrottledSeconds", conditions.groupThrottledSeconds))
  }

  fileprivate func check(_ profile: Profile, _ field: String) throws {
    try size(profile.threads, "\(field).threads")
    try count(profile.tokens, "\(field).tokens")
    try all(field, size, ("batch", profile.batch))
    try each(profile.passNanoseconds, "\(field).passNanoseconds", positive)
    try inRange(
      profile.keptPasses, 1...max(profile.passNanoseconds.count, 1), "\(field).keptPasses")
    try positive(profile.wallNanoseconds, "\(field).wallNanoseconds")
    try notTooLong(profile.wallNanoseconds, "\(field).wallNanoseconds")
    try each(profile.entries, "\(field).entries") { entry, field in
      try all(field, count, ("layer", entry.layer), ("calls", entry.calls))
      try all(
        field, notNegative, ("nanoseconds", entry.nanoseconds), ("waitNanoseconds", entry.waitNanoseconds),
        ("flops", entry.flops), ("streamedBytes", entry.streamedBytes),
        ("activationBytes", entry.activationBytes))
      try all(
        field, notTooLong, ("nanoseconds", entry.nanoseconds), ("waitNanoseconds", entry.waitNanoseconds))
    }
    try each(profile.overhead?.withNanoseconds, "\(field).overhead.withNanoseconds", positive)
    try each(profile.overhead?.withoutNanoseconds, "\(field).overhead.withoutNanoseconds", positive)
    try each(profile.threadTimes, "\(field).threadTimes") { time, field in
      try all(
        field, notNegative, ("busyNanoseconds", time.busyNanoseconds),
        ("waitNanoseconds", time.waitNanoseconds))
    }
  }
}

extension Profile {
  /// Whether every number is in its range, as in a record's file.
  ///
  /// - Parameter source: who said it; an error opens with that.
  /// - Throws: `RecordError.invalid` for the first field that is not.
  public func check(source: String) throws { try RecordRules(path: source).check(self, "profile") }
}

extension OperationShape {
  /// Whether every size is in its range, as in a record's file, so that arithmetic on it cannot trap. What it needs of
  /// memory is another question.
  ///
  /// - Parameter source: who said it; an error opens with that and the field, as `encode(beside:)` names it.
  /// - Throws: `RecordError.invalid` for the first size that is not.
  public func check(source: String) throws {
    let rules = RecordRules(path: source)
    if case .gemm(let m, let k, let n) = Test.operation(self).stored {
      try rules.sizes(of: Test.Stored.gemm(m: m, k: k, n: n), "")
    } else {
      try rules.sizes(of: self, "operation")
    }
  }
}

// The rules themselves: each takes a value and the field that it stands in.
extension RecordRules {
  /// Holds the fields in `parent` to the rule, as far as they are there.
  private func all<Value>(
    _ parent: String, _ rule: (Value, String) throws -> Void, _ fields: (name: String, value: Value?)...
  ) throws {
    for field in fields {
      guard let value = field.value else { continue }
      try rule(value, parent.isEmpty ? field.name : "\(parent).\(field.name)")
    }
  }

  /// Holds the elements in `field` to the rule.
  private func each<Element>(
    _ elements: [Element]?, _ field: String, _ rule: (Element, String) throws -> Void
  ) throws {
    for (index, element) in (elements ?? []).enumerated() { try rule(element, "\(field)[\(index)]") }
  }

  private func size(_ value: Int, _ field: String) throws { try inRange(value, Self.sizes, field) }

  private func count(_ value: Int, _ field: String) throws {
    try inRange(value, 0...Self.sizes.upperBound, field)
  }

  private func atLeastOne(_ value: Int, _ field: String) throws { try inRange(value, 1...Int.max, field) }

  private func atLeastZero(_ value: Int, _ field: String) throws { try inRange(value, 0...Int.max, field) }

  private func inRange(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws {
    try RecordError.unless(value, in: range, of: path, field)
  }

  private func isIndex(_ value: Int, _ range: Range<Int>, _ field: String) throws {
    try require(range.contains(value), field, "\(value)", "an index below \(range.upperBound)")
  }

  private func notNegative(_ value: Double, _ field: String) throws {
    try require(value >= 0 && value.isFinite, field, "\(value)", "a number of at least 0")
  }

  private func positive(_ value: Double, _ field: String) throws {
    try require(value > 0 && value.isFinite, field, "\(value)", "a number above 0")
  }

  private func notTooLong(_ nanoseconds: Double, _ field: String) throws {
    try require(
      nanoseconds <= Self.longest, field, "\(nanoseconds)", "a number of at most \(Self.longest)")
  }

  /// - Parameters:
  ///   - found, expected: made where the condition does not hold.
  private func require(
    _ condition: Bool, _ field: @autoclosure () -> String, _ found: @autoclosure () -> String,
    _ expected: @autoclosure () -> String
  ) throws {
    try RecordError.unless(condition, of: path, field(), found(), expected())
  }
}

extension RecordError {
  /// - Parameters:
  ///   - source: who says it: a file, or a message.
  ///   - found, expected: made where the condition does not hold.
  /// - Throws: `invalid` where it does not.
  public static func unless(
    _ condition: Bool, of source: String, _ field: @autoclosure () -> String,
    _ found: @autoclosure () -> String, _ expected: @autoclosure () -> String
  ) throws {
    guard !condition else { return }
    throw RecordError.invalid(path: source, field: field(), found: found(), expected: expected())
  }

  /// The same for an integer that is outside its range.
  public static func unless(
    _ value: Int, in range: ClosedRange<Int>, of source: String, _ field: @autoclosure () -> String
  ) throws {
    try unless(
      range.contains(value), of: source, field(), "\(value)",
      range.upperBound == .max
        ? "an integer of at least \(range.lowerBound)"
        : "an integer in \(range.lowerBound)...\(range.upperBound)")
  }
}
