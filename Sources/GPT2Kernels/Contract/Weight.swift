/// How a kernel wants the matrix of a linear layer to lie in memory.
public enum WeightLayout: Sendable, Equatable {
  /// One row of `inputs` values for each output: what a dot product reads in order.
  case rows
  /// Panels for products with vectors of that many floats; see `PanelShape`.
  case panels(vector: Int, of: WeightPrecision = .f32)

  public var precision: WeightPrecision {
    switch self {
    case .rows: .f32
    case .panels(_, let precision): precision
    }
  }

  /// Words of four bytes that a matrix takes in this layout: floats, or what else fits in them.
  public func count(outputs: Int, inputs: Int) -> Int {
    switch self {
    case .rows: outputs * inputs
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).count(outputs: outputs, inputs: inputs)
    }
  }

  /// Outputs that are laid out together: pieces of a `Linear` matrix begin at multiples of it.
  public var grain: Int {
    switch self {
    case .rows: 1
    case .panels(let vector, let precision): PanelShape(vector: vector, precision).columns
    }
  }

  /// Lays a Hugging Face `Conv1D` matrix, (inputs, outputs) row-major, out at `destination`.
  /// - Parameter rows: the inputs whose rows `source` holds; all of them for nil.
  public func store(
    conv1D source: UnsafePointer<Float>, rows: Range<Int>? = nil, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    let rows = rows ?? 0..<inputs
    switch self {
    case .rows: transpose(source, rows: rows, of: inputs, columns: outputs, to: destination)
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).store(
        conv1D: source, rows: rows, inputs: inputs, outputs: outputs, to: destination)
    }
  }

  /// Lays a `Linear` matrix, (outputs, inputs) row-major, out at `destination`: the same bits as from its transpose.
  /// - Parameter rows: the outputs whose rows `source` holds, from a multiple of `grain` on; all of them for nil.
  public func store(
    linear source: UnsafePointer<Float>, rows: Range<Int>? = nil, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    let rows = rows ?? 0..<outputs
    precondition(rows.lowerBound % grain == 0)
    let target = destination + count(outputs: rows.lowerBound, inputs: inputs)
    switch self {
    case .rows: target.update(from: source, count: rows.count * inputs)
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision)
        .store(linear: source, inputs: inputs, outputs: rows.count, to: target)
    }
  }

  /// Lays some blocks of some outputs out at `destination`, bit for bit.
  /// - Parameter source: ggml's blocks, Q8_0 for `int8` and Q4_0 for `int4`: (outputs, blocks), row-major.
  public func store(
    blocks source: UnsafeRawPointer, outputs: Range<Int>, blocks: Range<Int>, inputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    guard case .panels(let vector, let precision) = self, precision == .int8 || precision == .int4 else {
      preconditionFailure("blocks for a layout of floats")
    }
    PanelShape(vector: vector, precision).store(
      blocks: source, outputs: outputs, blocks: blocks, inputs: inputs, to: destination)
  }
}

/// The matrix of a linear layer, in some kernel's layout.
public struct Weight: @unchecked Sendable {
  /// The layout's words of four bytes.
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

  /// The weights of one output as floats, in any layout.
  /// - Parameter target: `inputs` floats.
  public func read(_ output: Int, to target: UnsafeMutablePointer<Float>) {
    switch layout {
    case .rows: target.update(from: row(output), count: inputs)
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).read(output, of: self, to: target)
    }
  }
}

/// destination[c, r] = source[r, c] for some rows of a matrix of `count`, which `source` begins with, in square blocks
/// so that neither side runs through a page for each value.
func transpose(
  _ source: UnsafePointer<Float>, rows: Range<Int>, of count: Int, columns: Int,
  to destination: UnsafeMutablePointer<Float>
) {
  let block = 32
  for columnBlock in stride(from: 0, to: columns, by: block) {
    let lastColumn = min(columnBlock + block, columns)
    for rowBlock in stride(from: 0, to: rows.count, by: block) {
      let lastRow = min(rowBlock + block, rows.count)
      for column in columnBlock..<lastColumn {
        let target = destination + (column &* count &+ rows.lowerBound)
        for row in rowBlock..<lastRow { target[row] = source[row &* columns &+ column] }
      }
    }
  }
}
