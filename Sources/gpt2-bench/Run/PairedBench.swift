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
  private(set) var record: PairedRecord

  private let plan: PairedPlan
  private let driver: Driver
  private var onChange: (PairedRecord) throws -> Void = { _ in }
  private let clock = SystemClock()
  private let start: UInt64
  private var generator: SeededGenerator
  /// Place of the next sample among all of the run.
  private var sequence = 0
  /// The tokens of each unit.
  private var tokens = AgreedTokens<PairedSide>()
  /// What each unit's test took in its first warm-up.
  private var executionSeconds: [Int: Double] = [:]

  init(_ plan: PairedPlan, project: Project, console: Console, started: Date) {
    self.plan = plan
    driver = Driver(model: plan.model, timeoutSeconds: plan.timeoutSeconds, console)
    generator = SeededGenerator(seed: plan.settings.seed)
    start = clock.now()
    record = PairedRecord(
      command: commandWords(), started: started.formatted(.iso8601), model: plan.modelDescription,
      machine: .current(), base: PairedBuild(path: Project.shown(plan.base)),
      head: PairedBuild(path: Project.shown(plan.head), build: .current(project)), settings: plan.settings,
      contestants: plan.contestants.map {
        PairedContestant(variant: $0.label, weights: $0.weights, threads: $0.threads)
      }, units: plan.units)
    record.warnings = plan.warnings
  }

  private var progress: ProgressDisplay { driver.progress }
  private var isCancelled: Bool { driver.isCancelled }

  /// - Parameter onChange: called with the record whenever a block has ended; an error ends the run.
  func run(onChange: @escaping (PairedRecord) throws -> Void) throws {
    self.onChange = onChange
    Interruption.watch()
    driver.conditions.begin()
    for warning in record.warnings + Validity(record).findings.map(\.text) { progress.remark(warning) }
    try onChange(record)
    for contestant in plan.contestants.indices where !isCancelled { check(contestant) }
    // Three processes at once hold their weights; memory that the system has to fetch first is no load time.
    FreeMemory.use(bytes: 4 * (plan.modelDescription?.weightBytes ?? 0))
    try search()
    try confirm()
    progress.end()
    record.conditions = driver.conditions.end()
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
    driver.conditions.betweenRounds()
    record.blocks.append(block)
    try onChange(record)
    return true
  }

  private func lose(_ contestant: Int, _ side: PairedSide, _ reason: String, failedCheck: Bool) {
    let side = side == .control ? .base : side
    progress.finished("\(side.rawValue): \(reason)")
    record.lost.append(
      LostContestant(contestant: contestant, side: side, reason: reason, failedCheck: failedCheck))
  }
}

/// One contestant's part of a block.
extension PairedBench {
  /// Seconds of rounds in a block, all units together: enough that starting processes is the smaller part, and little
  /// enough that the budget holds the blocks of several looks.
  private func roundsSeconds(_ budget: Double) -> Double { min(budget / 24, max(2.5, budget / 48)) }

  /// Of one unit in a block.
  private static var mostRounds: Int { 8 }

  /// Holds both builds against the references before anything is timed: the head also where the base has failed.
  private func check(_ contestant: Int) {
    for side in [PairedSide.base, .head] where !isCancelled {
      progress.step("checking: \(side.rawValue) \(plan.contestants[contestant].name)")
      do {
        let (worker, loaded) = try start(contestant, side)
        defer { worker.stop() }
        if side == .base {
          record.base.version = loaded.version.map(Self.programVersion)
          record.base.build = loaded.build
          warnOfOtherFlags()
        }
        let rows = try plan.checks.flatMap(worker.check)
        record.correctness += rows.map { PairedCheck(side: side, outcome: $0) }
        guard let failed = rows.first(where: { !$0.passed }) else { continue }
        lose(
          contestant, side, "failed its check: \(failed.reference): \(failed.failure ?? "failed")",
          failedCheck: true)
      } catch {
        guard !isCancelled else { return }
        lose(contestant, side, "\(error)", failedCheck: false)
      }
    }
  }

  /// A build that was compiled otherwise is faster or slower for that.
  private func warnOfOtherFlags() {
    guard let base = record.base.build?.flags, let head = record.head.build?.flags, base != head else {
      return
    }
    let warning =
      "the builds were compiled otherwise: base \(base.joined(separator: ", ")); "
      + "head \(head.joined(separator: ", "))"
    guard !record.warnings.contains(warning) else { return }
    record.warnings.append(warning)
    progress.remark(warning)
  }

  /// `gpt2-bench 0.1.0, packed` says the program and the variant.
  private static func programVersion(_ text: String) -> String {
    let program = text.split(separator: ",").first.map(String.init) ?? text
    return program.hasPrefix("gpt2-bench ") ? String(program.dropFirst("gpt2-bench ".count)) : program
  }

  private func start(
    _ index: Int, _ side: PairedSide, usedBytes: Int = 0
  ) throws -> (worker: Worker, loaded: LoadAnswer) {
    let contestant = plan.contestants[index]
    return try driver.start(
      contestant, build: plan.executable(side), name: "\(side.rawValue) \(contestant.name)",
      usedBytes: usedBytes)
  }

  /// Fresh processes of every side in a random order, warm-ups that are not kept, then the mirrored rounds.
  ///
  /// - Parameters:
  ///   - units: how many this block measures, of all contestants: they share its time.
  ///   - timesLoads: give each load memory that was just in use, as a system that has to fetch it takes seconds.
  /// - Throws: `LostSide` for the side that cannot go on.
  private func measure(
    _ contestant: Int, _ cells: [Int], units count: Int, timesLoads: Bool, into block: inout PairedBlock
  ) throws {
    var sides = PairedSide.allCases
    generator.shuffle(&sides)
    var workers: [PairedSide: Worker] = [:]
    defer { for worker in workers.values { worker.stop() } }
    let usedBytes = timesLoads ? (plan.modelDescription?.weightBytes ?? 0) / 5 * 6 : 0
    var loads: [PairedSide: Int] = [:]
    for side in sides {
      try onSide(side) {
        let (worker, loaded) = try start(contestant, side, usedBytes: usedBytes)
        workers[side] = worker
        loads[side] = loaded.loadNanoseconds
      }
    }
    var times = cells.map { _ in Double.infinity }
    for (place, cell) in cells.enumerated() {
      for side in sides {
        guard let worker = workers[side] else { continue }
        try onSide(side) {
          let seconds = try driver.warmUp(worker, plan.cells[cell], isKnown: times[place] < 1)
          times[place] = min(times[place], seconds)
        }
      }
    }
    fixRounds(contestant, cells, times)
    let units = cells.map { plan.unit(contestant: contestant, cell: $0) }
    let rounds = MirroredRounds(
      rounds: units.map { self.rounds(executionSeconds: executionSeconds[$0] ?? 0, units: count) },
      sides: sides.count)
    for turn in rounds.order(using: &generator) where !isCancelled {
      let side = sides[turn.side]
      guard let worker = workers[side] else { continue }
      try onSide(side) {
        let answer = try worker.run(plan.cells[cells[turn.unit]].request)
        try hold(answer.ids, of: side, unit: units[turn.unit])
        block.samples.append(
          PairedSample(
            unit: units[turn.unit], side: side, sample: answer.sample(round: turn.round, sequence: sequence)))
        sequence += 1
      }
    }
    for side in sides {
      block.processes.append(
        PairedProcess(
          contestant: contestant, side: side, loadNanoseconds: timesLoads ? loads[side] : nil,
          peakMemoryBytes: cells.count == plan.cells.count ? workers[side]?.peakMemory() : nil))
    }
  }

  private func onSide(_ side: PairedSide, _ body: () throws -> Void) throws {
    do { try body() } catch let error as LostSide { throw error } catch {
      throw LostSide(side: side, reason: "\(error)")
    }
  }

  /// By the first warm-up's time alone: no figure influences how often it is measured in a block.
  private func fixRounds(_ contestant: Int, _ cells: [Int], _ seconds: [Double]) {
    for (cell, seconds) in zip(cells, seconds) {
      let unit = plan.unit(contestant: contestant, cell: cell)
      guard executionSeconds[unit] == nil else { continue }
      executionSeconds[unit] = seconds
      record.units[unit].rounds = rounds(executionSeconds: seconds, units: record.units.count)
    }
  }

  /// Of a unit in a block that measures so many.
  private func rounds(executionSeconds: Double, units: Int) -> Int {
    MirroredRounds.rounds(
      within: roundsSeconds(plan.settings.budgetSeconds) / Double(max(units, 1)),
      executionSeconds: executionSeconds, sides: PairedSide.allCases.count, limit: Self.mostRounds)
  }

  /// Whatever is timed must come to the same tokens in both builds.
  private func hold(_ ids: [[Int]], of side: PairedSide, unit: Int) throws {
    guard !ids.isEmpty, let first = tokens.differing(ids, of: side, on: unit)?.owner else { return }
    throw LostSide(
      side: first == .head ? .head : side,
      reason: "\(record.units[unit].test.name): the timed tokens of \(side.rawValue) are not those of "
        + first.rawValue, failedCheck: true)
  }
}

/// What took a contestant out of the comparison.
private struct LostSide: Error {
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
