/// Some rows of an input against one panel, cut into tiles.
struct PanelRows<V: FloatVector> {
  /// The first row's first input.
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  /// (inputs, panelStride)
  let panel: UnsafePointer<Float>
  let panelStride: Int
  /// Columns to compute: one to three vectors of floats.
  let columns: Int
  let inputs: Int
  /// (rows, columns), the rows `sumStride` apart; only as many as a tile has where `reusesSums`.
  let sums: UnsafeMutablePointer<Float>
  let sumStride: Int
  /// Whether every tile puts its sums in the same place.
  var reusesSums = false
  /// Whether the sums go on from what is there.
  var continues = false
  /// Where the memory begins that is wanted next, if any.
  var next: UnsafePointer<Float>?

  /// - Parameters:
  ///   - tileRows: rows of the highest tile, 4 or 8.
  ///   - finish: takes each tile's rows as soon as their sums are stored, while they are in the first-level cache
  ///     and the next tile's arithmetic can hide what finishing them stores.
  @inline(__always)
  func run(tileRows: Int, finish: (Range<Int>) -> Void) {
    switch columns / V.scalarCount {
    case 1: run(Strip1<V>.self, tileRows, finish)
    case 2: run(Strip2<V>.self, tileRows, finish)
    default: run(Strip3<V>.self, tileRows, finish)
    }
  }

  @inline(__always)
  func run(tileRows: Int) { run(tileRows: tileRows) { _ in } }

  @inline(__always)
  private func run<Columns: Strip>(
    _: Columns.Type, _ tileRows: Int, _ finish: (Range<Int>) -> Void
  ) {
    // The lines of the next panel, shared out among this one's tiles, at four inputs a step.
    let lines = (4 &* panelStride) / 16
    let tiles = max(rows / tileRows, 1)
    let linesPerStep = next == nil ? 0 : (lines &+ tiles &- 1) / tiles
    let linesPerTile = linesPerStep &* (inputs / 4)
    var row = 0
    var tile = 0
    while row < rows {
      let left = rows &- row
      var product = TileProduct(
        x: x + row &* stride, stride: stride, panel: panel, panelStride: panelStride, inputs: inputs,
        sums: reusesSums ? sums : sums + row &* sumStride, sumStride: sumStride, continues: continues)
      if let next, tile &* linesPerTile &* 16 < inputs &* panelStride {
        product.prefetched = next + tile &* linesPerTile &* 16
        product.linesPerStep = linesPerStep
      }
      let first = row
      tile &+= 1
      if left >= 8, tileRows == 8 {
        Pair<Pair<Pair<Row<Columns>>>>.run(product)
        row &+= 8
      } else if left >= 4 {
        Pair<Pair<Row<Columns>>>.run(product)
        row &+= 4
      } else if left >= 2 {
        Pair<Row<Columns>>.run(product)
        row &+= 2
      } else {
        Row<Columns>.run(product)
        row &+= 1
      }
      finish(first..<row)
    }
  }
}
