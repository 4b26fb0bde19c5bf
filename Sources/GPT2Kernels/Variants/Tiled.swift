extension Variant {
  static let tiled = Variant(
    name: "tiled",
    summary: "4 × 4 register tile: a loaded weight serves four rows, a loaded activation four outputs",
    kernel: { _ in Tiled4x4() })
}

/// Sixteen sums in registers, fed by eight loads for each step of the reduction instead of thirty-two. Each sum
/// runs in the reference's order.
struct Tiled4x4: Kernel {
  func linear(_ operation: Linear, outputs: Range<Int>) {
    let rows = operation.input.rows
    var n = outputs.lowerBound
    while n + 4 <= outputs.upperBound {
      var m = 0
      while m + 4 <= rows {
        tile4x4(operation, m, n)
        m += 4
      }
      while m < rows {
        tile1x4(operation, m, n)
        m += 1
      }
      n += 4
    }
    while n < outputs.upperBound {
      var m = 0
      while m + 4 <= rows {
        tile4x1(operation, m, n)
        m += 4
      }
      while m < rows {
        tile1x1(operation, m, n)
        m += 1
      }
      n += 1
    }
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    Unrolled8().attention(operation, heads: heads)
  }

  private func tile4x4(_ operation: Linear, _ m: Int, _ n: Int) {
    var sums = InlineArray<4, RowOfFour>(repeating: RowOfFour())
    let (x0, x1) = (operation.input.row(m), operation.input.row(m + 1))
    let (x2, x3) = (operation.input.row(m + 2), operation.input.row(m + 3))
    let (w0, w1) = (operation.weight.row(n), operation.weight.row(n + 1))
    let (w2, w3) = (operation.weight.row(n + 2), operation.weight.row(n + 3))
    for k in 0..<operation.weight.inputs {
      let (a, b, c, d) = (w0[k], w1[k], w2[k], w3[k])
      sums[0].add(x0[k], a, b, c, d)
      sums[1].add(x1[k], a, b, c, d)
      sums[2].add(x2[k], a, b, c, d)
      sums[3].add(x3[k], a, b, c, d)
    }
    sums[0].store(operation, m, n)
    sums[1].store(operation, m + 1, n)
    sums[2].store(operation, m + 2, n)
    sums[3].store(operation, m + 3, n)
  }

  private func tile1x4(_ operation: Linear, _ m: Int, _ n: Int) {
    var sums = RowOfFour()
    let x = operation.input.row(m)
    let (w0, w1) = (operation.weight.row(n), operation.weight.row(n + 1))
    let (w2, w3) = (operation.weight.row(n + 2), operation.weight.row(n + 3))
    for k in 0..<operation.weight.inputs { sums.add(x[k], w0[k], w1[k], w2[k], w3[k]) }
    sums.store(operation, m, n)
  }

  private func tile4x1(_ operation: Linear, _ m: Int, _ n: Int) {
    var (s0, s1, s2, s3): (Float, Float, Float, Float) = (0, 0, 0, 0)
    let (x0, x1) = (operation.input.row(m), operation.input.row(m + 1))
    let (x2, x3) = (operation.input.row(m + 2), operation.input.row(m + 3))
    let w = operation.weight.row(n)
    for k in 0..<operation.weight.inputs {
      s0 += x0[k] * w[k]
      s1 += x1[k] * w[k]
      s2 += x2[k] * w[k]
      s3 += x3[k] * w[k]
    }
    let bias = operation.bias?.base[n] ?? 0
    operation.output.row(m)[n] = s0 + bias
    operation.output.row(m + 1)[n] = s1 + bias
    operation.output.row(m + 2)[n] = s2 + bias
    operation.output.row(m + 3)[n] = s3 + bias
  }

  private func tile1x1(_ operation: Linear, _ m: Int, _ n: Int) {
    let x = operation.input.row(m)
    let w = operation.weight.row(n)
    var sum: Float = 0
    for k in 0..<operation.weight.inputs { sum += x[k] * w[k] }
    operation.output.row(m)[n] = sum + (operation.bias?.base[n] ?? 0)
  }
}

/// One row's four sums, plain floats.
private struct RowOfFour {
  var s0: Float = 0, s1: Float = 0, s2: Float = 0, s3: Float = 0

  @inline(__always)
  mutating func add(_ x: Float, _ a: Float, _ b: Float, _ c: Float, _ d: Float) {
    s0 += x * a
    s1 += x * b
    s2 += x * c
    s3 += x * d
  }

  @inline(__always)
  func store(_ operation: Linear, _ m: Int, _ n: Int) {
    let out = operation.output.row(m) + n
    (out[0], out[1], out[2], out[3]) = (s0, s1, s2, s3)
    guard let bias = operation.bias?.base else { return }
    for i in 0..<4 { out[i] += bias[n + i] }
  }
}
