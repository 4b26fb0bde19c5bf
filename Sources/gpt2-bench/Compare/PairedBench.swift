import Foundation
import GPT2Kernels
import Measurement
import Record
import Reporting
import Statistics

/// Carries out an interleaved comparison of two builds and keeps the record that comes of it.
///
/// The base's program runs twice, as `base` and as `control`: what these two differ by is the noise of this very run.
final class PairedBench {
  let plan: PairedPlan
  let progress: ProgressDisplay
  private var onChange: (PairedRecord) throws -> Void = { _ in }
  let clock = SystemClock()

  var record: PairedRecord
  var generator: SeededGenerator
  /// Place of the next sample among all of the run.
  var sequence = 0
  /// The tokens of each unit, and the side that made them first.
  var tokens: [Int: (side: PairedSide, ids: [[Int]])] = [:]
  /// What each unit's test took in its first warm-up.
  var executionSeconds: [Int: Double] = [:]

  private let conditions = ConditionsRecorder()
  private let start: UInt64

  init(
    _ plan: PairedPlan, project: Project, console: Console, command: [String], started: Date
  ) {
    self.plan = plan
    progress = ProgressDisplay(console: console)
    generator = SeededGenerator(seed: plan.settings.seed)
    start = clock.now()
    record = PairedRecord(
      command: command, started: started.formatted(.iso8601), model: plan.modelDescription,
      machine: .current(), base: PairedBuild(path: Project.shown(plan.base)),
      head: PairedBuild(path: Project.shown(plan.head), build: .current(project)), settings: plan.settings,
      contestants: plan.contestants.map(\.paired), units: plan.units)
    record.warnings = plan.warnings
  }

  var isCancelled: Bool { Interruption.shared.isCancelled }

  /// - Parameter onChange: called with the record whenever a block has ended; an error ends the run.
  func run(onChange: @escaping (PairedRecord) throws -> Void) throws {
    self.onChange = onChange
    Interruption.watch()
    conditions.begin()
    for warning in record.warnings + Validity(record).findings.map(\.text) { progress.remark(warning) }
    try onChange(record)
    for contestant in plan.contestants.indices where !isCancelled { check(contestant) }
    // Three processes at once hold their weights; memory that the system has to fetch first is no load time.
    FreeMemory.use(bytes: 4 * (plan.modelDescription?.weightBytes ?? 0))
    try search()
    try confirm()
    progress.end()
    record.conditions = conditions.end()
    record.isComplete = !isCancelled
    record.finished = Date().formatted(.iso8601)
    try onChange(record)
  }

  /// Blocks until every row is clear or the budget is spent.
  private func search() throws {
    let blocks = SequentialBlocks(budget: .seconds(plan.settings.budgetSeconds), start: start, clock: clock)
    var demand = try PairedDemand(ofAllRowsOf: record)
    guard !demand.without(lost: record.lost, units: record.units).isEmpty else { return }
    _ = try blocks.run(
      isCancelled: { isCancelled }, isLook: { plan.settings.plan.look(at: $0) != nil },
      isClear: { _ in
        guard let analysis = try? PairedAnalysis(record, isSearchOver: false) else { return true }
        demand = analysis.open
        return analysis.isClear
      },
      perform: { index in
        try measure(.search, index, demand.without(lost: record.lost, units: record.units))
      })
  }

  /// Fresh blocks for what seems to have changed, until that is confirmed or shown not to be; their time comes on top
  /// of the budget.
  private func confirm() throws {
    let demand = try PairedAnalysis(record, isSearchOver: true).changed
    guard !demand.isEmpty, !isCancelled else { return }
    let settings = plan.settings
    progress.finished(
      "a change was seen; measuring it once more in \(settings.confirmationBlocks) fresh blocks or more")
    let blocks = SequentialBlocks(
      budget: .seconds(86_400), limit: settings.mostConfirmationBlocks, start: clock.now(), clock: clock)
    _ = try blocks.run(
      isCancelled: { isCancelled }, isLook: { settings.confirmationPlan.look(at: $0) != nil },
      isClear: { _ in
        (try? PairedAnalysis(record, isSearchOver: true))?.isConfirmationClear ?? true
      },
      perform: { try measure(.confirmation, $0, demand.without(lost: record.lost, units: record.units)) })
  }

  /// One block. False where there is nothing left to measure.
  private func measure(_ stage: PairedBlock.Stage, _ index: Int, _ demand: PairedDemand) throws -> Bool {
    guard !demand.isEmpty else { return false }
    var block = PairedBlock(stage: stage)
    var order = Array(plan.contestants.indices)
    generator.shuffle(&order)
    let wanted = order.reduce(0) { $0 + demand.cells(of: $1, in: plan).count }
    for contestant in order where !isCancelled {
      let cells = demand.cells(of: contestant, in: plan)
      let timesLoads = demand.loads.contains(contestant)
      guard !cells.isEmpty || timesLoads else { continue }
      progress.step("\(stage.rawValue), block \(index + 1): \(plan.contestants[contestant].name)")
      do {
        try measure(contestant, cells, units: wanted, timesLoads: timesLoads, into: &block)
      } catch let error as LostSide {
        guard !isCancelled else { break }
        lose(contestant, error.side, "\(error.reason)", failedCheck: error.failedCheck)
        block.samples.removeAll { record.units[$0.unit].contestant == contestant }
        block.processes.removeAll { $0.contestant == contestant }
      }
    }
    guard !isCancelled else { return true }
    conditions.betweenRounds()
    record.blocks.append(block)
    try onChange(record)
    return true
  }

  func lose(_ contestant: Int, _ side: PairedSide, _ reason: String, failedCheck: Bool) {
    let side = side == .control ? .base : side
    progress.finished("\(side.rawValue): \(reason)")
    record.lost.append(
      LostContestant(contestant: contestant, side: side, reason: reason, failedCheck: failedCheck))
  }
}

/// What took a contestant out of the comparison.
struct LostSide: Error {
  let side: PairedSide
  let reason: String
  var failedCheck = false
}

extension PairedDemand {
  /// The cells to run of a contestant: all of them where its memory is wanted, because these make its peak.
  fileprivate func cells(of contestant: Int, in plan: PairedPlan) -> [Int] {
    plan.cells.indices.filter {
      memory.contains(contestant) || units.contains(plan.unit(contestant: contestant, cell: $0))
    }
  }
}
