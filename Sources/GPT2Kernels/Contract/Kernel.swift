/// How the operations of a GPT-2 are computed. One conformer per rung of the ladder.
///
/// Each operation comes with the part of its independent outputs to compute, so that a caller may split it
/// between threads; the parts never share a reduction, and a result must not depend on how it was split.
/// Whatever a conformer does not implement is the reference operation of `Kernel+Reference.swift`: a variant's
/// file shows exactly what that variant changes. Every implementation handles every shape itself.
public protocol Kernel: Sendable {
  var weightLayout: WeightLayout { get }

  /// Columns `outputs` of the output, for all rows.
  func linear(_ operation: Linear, outputs: Range<Int>)

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>)

  func gelu(_ operation: GELU, elements: Range<Int>)

  func add(_ operation: Addition, elements: Range<Int>)

  func attention(_ operation: Attention, heads: Range<Int>)
}

extension Kernel {
  public var weightLayout: WeightLayout { .rows }

  public func run(_ operation: Linear) {
    assert(operation.weight.layout == weightLayout)
    linear(operation, outputs: 0..<operation.weight.outputs)
  }

  public func run(_ operation: LayerNorm) { layerNorm(operation, rows: 0..<operation.input.rows) }

  public func run(_ operation: GELU) { gelu(operation, elements: 0..<operation.count) }

  public func run(_ operation: Addition) { add(operation, elements: 0..<operation.count) }

  public func run(_ operation: Attention) { attention(operation, heads: 0..<operation.heads) }
}
