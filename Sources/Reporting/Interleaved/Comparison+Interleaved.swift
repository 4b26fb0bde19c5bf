import Record
import Statistics

extension Comparison {
  /// The verdicts of an interleaved comparison, as far as it has come.
  ///
  /// - Throws: `OptionError` where the record's own settings do not hold what they should.
  public init(_ record: PairedRecord) throws(OptionError) {
    let analysis = try PairedAnalysis(record, isSearchOver: true)
    let (failed, others) = (record.lost.filter(\.isFailureOfHead), record.lost.filter { !$0.isFailureOfHead })
    let measured = Set(record.blocks.flatMap(\.samples).map { record.units[$0.unit].contestant })
    self.init(
      method: .interleaved, base: Side(record.base, of: record), head: Side(record.head, of: record),
      thresholds: try Thresholds(parsing: record.settings.maxRegression), rows: analysis.rows,
      unmatched: others.map(record.line), failures: failed.map(record.line),
      hasLostHead: others.contains { $0.side == .head },
      hasLostBaseMidway: others.contains { $0.side != .head && measured.contains($0.contestant) },
      warnings: record.warnings + Validity(record).findings.map(\.text)
        + (record.isComplete ? [] : ["The comparison is incomplete: it was interrupted."]),
      notes: record.notes)
  }
}

extension LostContestant {
  fileprivate var isFailureOfHead: Bool { failedCheck && side == .head }
}

extension Side {
  fileprivate init(_ build: PairedBuild, of record: PairedRecord) {
    self.init(
      label: build.path, version: build.build?.version ?? build.version ?? "of an unknown version",
      commit: build.build?.commit, started: record.started,
      buildFlags: build.build?.flags ?? [])
  }
}

extension PairedRecord {
  fileprivate func line(_ lost: LostContestant) -> String {
    "\(Contestant(contestants[lost.contestant]).markdown) in \(lost.side.rawValue): \(lost.reason.singleLine)"
  }

  fileprivate var notes: [String] {
    let search = blocks.count { $0.stage == .search }
    let confirmation = blocks.count { $0.stage == .confirmation }
    let rounds = units.compactMap { unit in
      unit.rounds.map { "\(contestants[unit.contestant].variant) \(unit.test.name): \($0)" }
    }
    return [
      "**Blocks.** Fresh processes of the head and twice of the base, warmed up, then measured in mirrored rounds (A B C, C B A, each order drawn anew): \(search) of the search, \(confirmation) of the confirmation.\(rounds.isEmpty ? "" : " Rounds in a block that measures everything: \(rounds.joined(separator: ", ")); one that measures less has as much time for it.")",
      "**Ratio** is exp of the median of the blocks' paired log-ratios, the head against the mean of both processes of the base; a block's is the median over its passes. **n** counts blocks. **p** is Wilcoxon's signed-rank test of them, two-sided, exact.",
      "**CI**: on each side the wider of the percentile bootstrap of that median and Hodges and Lehmann's exact interval.",
      "**Noise floor**: how far the same interval reaches from 1 for the base against itself, in the same blocks. **Smallest detectable**: the change that this run's search would have seen in 80 of 100 repetitions, by simulation on the base against itself.",
      "**Stopping.** Looks after \(plannedLooks) … blocks, and one when the budget of \(NumberText.plain(settings.budgetSeconds)) s is spent; look k may spend \(NumberText.plain(settings.alpha))/2ᵏ of the error, p and CI are of that level (p is shown as its multiple), so that all looks together err with a chance of at most \(NumberText.plain(settings.alpha)) (union bound). A row that is clear at a look is not measured further.",
      "**Confirmation.** What seems to have changed is measured once more in fresh blocks, with looks after \(settings.confirmationBlocks) and more, \(settings.mostConfirmationBlocks) at most, that spend \(NumberText.plain(settings.alpha)) together as the search's do; a change that is not shown again is inconclusive.",
    ]
  }

  private var plannedLooks: String {
    (0..<4).map { "\(settings.plan.count(look: $0))" }.joined(separator: ", ")
  }
}
