import GPT2Kernels
import Reporting

/// Everything that a run is to do, before it does anything.
struct BenchPlan {
  let kind: Record.Kind
  /// The model's name as workers take it; nil for matrix products.
  let model: String?
  let modelDescription: ModelDescription?
  let contestants: [ContestantPlan]
  let cells: [CellPlan]
  let settings: Settings
  /// Wall time beyond which a cell gets no further sample, however few it has.
  let cellCapSeconds: Double
  /// How long a worker may take for one answer.
  let timeoutSeconds: Int
  /// What the report is to say of the plan itself.
  var warnings: [String] = []
}

/// One process: a variant with its threads.
struct ContestantPlan: Equatable {
  let variant: Variant
  let threads: Int

  var name: String { variant.isThreaded ? "\(variant.name) t\(threads)" : variant.name }

  static func == (a: ContestantPlan, b: ContestantPlan) -> Bool {
    a.variant.name == b.variant.name && a.threads == b.threads
  }

  /// Each variant once for each thread count that makes a difference to it.
  static func all(_ variants: [Variant], threads: [Int]) -> [ContestantPlan] {
    variants.flatMap { variant in
      (variant.isThreaded ? threads : [1]).map { ContestantPlan(variant: variant, threads: $0) }
    }
  }
}

/// One test, the same for every contestant.
struct CellPlan {
  let test: Test
  let request: RunRequest
  /// A short pass that touches every weight; nil where only the whole test will do.
  let warmup: RunRequest?
  /// Arithmetic and traffic of one sample, or of one average decoding step, by how the variant decodes.
  let work: (Variant.Decoding) -> (flops: Double, bytes: Double)
  /// How many times the warm-up's arithmetic the whole test takes.
  let warmupRatio: (Variant.Decoding) -> Double
}
