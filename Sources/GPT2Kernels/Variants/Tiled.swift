extension Variant {
  static let tiled = Variant(
    name: "tiled",
    summary: "4 × 4 register tile: a loaded weight serves four rows, a loaded activation four outputs",
    kernel: { _ in Tiled4x4() })
}

/// Sixteen sums in registers: each step of the reduction feeds sixteen products with eight loads instead of
/// thirty-two, and the sums, independent of each other, need no unrolling of their own. Every output sums in the
/// reference's order, whatever tile it falls in.
struct Tiled4x4: Kernel {
  func linear(_ operation: Linear, outputs: Range<Int>) {
    let rows = operation.input.rows
    let tiledRows = rows & ~3
    let tiledEnd = outputs.lowerBound + outputs.count & ~3
    for n in stride(from: outputs.lowerBound, to: tiledEnd, by: 4) {
      for m in stride(from: 0, to: tiledRows, by: 4) { tile4x4(operation, m, n) }
    }
    edge(operation, 0..<tiledRows, tiledEnd..<outputs.upperBound)
    for m in tiledRows..<rows {
      for n in stride(from: outputs.lowerBound, to: tiledEnd, by: 4) { tile1x4(operation, m, n) }
    }
    edge(operation, tiledRows..<rows, tiledEnd..<outputs.upperBound)
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    Unrolled8().attention(operation, heads: heads)
  }

  @inline(__always)
  private func tile4x4(_ operation: Linear, _ m: Int, _ n: Int) {
    let x = operation.input.row(m)
    let w = operation.weight.row(n)
    let (stride, inputs) = (operation.input.stride, operation.weight.inputs)
    var sums = InlineArray<16, Float>(repeating: 0)
    for k in 0..<inputs {
      for r in 0..<4 {
        for c in 0..<4 { sums[r * 4 + c] += x[r * stride + k] * w[c * inputs + k] }
      }
    }
    for r in 0..<4 {
      let out = operation.output.row(m + r) + n
      for c in 0..<4 { out[c] = sums[r * 4 + c] + (operation.bias?.base[n + c] ?? 0) }
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

  /// What is left where the outputs do not fill a tile.
  private func edge(_ operation: Linear, _ rows: Range<Int>, _ columns: Range<Int>) {
    for m in rows {
      let x = operation.input.row(m)
      for n in columns {
        let w = operation.weight.row(n)
        var sum: Float = 0
        for k in 0..<operation.weight.inputs { sum += x[k] * w[k] }
        operation.output.row(m)[n] = sum + (operation.bias?.base[n] ?? 0)
      }
    }
  }
}
