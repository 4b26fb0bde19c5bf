extension Variant {
  static let simd8 = Variant(
    name: "simd8",
    summary: "SIMD8<Float> in a 3 × 4 tile with fused multiply-add; vector GELU, softmax, layer norm",
    makeKernel: { _ in SIMD8Tile3x4() })
}

/// Twelve vectors of sums, three rows by four outputs, plus four of weights and one of activations: seventeen
/// registers where there are thirty-two, and sixteen with the activation taken from memory. Every output has one
/// vector of sums whatever tile it falls in, so a result depends neither on the tile nor on the thread.
struct SIMD8Tile3x4: DivisibleKernel {
  var trainingPath: TrainingPath { .vectors(of: 8) }

  func linear(_ operation: Linear, outputs: Range<Int>) {
    let rows = operation.input.rows
    var n = outputs.lowerBound
    while n < outputs.upperBound {
      let count = min(4, outputs.upperBound - n)
      let weights = QuadRows(operation.weight.row(n), stride: operation.weight.inputs, count: count)
      var m = 0
      while m + 3 <= rows {
        tile3(operation, m, n, weights, count: count)
        m += 3
      }
      while m < rows {
        let sums = dotQuad(operation.input.row(m), weights, count: operation.weight.inputs)
        store(sums, operation, m, n, count: count)
        m += 1
      }
      n += 4
    }
  }

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) {
    vectorLayerNorm(operation, rows: rows, as: SIMD8<Float>.self)
  }

  func gelu(_ operation: GELU, elements: Range<Int>) {
    vectorGELU(operation, elements: elements, as: SIMD8<Float>.self)
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    let size = operation.headSize
    for head in heads {
      let keys = operation.keys + head * operation.capacity * size
      let values = operation.values + head * operation.capacity * size
      let scores = operation.scores + head * operation.capacity
      var first = 0
      while first < operation.queries.rows {
        let block = block(operation, from: first)
        let width = operation.firstPosition + block.upperBound
        Probe.enter(.scores)
        for row in block {
          let query = operation.queries.row(row) + head * size
          let positions = operation.firstPosition + row + 1
          let scores = scores + (row - first) * width
          for t in stride(from: 0, to: positions, by: 4) {
            let count = min(4, positions - t)
            let rows = QuadRows(keys + t &* size, stride: size, count: count)
            let products = dotQuad(query, rows, count: size) * operation.scale
            products.store(to: scores + t, count: count)
          }
        }
        Probe.enter(.softmax)
        for row in block { softmax(scores + (row - first) * width, count: operation.firstPosition + row + 1) }
        Probe.enter(.values)
        for row in block {
          weightedSum(
            of: values, weights: scores + (row - first) * width, count: operation.firstPosition + row + 1,
            size: size, to: operation.output.row(row) + head * size)
        }
        first = block.upperBound
      }
    }
    Probe.enter(.operation)
  }

  /// Queries from one on, as many as have room for their scores together where a head has room for one that sees all
  /// positions: on a short prompt the way from scores to softmax to values is gone a few times, not once a query.
  private func block(_ operation: Attention, from row: Int) -> Range<Int> {
    var end = row + 1
    while end < operation.queries.rows,
      (end + 1 - row) * (operation.firstPosition + end + 1) <= operation.capacity
    { end += 1 }
    return row..<end
  }

  func softmaxRows(_ operation: Softmax, heads: Range<Int>) {
    operation.forEachRow(of: heads) { row, count, divisor in
      softmax(row, count: count)
      divisor.pointee = 1
    }
  }

  /// Three rows of the input against four of the weights.
  @inline(__always)
  private func tile3(_ operation: Linear, _ m: Int, _ n: Int, _ weights: QuadRows, count: Int) {
    let (x0, x1, x2) = (operation.input.row(m), operation.input.row(m + 1), operation.input.row(m + 2))
    var (s0, s1, s2) = (Quad<SIMD8<Float>>(), Quad<SIMD8<Float>>(), Quad<SIMD8<Float>>())
    let inputs = operation.weight.inputs
    let whole = inputs & ~7
    var k = 0
    while k < whole {
      let w = Quad<SIMD8<Float>>(loading: weights, at: k)
      s0.add(SIMD8(loading: x0 + k), times: w)
      s1.add(SIMD8(loading: x1 + k), times: w)
      s2.add(SIMD8(loading: x2 + k), times: w)
      k &+= 8
    }
    if k < inputs {
      let rest = inputs &- k
      let w = Quad<SIMD8<Float>>(loading: weights, at: k, count: rest)
      s0.add(SIMD8(loading: x0 + k, count: rest), times: w)
      s1.add(SIMD8(loading: x1 + k, count: rest), times: w)
      s2.add(SIMD8(loading: x2 + k, count: rest), times: w)
    }
    store(s0.sums, operation, m, n, count: count)
    store(s1.sums, operation, m + 1, n, count: count)
    store(s2.sums, operation, m + 2, n, count: count)
  }

  @inline(__always)
  private func store(_ sums: SIMD4<Float>, _ operation: Linear, _ m: Int, _ n: Int, count: Int) {
    var result = sums
    if let bias = operation.bias { result += SIMD4(loading: bias.base + n, count: count) }
    result.store(to: operation.output.row(m) + n, count: count)
  }

  /// out[i] = Σₜ weights[t] · vectors[t, i], thirty-two columns at a time, then eight, then one.
  @inline(__always)
  private func weightedSum(
    of vectors: UnsafePointer<Float>, weights: UnsafePointer<Float>, count: Int, size: Int,
    to out: UnsafeMutablePointer<Float>
  ) {
    var i = 0
    while i &+ 32 <= size {
      var sums = Quad<SIMD8<Float>>()
      for t in 0..<count {
        let vector = vectors + (t &* size &+ i)
        let weight = SIMD8(repeating: weights[t])
        sums.add(weight, times: Quad(loading: QuadRows(vector, stride: 8, count: 4), at: 0))
      }
      sums.a.store(to: out + i)
      sums.b.store(to: out + i + 8)
      sums.c.store(to: out + i + 16)
      sums.d.store(to: out + i + 24)
      i &+= 32
    }
    while i &+ 8 <= size {
      var sum = SIMD8<Float>.zero
      for t in 0..<count {
        sum = sum.adding(SIMD8(repeating: weights[t]), times: SIMD8(loading: vectors + (t &* size &+ i)))
      }
      sum.store(to: out + i)
      i &+= 8
    }
    while i < size {
      var sum: Float = 0
      for t in 0..<count { sum = sum.adding(weights[t], times: vectors[t &* size &+ i]) }
      out[i] = sum
      i &+= 1
    }
  }
}
