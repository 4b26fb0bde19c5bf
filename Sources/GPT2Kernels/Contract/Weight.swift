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
      PanelShape(vector: vector).store(conv1D: source, inputs: inputs, outputs: outputs, to: destination)
    }
  }

  /// Lays a `Linear` matrix, (outputs, inputs) row-major, out at `destination`: the same bits as from its transpose.
  public func store(
    linear source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .rows: destination.update(from: source, count: outputs * inputs)
    case .panels(let vector):
      PanelShape(vector: vector).store(linear: source, inputs: inputs, outputs: outputs, to: destination)
    }
  }
}

/// The matrix of a linear layer, in some kernel's layout.
public struct Weight: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let outputs, inputs: Int
  public let layout: WeightLayout

  public init(_ base: UnsafePointer<Float>, outputs: Int, inputs: Int, layout: WeightLayout) {
    (self.base, self.outputs, self.inputs, self.layout) = (base, outputs, inputs, layout)
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

/// A matrix cut into panels of up to three vectors' outputs each, so that the innermost loop of a product reads it
/// from start to end: panel by panel, and in each (inputs, width). The last panel is as many vectors wide as it needs.
/// This is the packing of Goto and van de Geijn ("Anatomy of High-Performance Matrix Multiplication", 2008).
struct PanelShape {
  let vector: Int
  /// Outputs of a whole panel.
  let columns: Int

  /// Panels three vectors wide, whatever is left in the last.
  init(vector: Int) { (self.vector, columns) = (vector, 3 * vector) }

  /// As few panels as hold that many outputs, and as even as whole vectors allow.
  init(vector: Int, fitting outputs: Int) {
    self.vector = vector
    let vectors = max((outputs + vector - 1) / vector, 1)
    let panels = (vectors + 2) / 3
    columns = (vectors + panels - 1) / panels * vector
  }

  @inline(__always) func panels(outputs: Int) -> Int { (outputs &+ columns &- 1) / columns }
  func count(outputs: Int, inputs: Int) -> Int { (outputs + vector - 1) / vector * vector * inputs }

  /// Floats from one input to the next in the panel that holds `output`.
  @inline(__always)
  func width(at output: Int, outputs: Int) -> Int {
    let first = output / columns &* columns
    return min(columns, (outputs &- first &+ vector &- 1) / vector &* vector)
  }

  /// Where an output's first input lies.
  @inline(__always)
  func offset(of output: Int, inputs: Int) -> Int {
    let first = output / columns &* columns
    return first &* inputs &+ (output &- first)
  }

  /// Copies a Hugging Face `Conv1D` matrix, (inputs, outputs) row-major; padding becomes 0.
  func store(
    conv1D source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    var target = destination
    for first in stride(from: 0, to: outputs, by: columns) {
      let width = width(at: first, outputs: outputs)
      let used = min(width, outputs - first)
      for input in 0..<inputs {
        target.update(from: source + (input &* outputs &+ first), count: used)
        (target + used).update(repeating: 0, count: width - used)
        target += width
      }
    }
  }

  /// Copies a `Linear` matrix, (outputs, inputs) row-major; padding becomes 0.
  func store(
    linear source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    // Of each row as much as a cache line holds: the lines that are read and those that are written stay in the
    // first-level cache until they are whole.
    let block = 16
    var target = destination
    for first in stride(from: 0, to: outputs, by: columns) {
      let width = width(at: first, outputs: outputs)
      let used = min(width, outputs - first)
      for firstInput in stride(from: 0, to: inputs, by: block) {
        let count = min(block, inputs - firstInput)
        for output in 0..<used {
          let row = source + ((first &+ output) &* inputs &+ firstInput)
          for input in 0..<count { target[input &* width &+ output] = row[input] }
        }
        for input in 0..<count {
          (target + (input &* width &+ used)).update(repeating: 0, count: width - used)
        }
        target += count &* width
      }
    }
  }
}
