import Foundation
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
  private var tokens = AgreedTokens<PairedSide>()
  /// What each unit's test took in its first warm-up.
  private var executionSeconds: [Int: Double] = [:]

  init(_ plan: PairedPlan, project: Project, console: Console, started: Date) {
    self.plan = plan
    driver = Driver(
      model: plan.model?.name, vocabulary: plan.model?.vocabulary, timeoutSeconds: plan.timeoutSeconds,
      console)
    generator = SeededGenerator(seed: plan.settings.seed)
    start = clock.now()
    record = PairedRecord(
      command: plan.command, started: started.formatted(.iso8601), model: plan.model,
      machine: .current(), base: PairedBuild(path: Project.shown(plan.base)),
      head: PairedBuild(path: Project.shown(Project.executable), build: .current(project)),
      settings: plan.settings,
      contestants: plan.contestants.map {
        MeasuredVariant(variant: $0.label, weights: $0.weights, threads: $0.threads)
      }, units: plan.units)
    record.warnings = plan.warnings
  }

  private var console: Console { driver.console }
  private var isCancelled: Bool { driver.isCancelled }

  /// - Parameter onChange: called with the record whenever a block has ended; an error ends the run.
  func run(onChange: @escaping (PairedRecord) throws -> Void) throws {
    self.onChange = onChange
    Interruption.watch()
    driver.conditions.begin()
    for warning in record.warnings + Validity(record).findings.map(\.text) { console.remark(warning) }
    try onChange(record)
    driver.progress.plan(parts)
    try check()
    // Three processes at once hold their weights; memory that the system has to fetch first is no load time.
    FreeMemory.use(bytes: 4 * (plan.model?.weightBytes ?? 0))
    try search()
    try confirm()
    console.endProgressLine()
    record.conditions = driver.conditions.end()
    record.isComplete = !isCancelled
    record.stop(Interruption.shared.reason)
    record.finished = Date().formatted(.iso8601)
    try onChange(record)
  }

  /// Blocks until every row is clear or the budget is spent.
  private func search() throws {
    let blocks = SequentialBlocks(budget: .seconds(plan.settings.budgetSeconds), start: start, clock: clock)
    var demand = try PairedDemand(ofAllRowsOf: record)
    guard !demand.without(lost: record.lost, units: record.units).isEmpty else { return }
    driver.progress.promise(max(0, plan.settings.budgetSeconds - spentSeconds), for: Self.search)
    try run(
      .search, blocks, looks: plan.settings.plan, demand: { demand },
      isClear: {
        guard let analysis = try? PairedAnalysis(record, isSearchOver: false) else { return true }
        demand = analysis.open
        return analysis.isClear
      })
  }

  /// Fresh blocks for what seems to have changed, until that is confirmed or shown not to be; their time comes on top
  /// of the budget.
  private func confirm() throws {
    let demand = try PairedAnalysis(record, isSearchOver: true).changed
    guard !demand.isEmpty, !isCancelled else { return }
    let settings = plan.settings
    console.finished(
      "a change was seen; measuring it once more in \(settings.confirmationBlocks) fresh blocks or more")
    let blockSeconds = spentSeconds / Double(max(record.blocks.count, 1))
    driver.progress.add(
      Forecast.Part(Self.confirmation) { _ in blockSeconds * Double(settings.confirmationBlocks) },
      because: "a change was seen")
    let blocks = SequentialBlocks(
      budget: .seconds(86_400), limit: settings.mostConfirmationBlocks, start: clock.now(), clock: clock)
    try run(
      .confirmation, blocks, looks: settings.confirmationPlan, demand: { demand },
      isClear: { (try? PairedAnalysis(record, isSearchOver: true))?.isConfirmationClear ?? true })
  }

  private func run(
    _ stage: PairedBlock.Stage, _ blocks: SequentialBlocks, looks: SequentialPlan,
    demand: () -> PairedDemand, isClear: () -> Bool
  ) throws {
    let part = stage == .search ? Self.search : Self.confirmation
    driver.progress.begin(part, nil, isLine: false)
    defer { driver.progress.end(part) }
    _ = try blocks.run(
      isCancelled: { isCancelled }, isLook: { looks.look(at: $0) != nil }, isClear: { _ in isClear() },
      perform: { try measure(stage, $0, demand().without(lost: record.lost, units: record.units)) })
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
      driver.progress.begin(
        nil, "\(stage.rawValue), block \(index + 1): \(plan.contestants[contestant].name)", isLine: true)
      do {
        try measure(contestant, cells, units: wanted, timesLoads: timesLoads, into: &block)
      } catch let error as LostSide {
        guard !isCancelled else { break }
        lose(contestant, error.side, "\(error.reason)", failedCheck: error.failedCheck)
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
    console.finished("\(side.rawValue): \(reason)")
    record.lost.append(
      LostContestant(contestant: contestant, side: side, reason: reason, failedCheck: failedCheck))
  }
}

// What the run is made of, for the time that is left.
extension PairedBench {
  private static let search = Forecast.ID(.search)
  private static let confirmation = Forecast.ID(.confirmation)
  /// Seconds of a check, before one has shown what it takes.
  private static let checkSeconds = 3.0

  private static func check(_ contestant: Int, _ side: PairedSide) -> Forecast.ID {
    Forecast.ID(.check, contestant: contestant, cell: side == .base ? 0 : 1)
  }

  /// The checks, and the search, which the budget ends. A confirmation comes on top where a change was seen.
  private var parts: [Forecast.Part] {
    let budget = plan.settings.budgetSeconds
    let checks = plan.contestants.indices.flatMap { contestant in
      [PairedSide.base, .head].map { side in
        Forecast.Part(Self.check(contestant, side)) { _ in Self.checkSeconds }
      }
    }
    return checks + [Forecast.Part(Self.search) { _ in budget }]
  }

  private var spentSeconds: Double { Double(clock.now() - start) / 1e9 }
}

extension PairedBench {
  /// Holds both builds against the references before anything is timed: the head also where the base has failed.
  private func check() throws {
    let turns = plan.contestants.indices.flatMap { contestant in
      [PairedSide.base, .head].map { side in
        var turn = turn(contestant, side, step: "checking: \(name(contestant, side))", stays: false) {
          [self] in try check(contestant, side, $0)
        }
        turn.part = Self.check(contestant, side)
        turn.failed = { [self] error in
          if !isCancelled { lose(contestant, side, "\(error)", failedCheck: false) }
        }
        return turn
      }
    }
    try driver.run(turns)
  }

  private func check(_ contestant: Int, _ side: PairedSide, _ worker: Worker) throws {
    if side == .base {
      record.base.version = worker.loaded?.version.map(Self.programVersion)
      record.base.build = worker.loaded?.build
      warnOfOtherFlags()
    }
    let rows = try plan.checks.flatMap(worker.check)
    record.correctness += rows.map { PairedCheck(side: side, outcome: $0) }
    guard let failed = rows.first(where: { !$0.passed }) else { return }
    lose(
      contestant, side, "failed its check: \(failed.reference): \(failed.failure ?? "failed")",
      failedCheck: true)
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
    console.remark(warning)
  }

  /// `gpt2-bench 0.1.0, packed` says the program and the variant.
  private static func programVersion(_ text: String) -> String {
    let program = text.split(separator: ",").first.map(String.init) ?? text
    return program.hasPrefix("gpt2-bench ") ? String(program.dropFirst("gpt2-bench ".count)) : program
  }

  private func name(_ contestant: Int, _ side: PairedSide) -> String {
    "\(side.rawValue) \(plan.contestants[contestant].name)"
  }

  /// An error is a `LostSide`.
  private func turn(
    _ contestant: Int, _ side: PairedSide, step: String? = nil, stays: Bool = true, usedBytes: Int = 0,
    ask: @escaping (Worker) throws -> Void
  ) -> Turn {
    Turn(
      contestant: plan.contestants[contestant], build: plan.executable(side), name: name(contestant, side),
      step: step, stays: stays, usedBytes: usedBytes, ask: ask,
      failed: { throw $0 is LostSide ? $0 : LostSide(side: side, reason: "\($0)") })
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
    defer { driver.stopAll() }
    let usedBytes = timesLoads ? (plan.model?.weightBytes ?? 0) / 5 * 6 : 0
    var loads: [PairedSide: Int] = [:]
    try driver.run(
      sides.map { side in
        turn(contestant, side, usedBytes: usedBytes) { loads[side] = $0.loaded?.loadNanoseconds }
      })
    var times = cells.map { _ in Double.infinity }
    try driver.run(
      cells.enumerated().flatMap { place, cell in
        sides.map { side in
          turn(contestant, side) { [self] in
            let seconds = try driver.warmUp($0, plan.cells[cell], isKnown: times[place] < 1)
            times[place] = min(times[place], seconds)
          }
        }
      })
    guard !isCancelled else { return }
    fixRounds(contestant, cells, times)
    let units = cells.map { plan.row(contestant: contestant, cell: $0) }
    let rounds = units.map { self.rounds(executionSeconds: executionSeconds[$0] ?? 0, units: count) }
    var samples: [PairedSample] = []
    try driver.run(
      SideTurn.mirrored(rounds: rounds, sides: sides.count, using: &generator).map { place in
        let (unit, side) = (units[place.unit], sides[place.side])
        return turn(contestant, side) { [self] in
          let answer = try $0.run(plan.cells[cells[place.unit]].request)
          try hold(answer.ids, of: side, unit: unit)
          let sample = answer.sample(round: place.round, sequence: sequence)
          samples.append(PairedSample(unit: unit, side: side, sample: sample))
          sequence += 1
        }
      })
    block.samples += samples
    for side in sides {
      var peak: Int?
      if cells == plan.cells(of: contestant) {
        do { peak = try driver.workers[name(contestant, side)]?.peakMemory() } catch {
          throw LostSide(side: side, reason: "\(error)")
        }
      }
      block.processes.append(
        PairedProcess(
          contestant: contestant, side: side, loadNanoseconds: timesLoads ? loads[side] : nil,
          peakMemoryBytes: peak))
    }
  }

  /// By the first warm-up's time alone: no figure influences how often it is measured in a block.
  private func fixRounds(_ contestant: Int, _ cells: [Int], _ seconds: [Double]) {
    for (cell, seconds) in zip(cells, seconds) {
      let unit = plan.row(contestant: contestant, cell: cell)
      guard executionSeconds[unit] == nil else { continue }
      executionSeconds[unit] = seconds
      record.units[unit].rounds = rounds(executionSeconds: seconds, units: record.units.count)
    }
  }

  /// Of a unit in a block that measures so many. All of them together take long enough that starting processes is the
  /// smaller part, and are short enough that the budget holds the blocks of several looks.
  private func rounds(executionSeconds: Double, units: Int) -> Int {
    let budget = plan.settings.budgetSeconds
    return SideTurn.mirroredRounds(
      within: min(budget / 24, max(2.5, budget / 48)) / Double(max(units, 1)),
      executionSeconds: executionSeconds, sides: PairedSide.allCases.count, limit: 8)
  }

  /// Whatever is timed must come to the same tokens in both builds, of a variant that is not exact in each build.
  private func hold(_ ids: [[Int]], of side: PairedSide, unit: Int) throws {
    let isExact = plan.contestants[record.units[unit].contestant].isExact
    guard !ids.isEmpty, let first = tokens.differing(ids, of: side, on: unit, isExact: isExact)?.owner else {
      return
    }
    throw LostSide(
      side: first == .head ? .head : side,
      reason: "\(record.units[unit].test.name): the timed tokens of \(side.rawValue) are not those of "
        + first.rawValue, failedCheck: true)
  }
}

private struct LostSide: Error {
  let side: PairedSide
  let reason: String
  var failedCheck = false
}

extension PairedDemand {
  /// The cells to run of a contestant: all of them where its memory is wanted, because these make its peak.
  fileprivate func cells(of contestant: Int, in plan: PairedPlan) -> [Int] {
    plan.cells(of: contestant).filter {
      memory.contains(contestant) || units.contains(plan.row(contestant: contestant, cell: $0))
    }
  }
}
