/// How a kernel wants the matrix of a linear layer to lie in memory.
public enum WeightLayout: Sendable, Equatable {
  /// One row of `inputs` values for each output: what a dot product reads in order.
  case rows
  /// (inputs, outputs) row-major, as a Hugging Face `Conv1D` matrix lies in its file and as training keeps it.
  case columns
  /// Panels for products with vectors of that many floats; see `PanelShape`.
  case panels(vector: Int, of: WeightPrecision = .f32)

  public var precision: WeightPrecision {
    switch self {
    case .rows, .columns: .f32
    case .panels(_, let precision): precision
    }
  }

  /// Words of four bytes that a matrix takes in this layout: floats, or what else fits in them.
  public func count(outputs: Int, inputs: Int) -> Int {
    switch self {
    case .rows, .columns: outputs * inputs
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).count(outputs: outputs, inputs: inputs)
    }
  }

  /// Outputs that are laid out together: pieces of a `Linear` matrix begin at multiples of it.
  public var grain: Int {
    switch self {
    case .rows, .columns: 1
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
    case .rows:
      transpose(
        source, stride: outputs, rows: rows.count, columns: outputs, to: destination + rows.lowerBound,
        stride: inputs)
    case .columns:
      (destination + rows.lowerBound * outputs).update(from: source, count: rows.count * outputs)
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
    let target =
      destination + (self == .columns ? rows.lowerBound : count(outputs: rows.lowerBound, inputs: inputs))
    switch self {
    case .columns:
      transpose(
        source, stride: inputs, rows: rows.count, columns: inputs, to: target, stride: outputs)
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
    case .columns: for input in 0..<inputs { target[input] = base[input &* outputs &+ output] }
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).read(output, of: self, to: target)
    }
  }
}
