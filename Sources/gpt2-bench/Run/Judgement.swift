import Foundation
import GPT2Engine
import GPT2Kernels
import Record
import Reporting

/// What is decided when all samples are there.
extension Bench {
  /// What the run met on its machine, and what that means for its figures.
  ///
  /// - Parameter known: what the user has been told already.
  func judgeConditions(known: [Finding]) {
    record.conditions = driver.conditions.end()
    let findings = Validity(record).findings
    record.findings = findings
    let new = findings.filter { !known.contains($0) }.map(\.text)
    if !new.isEmpty { console.remark(new.joined(separator: "; ")) }
  }

  /// A figure beyond the peak of its arithmetic shows that something was not computed; such a cell loses its samples.
  func rejectImpossible() {
    for index in record.cells.indices where record.cells[index].status == .measured {
      guard let verdict = ImpossibleRate(record.cells[index], ceilings: record.ceilings) else { continue }
      record.cells[index].fail(.rejected, verdict.description)
    }
  }

  /// Every contestant must have produced the same tokens in what was timed as the first one with weights and a cache of the
  /// same precisions: others may choose otherwise. Another program's fewer bits are its own; it is held to itself.
  func compareTokens() {
    let answering = Set(ids.values.flatMap(\.keys))
    for contestant in answering.sorted() {
      let first = answering.sorted().first { rounds($0, as: contestant) } ?? contestant
      let shared = ids.values.compactMap { answers in
        answers[contestant].flatMap { found in answers[first].map { (found, $0) } }
      }
      guard !shared.isEmpty else { continue }
      let row = Correctness(
        CheckResult(tokens: shared.flatMap(\.0), expected: shared.flatMap(\.1)),
        reference: "timed tokens, as \(plan.contestants[first].name)'s", of: plan.contestants[contestant])
      record.correctness.append(row)
      guard !row.passed else { continue }
      for cell in rows(of: contestant) where record.cells[cell].status == .measured {
        record.cells[cell].fail(.failedCheck, row.failure)
      }
    }
  }

  private func rounds(_ first: Int, as second: Int) -> Bool {
    let caches = (plan.contestants[first].cache, plan.contestants[second].cache)
    guard weights(of: first) == weights(of: second), caches.0 == caches.1 else { return false }
    let peers = (plan.contestants[first].peer, plan.contestants[second].peer)
    return weights(of: first) == WeightPrecision.f32.rawValue || peers.0 == peers.1
  }

  /// A program that does not say what it has is held to float32.
  private func weights(of contestant: Int) -> String {
    let said = record.cells[rows(of: contestant).lowerBound].weights
    return said.isEmpty ? WeightPrecision.f32.rawValue : said
  }
}

/// A cell whose fastest sample would have needed more arithmetic than the machine can do; where none is counted, more
/// bytes than the fastest memory that was measured gives.
struct ImpossibleRate: CustomStringConvertible {
  /// What a sample may show above the best of the peak's trials: those are short, and clocks wander.
  static let allowance = 1.05

  let description: String

  /// Nil for a cell that is possible, or whose rate is not known.
  init?(_ cell: Cell, ceilings: [Ceiling]) {
    guard let ceiling = ceilings.first(where: { $0.threads == cell.threads }),
      let fastest = cell.primaryDurations.min()
    else { return nil }
    guard let flops = cell.flops else {
      let rate = (cell.bytes ?? 0) / fastest
      let memory = (ceiling.memory ?? []).flatMap(\.trials).max() ?? ceiling.dramGBPerSecond
      guard rate > memory * Self.allowance else { return nil }
      description = String(
        format: "%.1f GB/s is above the %.1f of the fastest memory measured: not everything was read", rate,
        memory)
      return
    }
    // A program that does not say what it runs on may have instructions that were not measured.
    if ProductPeak.Numbers(weights: cell.weights) != nil, cell.instructions == nil { return nil }
    func products(_ ceiling: Ceiling) -> ProductPeak? {
      ceiling.products(weights: cell.weights, instructions: cell.instructions)
    }
    func best(_ ceiling: Ceiling) -> Double { products(ceiling)?.trials.max() ?? ceiling.fmaGFLOPS }
    // Each core may do in a lucky moment what one did alone in another.
    let perThread = ceilings.map { best($0) / Double(max($0.threads, 1)) }.max() ?? 0
    let peak = max(best(ceiling), perThread * Double(cell.threads))
    let rate = flops / fastest
    guard rate > peak * Self.allowance else { return nil }
    let name = products(ceiling)?.instructions ?? "FMA"
    description = String(
      format: "%.1f GFLOP/s is above the measured \(name) peak of %.1f: not everything was computed", rate,
      peak)
  }
}
