import Foundation
import GPT2Kernels
import Measurement
import Record
import Statistics

/// One contestant's part of a block.
extension PairedBench {
  /// Seconds of rounds in a block, all units together: enough that starting processes is the smaller part, and little
  /// enough that the budget holds the blocks of several looks.
  private func roundsSeconds(_ budget: Double) -> Double { min(budget / 24, max(2.5, budget / 48)) }

  /// Of one unit in a block.
  private static var mostRounds: Int { 8 }

  /// Holds both builds against the references before anything is timed: the head also where the base has failed.
  func check(_ contestant: Int) {
    let contestantPlan = plan.contestants[contestant]
    for side in [PairedSide.base, .head] where !isCancelled {
      progress.step("checking: \(side.rawValue) \(contestantPlan.name)")
      do {
        let process = try start(contestantPlan, side)
        defer { process.stop() }
        let loaded = try process.load(model: plan.model, cold: false)
        if side == .base {
          record.base.version = loaded.version.map(Self.programVersion)
          record.base.build = loaded.build
          warnOfOtherFlags()
        }
        let rows = try plan.checks.flatMap {
          CheckRows.rows(of: try process.check($0), $0, contestantPlan)
        }
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

  private func start(_ contestant: Contestant, _ side: PairedSide) throws -> Worker {
    try Worker(
      contestant, build: plan.executable(side), name: "\(side.rawValue) \(contestant.name)",
      timeoutSeconds: plan.timeoutSeconds)
  }

  /// Fresh processes of every side in a random order, warm-ups that are not kept, then the mirrored rounds.
  ///
  /// - Parameters:
  ///   - units: how many this block measures, of all contestants: they share its time.
  ///   - timesLoads: give each load memory that was just in use, as a system that has to fetch it takes seconds.
  /// - Throws: `LostSide` for the side that cannot go on.
  func measure(
    _ contestant: Int, _ cells: [Int], units count: Int, timesLoads: Bool, into block: inout PairedBlock
  ) throws {
    var sides = PairedSide.allCases
    generator.shuffle(&sides)
    var processes: [PairedSide: Worker] = [:]
    defer { for process in processes.values { process.stop() } }
    var loads: [PairedSide: Int] = [:]
    for side in sides {
      try onSide(side) {
        let process = try start(plan.contestants[contestant], side)
        processes[side] = process
        if timesLoads { FreeMemory.use(bytes: (plan.modelDescription?.weightBytes ?? 0) / 5 * 6) }
        loads[side] = try process.load(model: plan.model, cold: false).loadNanoseconds
      }
    }
    var times = cells.map { _ in Double.infinity }
    for (place, cell) in cells.enumerated() {
      for side in sides {
        guard let process = processes[side] else { continue }
        try onSide(side) {
          times[place] = min(times[place], try warmUp(process, plan.cells[cell], isKnown: times[place] < 1))
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
      guard let process = processes[side] else { continue }
      try onSide(side) {
        let answer = try process.run(plan.cells[cells[turn.unit]].request)
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
          peakMemoryBytes: cells.count == plan.cells.count ? processes[side]?.peakMemory() : nil))
    }
  }

  private func onSide(_ side: PairedSide, _ body: () throws -> Void) throws {
    do { try body() } catch let error as LostSide { throw error } catch {
      throw LostSide(side: side, reason: "\(error)")
    }
  }

  /// - Parameter isKnown: whether the whole test is known to take less than a second.
  /// - Returns: seconds that the whole test is expected to take.
  private func warmUp(_ process: Worker, _ cell: CellPlan, isKnown: Bool) throws -> Double {
    guard let warmup = cell.warmup, !isKnown else { return try process.run(cell.request).callSeconds }
    let short = try process.run(warmup)
    let expected = short.callSeconds * cell.warmupRatio(process.decoding)
    return expected < 1 ? try process.run(cell.request).callSeconds : expected
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
    guard !ids.isEmpty else { return }
    guard let first = tokens[unit] else {
      tokens[unit] = (side, ids)
      return
    }
    guard ids != first.ids else { return }
    throw LostSide(
      side: first.side == .head ? .head : side,
      reason: "\(record.units[unit].test.name): the timed tokens of \(side.rawValue) are not those of "
        + first.side.rawValue, failedCheck: true)
  }
}

extension RunAnswer {
  /// Wall time of the whole request; of a GEMM that of all calls of the sample.
  fileprivate var callSeconds: Double { elapsedNanoseconds * Double(iterations) / 1e9 }
}
