import GPT2Kernels
import Record

/// Contestants, and the cells that each of them takes part in: the rows of a record, contestant by contestant.
protocol CellsByContestant {
  var contestants: [Contestant] { get }
  var cells: [CellPlan] { get }
}

extension CellsByContestant {
  /// By their places in `cells`.
  func cells(of contestant: Int) -> [Int] {
    cells.indices.filter { cells[$0].takes(contestants[contestant]) }
  }

  func rows(of contestant: Int) -> Range<Int> {
    let first = (0..<contestant).reduce(0) { $0 + cells(of: $1).count }
    return first..<first + cells(of: contestant).count
  }

  /// - Parameter cell: one that the contestant takes part in.
  func row(contestant: Int, cell: Int) -> Int {
    rows(of: contestant).lowerBound + cells(of: contestant).count { $0 < cell }
  }
}

/// Everything that a run is to do, before it does anything.
struct BenchPlan: CellsByContestant {
  /// The command line that asks for it.
  let command: [String]
  let kind: Record.Kind
  /// By its name as workers take it; nil for matrix products and other operations.
  let model: ModelDescription?
  let contestants: [Contestant]
  let cells: [CellPlan]
  /// The short generation that follows a load, to time from the load to the first token, and its arithmetic; nil
  /// where no model is loaded.
  var firstToken: (request: RunRequest, flops: Double)?
  /// How many tokens a check takes through the model, by how the contestant decodes.
  var checkedTokens: (Variant.Decoding) -> Int = { _ in 0 }
  /// What each variant is profiled on when all is measured; nil for nothing.
  var profile: ProfileRequest?
  let settings: Settings
  /// Runs of a cell's whole test before its first sample; nil for what is usual for its kind.
  var warmups: Int?
  /// Wall time beyond which a cell gets no further sample, however few it has.
  let cellCapSeconds: Double
  let timeoutSeconds: Int
  /// What the report is to say of the plan itself.
  var warnings: [String] = []
}

/// What is measured and compared: a variant or another program, with its threads.
struct Contestant: Equatable {
  enum Kind {
    case variant(Variant)
    case peer(Peer)
  }

  let kind: Kind
  let threads: Int

  var variant: Variant? { if case .variant(let variant) = kind { variant } else { nil } }
  var peer: Peer? { if case .peer(let peer) = kind { peer } else { nil } }

  /// What tables call it, whatever its threads; no two kinds of a run share one.
  var label: String { variant?.name ?? peer?.name ?? "" }

  /// What progress and errors call it.
  var name: String { variant?.isThreaded == false ? label : "\(label) t\(threads)" }

  /// Precision of its weights; empty for a program that has not said it yet.
  var weights: String { variant?.weights.rawValue ?? "" }

  /// What its keys and values are in; of a program, what is counted.
  var cache: WeightPrecision { variant?.cache ?? .f32 }

  /// Whether all its numbers are float32's, as far as is known.
  var isExact: Bool { variant?.isExact ?? false }

  /// How it decodes; of a program, what nearly all do, until it says otherwise.
  var decoding: Variant.Decoding { variant?.decoding ?? .cache }

  static func == (a: Contestant, b: Contestant) -> Bool { a.label == b.label && a.threads == b.threads }

  /// Each variant once for each thread count that makes a difference to it, then each program for each count.
  static func all(_ variants: [Variant], peers: [Peer] = [], threads: [Int]) -> [Contestant] {
    variants.flatMap { variant in
      (variant.isThreaded ? threads : [1]).map { Contestant(kind: .variant(variant), threads: $0) }
    }
      + peers.flatMap { peer in threads.map { Contestant(kind: .peer(peer), threads: $0) } }
  }
}

/// Arithmetic and traffic of one sample, or of one average decoding step; no FLOPs where none are counted. Of an operation's
/// bytes `streamed` are those that come from memory; nil for another test.
typealias CellWork = (flops: Double, bytes: Double, streamed: Double?)

/// One test, the same for every contestant.
struct CellPlan {
  let test: Test
  let request: RunRequest
  /// A short pass that touches every weight; nil where only the whole test will do.
  let warmup: RunRequest?
  /// By how the contestant decodes and what its weights and its cache are in.
  let work: (Variant.Decoding, _ weights: WeightPrecision, _ cache: WeightPrecision) -> CellWork
  /// Keys and values that a contestant with a cache keeps for the test, by what they are in; nil for none.
  var cacheBytes: ((WeightPrecision) -> Double)?
  /// FLOP of the warm-up and of the whole test, of one sequence.
  let arithmetic: (Variant.Decoding) -> (warmup: Double, whole: Double)
  /// Whether a contestant can be asked for it.
  var takes: (Contestant) -> Bool = { _ in true }

  /// Of a contestant, before anything is measured.
  func row(of contestant: Contestant) -> Cell {
    var row = Cell(
      variant: contestant.label, weights: contestant.weights, threads: contestant.threads, test: test,
      status: .pending)
    let work = work(contestant.decoding, contestant.variant?.weights ?? .f32, contestant.cache)
    (row.flops, row.bytes) = (work.flops > 0 ? work.flops : nil, work.bytes)
    row.streamedBytes = work.streamed
    row.cacheBytes = contestant.decoding == .cache ? cacheBytes?(contestant.cache) : nil
    row.cache = contestant.cache == .f32 ? nil : contestant.cache.rawValue
    return row
  }
}

/// Everything that an interleaved comparison is to do, before it does anything.
struct PairedPlan: CellsByContestant {
  /// The command line that asks for it.
  let command: [String]
  /// The program that this one is held against.
  let base: String
  /// By its name as workers take it; nil for matrix products.
  let model: ModelDescription?
  let contestants: [Contestant]
  let cells: [CellPlan]
  /// What every worker is held against before anything is timed.
  let checks: [CheckRequest]
  let settings: PairedSettings
  let timeoutSeconds: Int
  var warnings: [String] = []

  /// Every test of every contestant, contestant by contestant.
  var units: [PairedUnit] {
    contestants.indices.flatMap { contestant in
      cells(of: contestant).map { PairedUnit(contestant: contestant, test: cells[$0].test) }
    }
  }

  func executable(_ side: PairedSide) -> String { side == .head ? Project.executable : base }
}
