import Record
import Statistics

/// Whether a run's figures hold: the build, the machine while it ran, and the samples' course. A pure function of the
/// record.
public struct Validity: Sendable, Equatable {
  let checks: [ValidityCheck]

  public init(_ record: Record) {
    let own = [Self.build(record.build), Self.threads(record.cells.map(\.threads), of: record.machine)]
    let memory = Self.memory(record.memoryRates)
    checks = own + (record.conditions.map(Self.machine) ?? []) + memory + [Self.drift(record)]
  }

  /// Of an interleaved comparison, whose pairs a drift of the machine does not touch.
  public init(_ record: PairedRecord) {
    checks =
      [
        record.head.build.map { Self.build($0) },
        record.base.build.map { Self.build($0, name: "the base's build", "the base is a debug build") },
        Self.threads(record.contestants.map(\.threads), of: record.machine),
      ].compactMap { $0 } + (record.conditions.map(Self.machine) ?? [])
  }

  /// What was found, in a fixed order.
  public var findings: [Finding] { checks.compactMap(\.finding) }

  /// The names of what the system does not tell.
  var unreadable: [String] { checks.filter { $0.outcome == .unreadable }.map(\.name) }

  /// One line for the head of a report; nil where no warning was found.
  var warning: Prose? {
    let names = findings.filter { $0.severity == .warning }.map(\.check)
    return names.isEmpty
      ? nil : "Conditions that speak against these figures: \(names.joined(separator: ", ")); see Validity."
  }

  private static func build(
    _ build: Build, name: String = "build", _ what: String = "this is a debug build of the command"
  ) -> ValidityCheck {
    .judged(
      name, build.configuration, limit: "release", build.configuration == "debug",
      "\(what); time release builds: swift run -c release")
  }

  private static func threads(_ threads: [Int], of machine: Machine) -> ValidityCheck {
    let most = threads.max() ?? 1
    let cores = machine.logicalCores
    return .judged(
      "threads", "\(most)", limit: "\(counted(cores, "core"))", most > cores,
      "\(most) threads share \(counted(cores, "core"))")
  }

  private static func machine(_ conditions: Conditions) -> [ValidityCheck] {
    [
      steal(conditions), others(conditions), swap(conditions), groupThrottling(conditions),
      heatThrottling(conditions), frequency(conditions), spread(conditions), trend(conditions),
      coreToCore(conditions),
    ].compactMap { $0 }
  }

  private static func steal(_ conditions: Conditions) -> ValidityCheck {
    let name = "steal"
    let known = conditions.stretches.compactMap { stretch in
      stretch.stolenSeconds.flatMap { stolen in stretch.totalSeconds.map { (stolen: stolen, total: $0) } }
    }
    let total = known.map(\.total).reduce(0, +)
    guard total > 0 else { return .unreadable(name) }
    let share = known.map(\.stolen).reduce(0, +) / total
    return .judged(
      name, NumberText.percent(share), limit: NumberText.percent(ValidityLimit.stolenShare),
      share > ValidityLimit.stolenShare,
      "the hypervisor took \(NumberText.percent(share)) of the cores' time")
  }

  private static func others(_ conditions: Conditions) -> ValidityCheck {
    let name = "load by others"
    guard let mean = conditions.coresOfOthers, let most = conditions.stretches.compactMap(\.othersCores).max()
    else { return .unreadable(name) }
    let isLasting = mean > ValidityLimit.othersCores
    let figure = "\(cores(mean)) cores, at most \(cores(most))"
    let isSeen = isLasting || most > ValidityLimit.othersCoresInAStretch
    return .judged(
      name, figure, limit: "\(cores(ValidityLimit.othersCores)) cores", isSeen,
      "other processes used \(cores(mean)) cores on average, \(cores(most)) in the worst stretch",
      severity: isLasting ? .warning : .note)
  }

  private static func swap(_ conditions: Conditions) -> ValidityCheck {
    guard let read = conditions.pagesSwappedIn, let written = conditions.pagesSwappedOut else {
      return .unreadable("swap")
    }
    let figure = "\(read) pages in, \(written) out"
    return .judged("swap", figure, limit: "none", read > 0 || written > 0, "the machine swapped: \(figure)")
  }

  private static func groupThrottling(_ conditions: Conditions) -> ValidityCheck {
    let name = "throttling by quota"
    guard let periods = conditions.groupThrottledPeriods else { return .unreadable(name) }
    let time = conditions.groupThrottledSeconds.map { ", \(NumberText.significant($0, 2)) s in all" } ?? ""
    let figure = counted(periods, "period") + (periods > 0 ? time : "")
    return .judged(
      name, figure, limit: "none", periods > 0,
      "the control group's quota of CPU time held processes back: \(figure)")
  }

  private static func heatThrottling(_ conditions: Conditions) -> ValidityCheck {
    let name = "throttling by heat"
    let known = [("core", conditions.coreThrottles), ("package", conditions.packageThrottles)]
      .compactMap { part, count in count.map { (part: part, count: $0) } }
    guard !known.isEmpty else { return .unreadable(name) }
    let figure = known.map { "\(counted($0.count, $0.part + " event"))" }.joined(separator: ", ")
    return .judged(
      name, figure, limit: "none", known.contains { $0.count > 0 }, "heat slowed the CPU: \(figure)")
  }

  /// Told, not judged: the loop below judges it, and sees what the driver does not.
  private static func frequency(_ conditions: Conditions) -> ValidityCheck {
    let rates = conditions.calibration.compactMap(\.frequencyMHz)
    guard let least = rates.min(), let most = rates.max() else { return .unreadable("frequency") }
    let range = [least, most].map { NumberText.fixed($0, 0) }.uniqued().joined(separator: " to ")
    return .judged("frequency", "\(range) MHz", limit: "", false, "")
  }

  /// What memory gave beside the samples of decoding, ÷ each row's median: its spread, and its way over the run. A record
  /// that never knew it is not found fault with.
  private static func memory(_ rates: [Double]) -> [ValidityCheck] {
    guard let spread = relativeSpread(rates) else { return [] }
    let limit = ValidityLimit.memorySpread
    let drift = ValidityCheck.judged(
      "memory drift", "\(NumberText.percent(spread)) (n = \(rates.count))", limit: NumberText.percent(limit),
      spread > limit,
      "what memory gave varied by \(NumberText.percent(spread)): decoding, which reads all weights, varies with it",
      severity: .note)
    guard let found = Drift(rates) else { return [drift] }
    let way = found.change > 0 ? "more" : "less"
    let trend = ValidityCheck.judged(
      "memory trend", "\(NumberText.signedPercent(found.change)) (p = \(probability(found.pValue)))",
      limit: "\(NumberText.percent(Drift.samples)), p < \(Drift.significance)", found.exceeds(Drift.samples),
      "memory gave \(NumberText.percent(abs(found.change))) \(way) in the run's second half than in its first",
      severity: .note)
    return [drift, trend]
  }

  private static func spread(_ conditions: Conditions) -> ValidityCheck {
    let name = "frequency drift"
    guard let spread = conditions.spreadOfLoop else { return .unreadable(name) }
    return .judged(
      name, "\(NumberText.percent(spread)) (n = \(conditions.calibration.count))",
      limit: NumberText.percent(ValidityLimit.calibrationSpread), spread > ValidityLimit.calibrationSpread,
      "a fixed loop's time varied by \(NumberText.percent(spread)): the clock rate changed, or other programs used "
        + "the core")
  }

  private static func trend(_ conditions: Conditions) -> ValidityCheck? {
    guard let drift = Drift(conditions.calibration.map { Double($0.nanoseconds) }) else { return nil }
    let way = drift.change > 0 ? "slower" : "faster"
    return .judged(
      "frequency trend", "\(NumberText.signedPercent(drift.change)) (p = \(probability(drift.pValue)))",
      limit: "\(NumberText.percent(Drift.calibration)), p < \(Drift.significance)",
      drift.exceeds(Drift.calibration),
      "a fixed loop got \(NumberText.percent(abs(drift.change))) \(way) from the run's first half to its second",
      severity: .note)
  }

  /// P90 / P10 of a cache line's way from core to core. A record that never knew it is not found fault with.
  private static func coreToCore(_ conditions: Conditions) -> ValidityCheck? {
    guard let times = conditions.coreToCore?.map(\.nanoseconds), times.count > 2,
      let ends = quantiles(times, [0.1, 0.9])
    else { return nil }
    let (least, most) = (NumberText.significant(ends[0], 3), NumberText.significant(ends[1], 3))
    return .judged(
      "core-to-core latency", "\(least) to \(most) ns (n = \(times.count))",
      limit: "\(NumberText.significant(ValidityLimit.coreToCoreSpread, 2)) ×",
      ends[1] > ValidityLimit.coreToCoreSpread * ends[0],
      "passing a cache line from one core to another took from \(least) to \(most) ns: the hypervisor moves the "
        + "cores, and that changes how fast threads exchange data", severity: .note)
  }

  private static func drift(_ record: Record) -> ValidityCheck {
    let known = record.cells.compactMap { cell in cell.drift.map { (cell: cell, drift: $0) } }
    let drifting = known.filter { $0.drift.exceeds(Drift.samples) }
    let named = drifting.map { cell, drift in
      "\(MeasuredVariant(cell).words) on \(cell.test.name) (\(NumberText.signedPercent(drift.change)))"
    }
    return .judged(
      "drifting cells", known.isEmpty ? "" : "\(drifting.count) of \(known.count)", limit: "none",
      !drifting.isEmpty,
      "from the run's first half to its second, the times changed for \(named.joined(separator: ", "))",
      severity: .note)
  }

  private static func cores(_ count: Double) -> String { NumberText.fixed(count, 2) }

  private static func probability(_ value: Double) -> String { NumberText.significant(value, 2) }
}

extension Cell {
  /// Of the time that the cell is judged by; nil for fewer than six samples.
  var drift: Drift? { Drift(primaryDurations) }
}

extension Stretch {
  /// What others than the run did, in cores.
  var othersCores: Double? {
    guard let busySeconds, let ownSeconds else { return nil }
    return max(0, busySeconds - ownSeconds) / seconds
  }
}

/// One thing that is looked at to see whether a run's figures hold.
struct ValidityCheck: Sendable, Equatable {
  enum Outcome: Sendable, Equatable {
    case clear
    case found(Finding.Severity)
    /// The system does not tell.
    case unreadable
  }

  let name: String
  /// The figure, for a table; empty where there is none.
  let figure: String
  /// What it may be, for a table.
  let limit: String
  let outcome: Outcome
  /// What was found, in a line.
  let text: String

  var finding: Finding? {
    guard case .found(let severity) = outcome else { return nil }
    return Finding(severity: severity, check: name, text: text)
  }

  static func unreadable(_ name: String) -> ValidityCheck {
    .init(name: name, figure: "", limit: "", outcome: .unreadable, text: "")
  }

  static func judged(
    _ name: String, _ figure: String, limit: String, _ isFound: Bool, _ text: String,
    severity: Finding.Severity = .warning
  ) -> ValidityCheck {
    .init(name: name, figure: figure, limit: limit, outcome: isFound ? .found(severity) : .clear, text: text)
  }
}

/// Beyond what a run's conditions are found fault with.
enum ValidityLimit {
  /// Half the change that a comparison looks for by default (5 %).
  static let stolenShare = 0.02
  /// A tenth of a core is 5 % of two, and more than an idle system does.
  static let othersCores = 0.1
  /// Half a core over a stretch reaches the samples in it, though the run's mean hides it.
  static let othersCoresInAStretch = 0.5
  /// As large as the change that a comparison looks for by default.
  static let calibrationSpread = 0.05
  /// Twice the change that a comparison looks for: reads of a few milliseconds vary more than samples do.
  static let memorySpread = 0.1
  /// Neighbours on one die and cores of different dies lie further apart than that.
  static let coreToCoreSpread = 1.5
}

extension Conditions {
  /// The spread of the fixed loop's times.
  var spreadOfLoop: Double? { relativeSpread(calibration.map { Double($0.nanoseconds) }) }

  /// Cores that other processes used, on average over the run.
  var coresOfOthers: Double? {
    let known = stretches.compactMap { stretch in
      stretch.othersCores.map { (cores: $0, seconds: stretch.seconds) }
    }
    let seconds = known.map(\.seconds).reduce(0, +)
    guard seconds > 0 else { return nil }
    return known.map { $0.cores * $0.seconds }.reduce(0, +) / seconds
  }
}
