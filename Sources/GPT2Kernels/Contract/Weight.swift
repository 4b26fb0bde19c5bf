/// How a kernel wants the matrix of a linear layer to lie in memory.
public enum WeightLayout: Sendable, Equatable {
  /// One row of `inputs` values for each output: what a dot product reads in order.
  case rows
  /// Panels for products with vectors of that many floats; see `PanelShape`.
  case panels(vector: Int)

  /// Floats that a matrix takes in this layout.
  public func count(outputs: Int, inputs: Int) -> Int {
    switch self {
    case .rows: outputs * inputs
    case .panels(let vector): PanelShape(vector: vector).count(outputs: outputs, inputs: inputs)
    }
  }

  /// Lays a Hugging Face `Conv1D` matrix, (inputs, outputs) row-major, out at `destination`.
  public func store(
    conv1D source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .rows: transpose(source, rows: inputs, columns: outputs, to: destination)
    case .panels(let vector):
      PanelShape(vector: vector).store(
        conv1D: source, inputs: inputs, outputs: outputs, to: destination)
    }
  }

  /// Lays a `Linear` matrix, (outputs, inputs) row-major, out at `destination`: the same bits there as from its
  /// transpose.
  public func store(
    linear source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .rows: destination.update(from: source, count: outputs * inputs)
    case .panels(let vector):
      PanelShape(vector: vector).store(
        linear: source, inputs: inputs, outputs: outputs, to: destination)
    }
  }
}

/// The matrix of a linear layer, in some kernel's layout.
public struct Weight: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let outputs: Int
  public let inputs: Int
  public let layout: WeightLayout

  public init(_ base: UnsafePointer<Float>, outputs: Int, inputs: Int, layout: WeightLayout) {
    self.base = base
    self.outputs = outputs
    self.inputs = inputs
    self.layout = layout
  }

  /// The weights of one output; only in the `rows` layout.
  @inline(__always)
  func row(_ output: Int) -> UnsafePointer<Float> {
    assert(layout == .rows && output >= 0 && output < outputs)
    return base + output &* inputs
  }
}

/// destination[c, r] = source[r, c], in square blocks so that neither side runs through a page for each value.
func transpose(
  _ source: UnsafePointer<Float>, rows: Int, columns: Int, to destination: UnsafeMutablePointer<Float>
) {
  let block = 32
  for columnBlock in stride(from: 0, to: columns, by: block) {
    let lastColumn = min(columnBlock + block, columns)
    for rowBlock in stride(from: 0, to: rows, by: block) {
      let lastRow = min(rowBlock + block, rows)
      for column in columnBlock..<lastColumn {
        let target = destination + column &* rows
        for row in rowBlock..<lastRow { target[row] = source[row &* columns &+ column] }
      }
    }
  }
}
