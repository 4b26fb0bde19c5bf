import Files
import Record
import Statistics

/// What two records have in common, and so what of their figures can be compared.
struct Comparability: Sendable {
  /// One line for each difference and what follows from it, and for a record that is incomplete.
  let warnings: [String]
  /// Whether both did the same work: a run of the same kind on the same model.
  let isPossible: Bool
  /// Whether a time in one record means the same in the other: the same machine and build flags.
  let timesCarryOver: Bool
  let firstTokensCarryOver: Bool

  init(base: Record, head: Record) {
    func differences(_ values: [(String, (Record) -> String)]) -> [String] {
      values.compactMap { name, value in
        let (old, new) = (value(base).safeLine, value(head).safeLine)
        return old == new ? nil : "The \(name) differs: base \(old), head \(new)."
      }
    }
    let work = differences([("kind of run", { $0.kind.rawValue }), ("model", Self.model)])
    let environment = differences([
      ("CPU", { $0.machine.cpu }), ("number of logical cores", { "\($0.machine.logicalCores)" }),
      ("governor", { $0.machine.governor ?? "unknown" }), ("compiler", { $0.build.compiler }),
      ("configuration", { $0.build.configuration }), ("CPU flag", { $0.build.cpuFlag }),
      ("vector width", { "\($0.build.vectorBits) bits" }),
    ])
    let choice = differences([
      ("suite", { $0.settings.suite ?? "none" }), ("set of thread counts", Self.threads),
    ])
    isPossible = work.isEmpty
    timesCarryOver = environment.isEmpty
    firstTokensCarryOver = base.model?.hasTokenizer == head.model?.hasTokenizer
    warnings =
      work.map { "\($0) Nothing is compared." } + environment
      + (timesCarryOver || !isPossible ? [] : [Self.sharesAreCompared])
      + choice.map { "\($0) Only what both have is compared." }
      + [Self.distance(base, head)].compactMap { $0 }
      + [("base", base), ("head", head)].filter { !$0.1.isComplete }.map {
        "The \($0.0) record is incomplete."
      }
  }

  private static let sharesAreCompared =
    "Times do not carry over: speeds are compared in percent of the ceilings that each run measured itself. What has "
    + "no ceiling is not judged."

  /// A line where a hypervisor had put the cores nearer to each other in one run than in the other.
  private static func distance(_ base: Record, _ head: Record) -> String? {
    let ways = [base, head].map { $0.conditions?.coreToCore.flatMap { median($0.map(\.nanoseconds)) } }
    guard let old = ways[0], let new = ways[1], max(old, new) > ValidityLimit.coreToCoreSpread * min(old, new)
    else { return nil }
    let (before, after) = (NumberText.significant(old, 3), NumberText.significant(new, 3))
    return
      "Passing a cache line from core to core took \(before) ns in the base's run and \(after) in the head's: the "
      + "cores had moved, and that changes how fast threads exchange data."
  }

  private static func model(_ record: Record) -> String {
    record.model.map { "\($0.name) (\(counted($0.parameters, "parameter")))" } ?? "none"
  }

  private static func threads(_ record: Record) -> String {
    Set(record.cells.map(\.threads)).sorted().map(String.init).joined(separator: ", ")
  }
}

/// How much faster or slower the machine itself was in the head's run, by the ceilings of both runs: on a shared
/// machine they differ by 10 % and more, which slows or speeds all rows alike and says nothing of the program.
struct MachineDifference: Sendable, Equatable {
  /// Of a ceiling: median of the head's trials ÷ median of the base's. Below 1 the machine was slower in head's run.
  let ratio: Double

  /// The difference as a share, the same where both sides are swapped.
  var share: Double { 1 - min(ratio, 1 / ratio) }

  /// `12 % slower in head's run`
  var words: String {
    "\(NumberText.significant(share * 100, 2)) % \(ratio < 1 ? "slower" : "faster") in head's run"
  }

  /// By the ceilings that bound the two rows; where those are two, by the one that differs more. Nil where a run did
  /// not measure them for this number of threads.
  init?(_ base: RunRow, _ head: RunRow, ceilings: (base: Ceiling?, head: Ceiling?)) {
    // What memory gave beside the samples is nearer to them than any ceiling.
    if let old = base.figures.memoryGBPerSecond, let new = head.figures.memoryGBPerSecond,
      case .memory = base.figures.roof
    {
      ratio = new / old
      return
    }
    let roofs = [base.figures.roof, head.figures.roof].compactMap { $0 }
    let found = roofs.compactMap { MachineDifference(roof: $0, ceilings) }
    guard let largest = found.max(by: { $0.share < $1.share }) else { return nil }
    self = largest
  }

  init?(roof: Roof, _ ceilings: (base: Ceiling?, head: Ceiling?)) {
    guard let old = ceilings.base?.typical(roof), let new = ceilings.head?.typical(roof), old > 0, new > 0,
      (new / old).isFinite
    else { return nil }
    ratio = new / old
  }
}

extension Ceiling {
  /// The median of a roof's trials, in its unit; its best where there is no other; nil for a level not measured.
  func typical(_ roof: Roof) -> Double? {
    switch roof {
    case .compute: return fmaTrials.flatMap { median($0) } ?? fmaGFLOPS
    case .products(let instructions): return median(trials(of: instructions))
    case .memory(let level):
      return memory?.first { $0.level == level }.flatMap { median($0.trials) }
        ?? (level == Self.dram ? dramGBPerSecond : nil)
    }
  }

  /// How far a roof lies above the median of its trials, as a share of it: what the roof itself may be off by.
  func spread(_ roof: Roof) -> Double? {
    let trials =
      switch roof {
      case .compute: fmaTrials
      case .products(let instructions): trials(of: instructions)
      case .memory(let level): memory?.first { $0.level == level }?.trials
      }
    guard let found = trials.flatMap({ quantiles($0, [0.5, Self.roofQuantile]) }), found[1] > 0
    else { return nil }
    return 1 - found[0] / found[1]
  }

  /// Of products; none where they were not measured.
  private func trials(of instructions: String) -> [Double] {
    products?.first { $0.instructions == instructions }?.trials ?? []
  }
}
