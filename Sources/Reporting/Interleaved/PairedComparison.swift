import Record
import Statistics

extension Comparison {
  /// As far as it has come.
  /// - Throws: `OptionError` where the record's own settings do not hold what they should.
  public init(_ record: PairedRecord) throws(OptionError) {
    let analysis = try PairedAnalysis(record, isSearchOver: true)
    let (failed, others) = (record.lost.filter(\.isFailureOfHead), record.lost.filter { !$0.isFailureOfHead })
    let measured = Set(record.blocks.flatMap(\.samples).map { record.units[$0.unit].contestant })
    self.init(
      method: .interleaved, base: ComparedSide(record.base, of: record),
      head: ComparedSide(record.head, of: record),
      thresholds: try Thresholds(recorded: record.settings.maxRegression), rows: analysis.rows,
      unmatched: others.map(record.line), failures: failed.map(record.line),
      hasLostHead: others.contains { $0.side == .head },
      hasLostBaseMidway: others.contains { $0.side != .head && measured.contains($0.contestant) },
      warnings: record.warnings + Validity(record).findings.map(\.text)
        + (record.isComplete
          ? []
          : [
            "The comparison is incomplete: it was interrupted.\(record.stopped.map { " Reason: \($0)." } ?? "")"
          ]),
      notes: record.notes)
  }
}

extension LostContestant { fileprivate var isFailureOfHead: Bool { failedCheck && side == .head } }

extension ComparedSide {
  fileprivate init(_ build: PairedBuild, of record: PairedRecord) {
    self.init(
      label: build.path, version: build.build?.version ?? build.version ?? "of an unknown version",
      commit: build.build?.commit, started: record.started, buildFlags: build.build?.flags ?? [])
  }
}

extension PairedRecord {
  fileprivate func line(_ lost: LostContestant) -> Prose {
    "\(contestants[lost.contestant].prose) in \(lost.side.rawValue): \(lost.reason)"
  }

  fileprivate var notes: [Prose] {
    let search = blocks.count { $0.stage == .search }
    let confirmation = blocks.count { $0.stage == .confirmation }
    let rounds = units.compactMap { unit in
      unit.rounds.map { "\(contestants[unit.contestant].variant) \(unit.test.name): \($0)" }
    }.joined(separator: ", ")
    let alpha = NumberText.plain(settings.alpha)
    let budget = NumberText.plain(settings.budgetSeconds)
    let roundsNote =
      rounds.isEmpty
      ? ""
      : " Rounds in a block that measures everything: \(rounds); a block that measures less has as much time for it."
    return [
      """
      **Blocks.** A block starts one fresh process of the head and two of the base. It warms them up and measures them \
      in mirrored rounds (A B C, C B A, each order drawn anew). Blocks measured: \(search) of the search, \
      \(confirmation) of the confirmation.\(roundsNote)
      """,
      """
      **Ratio** is exp of the median of the blocks' paired log-ratios. A log-ratio compares the head with the mean of \
      both processes of the base; a block's is the median over its passes. **n** counts blocks. **p** is that of \
      Wilcoxon's signed-rank test of them, two-sided and exact.
      """,
      """
      **CI**: on each side the wider of the percentile bootstrap of that median and Hodges and Lehmann's exact interval.
      """,
      """
      **Noise floor**: how far the same interval reaches from 1 for the base against itself, in the same blocks. \
      **Smallest detectable**: the change that this run's search would have seen in 80 of 100 repetitions, by \
      simulation on the base against itself.
      """,
      """
      **Stopping.** The search looks at its results after \(plannedLooks) … blocks, and once when the budget of \
      \(budget) s is spent. Look k may spend \(alpha)/2ᵏ of the error, and p and CI are of that level (p is shown \
      multiplied by 2ᵏ). All looks together therefore err with a chance of at most \(alpha) (union bound). A row that \
      is clear at a look is not measured further.
      """,
      """
      **Confirmation.** What seems to have changed is measured once more in fresh blocks. Its looks come after \
      \(settings.confirmationBlocks) blocks and more, \(settings.mostConfirmationBlocks) at most. Together they spend \
      \(alpha) as the search's looks do. A change that is not shown again is inconclusive.
      """,
    ]
  }

  private var plannedLooks: String {
    (0..<4).map { "\(settings.plan.count(look: $0))" }.joined(separator: ", ")
  }
}

extension Record {
  /// The head's part of an interleaved comparison, as if it had been a run of its own, for services that follow
  /// figures.
  public init(headOf paired: PairedRecord) {
    let build =
      paired.head.build
      ?? Build(
        version: paired.head.version ?? "unknown", compiler: "unknown", configuration: "unknown",
        cpuFlag: "unknown", vectorBits: 0, commit: nil)
    let search = paired.blocks.filter { $0.stage == .search }
    self.init(
      kind: paired.model == nil ? .matmul : .endToEnd, command: paired.command, started: paired.started,
      model: paired.model, machine: paired.machine, build: build,
      settings: Settings(
        suite: paired.settings.suite, repetitions: search.count,
        cellBudgetSeconds: paired.settings.budgetSeconds, seed: paired.settings.seed,
        warmup: paired.settings.warmup))
    finished = paired.finished
    isComplete = paired.isComplete
    warnings = paired.warnings
    conditions = paired.conditions
    correctness = paired.correctness.filter { $0.side == .head }.map(\.outcome)
    cells = paired.units.indices.map { Cell(headOf: paired, unit: $0, search) }
  }
}

extension Cell {
  fileprivate init(headOf paired: PairedRecord, unit: Int, _ blocks: [PairedBlock]) {
    let place = paired.units[unit].contestant
    let contestant = paired.contestants[place]
    self.init(
      variant: contestant.variant, weights: contestant.weights, threads: contestant.threads,
      test: paired.units[unit].test, status: .measured)
    let processes = blocks.flatMap(\.processes).filter { $0.side == .head && $0.contestant == place }
    samples = blocks.flatMap(\.samples).filter { $0.side == .head && $0.unit == unit }.map(\.sample)
    peakMemoryBytes = processes.compactMap(\.peakMemoryBytes).max()
    load = median(processes.compactMap(\.loadNanoseconds).map(Double.init)).map {
      LoadTimes(coldNanoseconds: nil, warmNanoseconds: Int($0))
    }
    guard let lost = paired.lost.first(where: { $0.contestant == place && $0.side == .head }) else { return }
    status = lost.failedCheck ? .failedCheck : .died
    message = lost.reason
    samples = []
  }
}
