/// The ranges that a decoded record's numbers must keep, so that arithmetic on them cannot trap.
struct RecordRules {
  let path: String
  static let sizes = 1...Int(Int32.max)

  /// - Throws: `ReportingError.invalid` for the first field out of its range.
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

  func check(_ conditions: Conditions, field: String) throws {
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

  func check(_ test: Test, field: String) throws {
    switch test {
    case .prefill(let tokens, let batch):
      try size(tokens, "\(field).prefill.tokens")
      try size(batch, "\(field).prefill.batch")
    case .decode(let tokens, let depth, let batch):
      try size(tokens, "\(field).decode.tokens")
      try inRange(depth, 0...Self.sizes.upperBound, "\(field).decode.depth")
      try size(batch, "\(field).decode.batch")
    case .gemm(let m, let k, let n):
      try size(m, "\(field).gemm.m")
      try size(k, "\(field).gemm.k")
      try size(n, "\(field).gemm.n")
    case .operation(let shape): try check(shape, field: "\(field).operation.shape")
    }
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
      throw ReportingError.invalid(path: path, field: field, found: "none", expected: "at least one trial")
    }
    for (index, rate) in rates.enumerated() { try positive(rate, "\(field)[\(index)]") }
  }

  func check(_ sample: Sample, field: String) throws {
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

  func size(_ value: Int, _ field: String) throws {
    try inRange(value, Self.sizes, field)
  }

  func inRange(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws {
    guard !range.contains(value) else { return }
    let expected =
      range.upperBound == Int.max
      ? "an integer of at least \(range.lowerBound)"
      : "an integer in \(range.lowerBound)...\(range.upperBound)"
    throw ReportingError.invalid(path: path, field: field, found: "\(value)", expected: expected)
  }

  func notNegative(_ value: Double, _ field: String) throws {
    guard !(value >= 0 && value.isFinite) else { return }
    throw ReportingError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number of at least 0")
  }

  func positive(_ value: Double, _ field: String) throws {
    guard !(value > 0 && value.isFinite) else { return }
    throw ReportingError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number above 0")
  }
}
