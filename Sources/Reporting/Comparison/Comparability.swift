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
  /// Whether the time to the first token starts at the same point.
  let firstTokensCarryOver: Bool

  init(base: Record, head: Record) {
    func differences(_ values: [(String, (Record) -> String)]) -> [String] {
      values.compactMap { name, value in
        let (old, new) = (value(base).singleLine, value(head).singleLine)
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
      + choice.map { "\($0) What both have is compared." }
      + [Self.distance(base, head)].compactMap { $0 }
      + [("base", base), ("head", head)].filter { !$0.1.isComplete }.map {
        "The \($0.0) record is incomplete."
      }
  }

  private static let sharesAreCompared =
    "Times do not carry over: speeds are compared as shares of the ceilings that each run measured itself, in "
    + "percent; what has no ceiling is not judged."

  /// A line where a hypervisor had put the cores nearer to each other in one run than in the other.
  private static func distance(_ base: Record, _ head: Record) -> String? {
    let ways = [base, head].map { $0.conditions?.coreToCore.flatMap { median($0.map(\.nanoseconds)) } }
    guard let old = ways[0], let new = ways[1],
      max(old, new) > ValidityLimit.coreToCoreSpread * min(old, new)
    else { return nil }
    let (before, after) = (NumberText.significant(old, 3), NumberText.significant(new, 3))
    return
      "A cache line's way from core to core took \(before) ns in the base's run and \(after) in the head's: the "
      + "cores did not lie where they had, and what threads hand each other is slower or faster by that."
  }

  private static func model(_ record: Record) -> String {
    record.model.map { "\($0.name) (\(counted($0.parameters, "parameter")))" } ?? "none"
  }

  private static func threads(_ record: Record) -> String {
    Set(record.cells.map(\.threads)).sorted().map(String.init).joined(separator: ", ")
  }
}
