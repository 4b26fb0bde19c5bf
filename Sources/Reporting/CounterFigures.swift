import Record
import Statistics

/// What the CPU counted for a cell, for each token or call: medians over the samples that have the counter.
struct CounterFigures: Sendable, Equatable {
  var instructions: Double?
  var cycles: Double?
  var cacheReferences: Double?
  var cacheMisses: Double?
  /// The least share of the time in which the counters really counted; nil where it was not said.
  var share: Double?

  /// Nil where there are no counters.
  init?(_ cell: Cell) {
    let samples = cell.usableSamples.filter { !($0.counters ?? [:]).isEmpty }
    guard !samples.isEmpty else { return nil }
    func perUnit(_ name: String) -> Double? {
      median(
        samples.compactMap { sample in
          sample.counters?[name].map { Double($0) / cell.test.countedUnits(sample) }
        })
    }
    instructions = perUnit("instructions")
    cycles = perUnit("cycles")
    cacheReferences = perUnit("cacheReferences")
    cacheMisses = perUnit("cacheMisses")
    share = samples.compactMap(\.countersShare).min()
  }

  var instructionsPerCycle: Double? {
    guard let instructions, let cycles, cycles > 0 else { return nil }
    return instructions / cycles
  }
}

extension Test {
  /// Tokens or calls that a sample's counters are of.
  fileprivate func countedUnits(_ sample: Sample) -> Double {
    switch self {
    case .prefill(let tokens, let batch): Double(tokens) * Double(batch)
    case .decode(let tokens, _, let batch): Double(max(tokens - 1, 1)) * Double(batch)
    case .operation: Double(max(sample.iterations, 1))
    }
  }
}
