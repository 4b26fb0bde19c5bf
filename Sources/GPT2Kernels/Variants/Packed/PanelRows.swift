/// Some rows of an input against one panel, cut into tiles.
struct PanelRows<V: FloatVector> {
  /// The first row's first input.
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  /// (inputs, width)
  let panel: UnsafePointer<Float>
  /// One to three vectors of floats.
  let width: Int
  let inputs: Int
  /// (rows, width): tile after tile, each as (rows, width) without gaps, hence row after row.
  let sums: UnsafeMutablePointer<Float>
  /// Whether the sums go on from what is there.
  let continues: Bool
  /// Where the memory begins that is wanted next, if any.
  var next: UnsafePointer<Float>?

  /// - Parameter tileRows: rows of the highest tile, 4 or 8.
  @inline(__always)
  func run(tileRows: Int) {
    switch width / V.scalarCount {
    case 1: run(Strip1<V>.self, tileRows)
    case 2: run(Strip2<V>.self, tileRows)
    default: run(Strip3<V>.self, tileRows)
    }
  }

  @inline(__always)
  private func run<Columns: Strip>(_: Columns.Type, _ tileRows: Int) {
    // The lines of the next panel, shared out among this one's tiles, at four inputs a step.
    let lines = (4 &* width) / 16
    let tiles = max(rows / tileRows, 1)
    let linesPerStep = next == nil ? 0 : (lines &+ tiles &- 1) / tiles
    let linesPerTile = linesPerStep &* (inputs / 4)
    var row = 0
    var tile = 0
    while row < rows {
      let left = rows &- row
      var product = TileProduct(
        x: x + row &* stride, stride: stride, panel: panel, inputs: inputs,
        sums: sums + row &* width, continues: continues)
      if let next, tile &* linesPerTile &* 16 < inputs &* width {
        product.prefetched = next + tile &* linesPerTile &* 16
        product.linesPerStep = linesPerStep
      }
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
    }
  }
}
