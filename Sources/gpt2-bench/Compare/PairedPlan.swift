import Record

/// Everything that an interleaved comparison is to do, before it does anything.
struct PairedPlan {
  /// The build whose change is judged: this program.
  let head: String
  /// The other build.
  let base: String
  /// The model's name as workers take it; nil for matrix products.
  let model: String?
  let modelDescription: ModelDescription?
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
      cells.map { PairedUnit(contestant: contestant, test: $0.test) }
    }
  }

  func unit(contestant: Int, cell: Int) -> Int { contestant * cells.count + cell }

  func executable(_ side: PairedSide) -> String { side == .head ? head : base }
}
