extension Variant {
  static let unrolled8 = Variant(
    name: "unrolled8",
    summary: "the reduction unrolled by eight, eight accumulators",
    makeKernel: { _ in Unrolled8() })
}

/// A float sum is a chain: each addition waits for the one before. Eight sums side by side keep the adders busy,
/// and being independent they may share a vector register.
struct Unrolled8: DivisibleKernel {
  func linear(_ operation: Linear, outputs: Range<Int>) {
    for m in 0..<operation.input.rows {
      let x = operation.input.row(m)
      let out = operation.output.row(m)
      for n in outputs {
        let sum = unrolledDot(x, operation.weight.row(n), count: operation.weight.inputs)
        out[n] = sum + (operation.bias?.base[n] ?? 0)
      }
    }
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    let size = operation.headSize
    for head in heads {
      let keys = operation.keys + head * operation.capacity * size
      let values = operation.values + head * operation.capacity * size
      let scores = operation.scores + head * operation.capacity
      for row in 0..<operation.queries.rows {
        let query = operation.queries.row(row) + head * size
        let positions = operation.firstPosition + row + 1
        Probe.enter(.scores)
        for t in 0..<positions {
          scores[t] = unrolledDot(query, keys + t * size, count: size) * operation.scale
        }
        Probe.enter(.softmax)
        referenceSoftmax(scores, count: positions)
        Probe.enter(.values)
        weightedSum(
          of: values, weights: scores, count: positions, size: size,
          to: operation.output.row(row) + head * size)
      }
    }
    Probe.enter(.operation)
  }

  /// out[i] = Σₜ weights[t] · vectors[t, i], eight columns at a time so that each weight is loaded once for them.
  @inline(__always)
  private func weightedSum(
    of vectors: UnsafePointer<Float>, weights: UnsafePointer<Float>, count: Int, size: Int,
    to out: UnsafeMutablePointer<Float>
  ) {
    let unrolled = size & ~7
    for i in stride(from: 0, to: unrolled, by: 8) {
      var (s0, s1, s2, s3): (Float, Float, Float, Float) = (0, 0, 0, 0)
      var (s4, s5, s6, s7): (Float, Float, Float, Float) = (0, 0, 0, 0)
      for t in 0..<count {
        let weight = weights[t]
        let vector = vectors + (t &* size &+ i)
        s0 += weight * vector[0]
        s1 += weight * vector[1]
        s2 += weight * vector[2]
        s3 += weight * vector[3]
        s4 += weight * vector[4]
        s5 += weight * vector[5]
        s6 += weight * vector[6]
        s7 += weight * vector[7]
      }
      (out[i], out[i + 1], out[i + 2], out[i + 3]) = (s0, s1, s2, s3)
      (out[i + 4], out[i + 5], out[i + 6], out[i + 7]) = (s4, s5, s6, s7)
    }
    for i in unrolled..<size {
      var sum: Float = 0
      for t in 0..<count { sum += weights[t] * vectors[t &* size &+ i] }
      out[i] = sum
    }
  }
}

/// x · y with eight sums side by side.
@inline(__always)
func unrolledDot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
  var sums = EightSums()
  let unrolled = count & ~7
  var i = 0
  while i < unrolled {
    sums.add(x + i, y + i)
    i += 8
  }
  return sums.total(x, y, from: unrolled, to: count)
}

/// Eight running sums, plain floats.
struct EightSums {
  private var s0: Float = 0, s1: Float = 0, s2: Float = 0, s3: Float = 0
  private var s4: Float = 0, s5: Float = 0, s6: Float = 0, s7: Float = 0

  @inline(__always) init() {}

  /// Eight products, one to each sum.
  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) {
    s0 += x[0] * y[0]
    s1 += x[1] * y[1]
    s2 += x[2] * y[2]
    s3 += x[3] * y[3]
    s4 += x[4] * y[4]
    s5 += x[5] * y[5]
    s6 += x[6] * y[6]
    s7 += x[7] * y[7]
  }

  /// The eight sums as a tree, and after them the products that did not fill eight.
  @inline(__always)
  func total(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, from first: Int, to end: Int) -> Float {
    var sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in first..<end { sum += x[i] * y[i] }
    return sum
  }
}
