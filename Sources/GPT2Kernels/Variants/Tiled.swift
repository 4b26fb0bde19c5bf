extension Variant {
  static let tiled = Variant(
    name: "tiled",
    summary: "4 × 8 register tile: a loaded weight serves four rows, a loaded activation eight outputs",
    makeKernel: { _ in Tiled4x8() })
}

/// Thirty-two sums in registers: each step of the reduction feeds thirty-two products with twelve loads instead of
/// sixty-four, and the sums, independent of each other, need no unrolling of their own. Every output sums in the
/// reference's order, whatever tile it falls in.
struct Tiled4x8: DivisibleKernel {
  /// Where rows or outputs do not fill the last tile it starts earlier and computes some of them twice: the same
  /// sums in the same order, and faster than one by one.
  func linear(_ operation: Linear, outputs: Range<Int>) {
    let rows = operation.input.rows
    guard rows >= 4, outputs.count >= 8 else {
      for m in 0..<rows { row(operation, m, outputs) }
      return
    }
    for n in stride(from: outputs.lowerBound, to: outputs.upperBound, by: 8) {
      for m in stride(from: 0, to: rows, by: 4) {
        tile4x8(operation, min(m, rows - 4), min(n, outputs.upperBound - 8))
      }
    }
  }

  func attention(_ operation: Attention, heads: Range<Int>) { Unrolled8().attention(operation, heads: heads) }

  @inline(__always)
  private func tile4x8(_ operation: Linear, _ m: Int, _ n: Int) {
    let x = operation.input.row(m)
    let w = operation.weight.row(n)
    let (stride, inputs) = (operation.input.stride, operation.weight.inputs)
    var sums = InlineArray<32, Float>(repeating: 0)
    for k in 0..<inputs {
      for r in 0..<4 { for c in 0..<8 { sums[r * 8 + c] += x[r * stride + k] * w[c * inputs + k] } }
    }
    for r in 0..<4 {
      let out = operation.output.row(m + r) + n
      for c in 0..<8 { out[c] = sums[r * 8 + c] + (operation.bias?.base[n + c] ?? 0) }
    }
  }

  /// A row that has no three others beside it, four outputs at a time.
  private func row(_ operation: Linear, _ m: Int, _ outputs: Range<Int>) {
    let tiledEnd = outputs.lowerBound + outputs.count & ~3
    for n in stride(from: outputs.lowerBound, to: tiledEnd, by: 4) { tile1x4(operation, m, n) }
    let x = operation.input.row(m)
    for n in tiledEnd..<outputs.upperBound {
      let w = operation.weight.row(n)
      var sum: Float = 0
      for k in 0..<operation.weight.inputs { sum += x[k] * w[k] }
      operation.output.row(m)[n] = sum + (operation.bias?.base[n] ?? 0)
    }
  }

  @inline(__always)
  private func tile1x4(_ operation: Linear, _ m: Int, _ n: Int) {
    let x = operation.input.row(m)
    let (w0, w1) = (operation.weight.row(n), operation.weight.row(n + 1))
    let (w2, w3) = (operation.weight.row(n + 2), operation.weight.row(n + 3))
    var (s0, s1, s2, s3): (Float, Float, Float, Float) = (0, 0, 0, 0)
    for k in 0..<operation.weight.inputs {
      let value = x[k]
      s0 += value * w0[k]
      s1 += value * w1[k]
      s2 += value * w2[k]
      s3 += value * w3[k]
    }
    let out = operation.output.row(m) + n
    (out[0], out[1], out[2], out[3]) = (s0, s1, s2, s3)
    guard let bias = operation.bias?.base else { return }
    for c in 0..<4 { out[c] += bias[n + c] }
  }
}
