/// The operations of a GPT-2, each with operands, shapes and the work that it takes. Variants say how; these say what.

/// A whole linear layer: out[m, n] = Σₖ x[m, k] · w[n, k] + bias[n].
public struct Linear: Sendable {
  /// (m, k)
  public let input: Matrix
  /// (n, k), in the layout of the kernel that runs it.
  public let weight: Weight
  /// (n), or none.
  public let bias: Vector?
  /// (m, n); overlaps no operand.
  public let output: MutableMatrix
  public let epilogue: Epilogue
  /// Whether the order in which a row's products are added may depend on how many rows there are. A decoded token needs
  /// the bits of the same token in a prompt; training computes no row twice.
  public let sumsMayDependOnRows: Bool

  /// What becomes of the product. A kernel may do it while a value is still in a register.
  public enum Epilogue: Sendable {
    /// It stays as it is.
    case none
    /// output ← GELU(output)
    case gelu
    /// The matrix, (m, n), grows by the output, which is scratch then: what it holds is unspecified.
    case residual(MutableMatrix)
  }

  public init(
    input: Matrix, weight: Weight, bias: Vector?, output: MutableMatrix, epilogue: Epilogue = .none,
    sumsMayDependOnRows: Bool = false
  ) {
    assert(input.columns == weight.inputs && output.columns == weight.outputs)
    assert(input.rows == output.rows && (bias?.count ?? weight.outputs) == weight.outputs)
    if case .residual(let stream) = epilogue {
      assert(stream.rows == output.rows && stream.columns == output.columns)
    }
    (self.input, self.weight, self.bias) = (input, weight, bias)
    (self.output, self.epilogue) = (output, epilogue)
    self.sumsMayDependOnRows = sumsMayDependOnRows
  }

  public static func flops(m: Int, n: Int, k: Int) -> Double { 2 * Double(m) * Double(n) * Double(k) }

  /// Compulsory traffic: each operand read once, the output written once, both in float32 whatever the weights are in.
  public static func bytes(m: Int, n: Int, k: Int, weights: WeightPrecision = .f32) -> Double {
    4 * (Double(m) * Double(k) + Double(m) * Double(n)) + weights.bytes(outputs: n, inputs: k)
  }
}

/// A read-only vector of `count` floats.
public struct Vector: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let count: Int

  public init(_ base: UnsafePointer<Float>, count: Int) { (self.base, self.count) = (base, count) }
  public init(_ buffer: UnsafeBufferPointer<Float>) { self.init(buffer.baseAddress!, count: buffer.count) }
}

/// out = (x − mean) / √(variance + ε) · weight + bias, for each row on its own.
public struct LayerNorm: Sendable {
  /// (rows, channels)
  public let input: Matrix
  /// (channels)
  public let weight, bias: Vector
  public let epsilon: Float
  /// (rows, channels); may be the input's memory.
  public let output: MutableMatrix

  public init(input: Matrix, weight: Vector, bias: Vector, epsilon: Float, output: MutableMatrix) {
    assert(weight.count == input.columns && bias.count == input.columns)
    assert(output.rows == input.rows && output.columns == input.columns)
    (self.input, self.weight, self.bias) = (input, weight, bias)
    (self.epsilon, self.output) = (epsilon, output)
  }

  /// Eight a value: one for the mean; difference, square and sum for the variance; difference, two products and a sum
  /// for the result. The root and the quotients of a row are not counted.
  public static func flops(rows: Int, channels: Int) -> Double { 8 * Double(rows) * Double(channels) }

  /// Rows read once and written once, weight and bias read once.
  public static func bytes(rows: Int, channels: Int) -> Double {
    8 * Double(rows) * Double(channels) + vectorBytes(channels: channels)
  }

  /// Of `bytes`, the weight and the bias: what no operation before has left in the caches.
  public static func vectorBytes(channels: Int) -> Double { 8 * Double(channels) }
}

/// y ← ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))): the approximation GPT-2 was trained with
/// (Hendrycks and Gimpel, arXiv 1606.08415).
public struct GELU: @unchecked Sendable {
  public let inputs: UnsafePointer<Float>
  /// The results; in the inputs' memory, or in none of it.
  public let values: UnsafeMutablePointer<Float>
  public let count: Int

  public init(of inputs: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>, count: Int) {
    (self.inputs, self.values, self.count) = (inputs, values, count)
  }

  /// In place.
  public init(_ values: UnsafeMutablePointer<Float>, count: Int) {
    self.init(of: values, to: values, count: count)
  }

  /// Nine a value, as the formula is written: six products, two sums and the tangent, which counts as one.
  public static func flops(count: Int) -> Double { 9 * Double(count) }

  /// Each value read once and written once.
  public static func bytes(count: Int) -> Double { 8 * Double(count) }
}

/// x ← x + y, in place: the residual stream.
public struct Addition: @unchecked Sendable {
  public let target: UnsafeMutablePointer<Float>
  public let addend: UnsafePointer<Float>
  public let count: Int

  public init(to target: UnsafeMutablePointer<Float>, addend: UnsafePointer<Float>, count: Int) {
    (self.target, self.addend, self.count) = (target, addend, count)
  }
}

/// The softmax of attention's scores, for each head on its own: x[i] ← exp(x[i] − max) / Σ exp(x[j] − max) over the
/// positions that a query sees.
public struct Softmax: @unchecked Sendable {
  /// A row for each query of each head.
  public let scores: UnsafeMutablePointer<Float>
  public let heads: Int
  /// Queries of one head, at consecutive positions.
  public let queries: Int
  /// Positions that the last query sees; each before it sees one fewer. The rest of a row is unspecified afterwards.
  public let positions: Int
  /// Floats from one head's first row to the next head's.
  public let headStride: Int
  /// Floats from one row to the next of the same head; 0 where they take turns in one place, as within attention.
  public let queryStride: Int
  /// (heads, queries): what each row has still to be divided by, 1 where the kernel has done it. A kernel may leave
  /// that to whoever sums values with these weights.
  public let divisors: UnsafeMutablePointer<Float>

  public init(
    _ scores: UnsafeMutablePointer<Float>, heads: Int, queries: Int, positions: Int, headStride: Int,
    queryStride: Int, divisors: UnsafeMutablePointer<Float>
  ) {
    assert(positions >= queries && (queryStride == 0 || queryStride >= positions))
    assert(headStride >= (queries - 1) * queryStride + positions)
    (self.scores, self.heads, self.queries, self.positions) = (scores, heads, queries, positions)
    (self.headStride, self.queryStride, self.divisors) = (headStride, queryStride, divisors)
  }

  /// Calls `body` with the scores of each query of these heads, how many positions it sees, and its divisor.
  @inline(__always)
  func forEachRow(
    of heads: Range<Int>,
    _ body: (UnsafeMutablePointer<Float>, _ count: Int, _ divisor: UnsafeMutablePointer<Float>) -> Void
  ) {
    for head in heads {
      for query in 0..<queries {
        body(
          scores + (head &* headStride &+ query &* queryStride), positions &- queries &+ query &+ 1,
          divisors + (head &* queries &+ query))
      }
    }
  }

  /// Five a score: maximum, difference, power, sum and quotient.
  public static func flops(rows: Int, firstPosition: Int, heads: Int) -> Double {
    5 * scores(rows: rows, firstPosition: firstPosition, heads: heads)
  }

  /// Each score read once and written once.
  public static func bytes(rows: Int, firstPosition: Int, heads: Int) -> Double {
    8 * scores(rows: rows, firstPosition: firstPosition, heads: heads)
  }

  /// Pairs of a query and a position that it sees, of all heads.
  private static func scores(rows: Int, firstPosition: Int, heads: Int) -> Double {
    Attention.pairs(rows: rows, firstPosition: firstPosition) * Double(heads)
  }
}

/// Causal attention of consecutive new positions of one sequence over all positions so far:
/// out[p] = Σ_{t ≤ p} softmaxₜ(q[p] · k[t] / √headSize) · v[t], for each head on its own.
public struct Attention: @unchecked Sendable {
  /// (new positions, heads · headSize), heads side by side.
  public let queries: Matrix
  /// One layer's words, in the kernel's `cacheLayout`, for all positions up to the last new one.
  public let keys, values: UnsafePointer<Float>
  public let heads, headSize, capacity: Int
  /// The sequence's position of the queries' first row.
  public let firstPosition: Int
  /// (new positions, heads · headSize)
  public let output: MutableMatrix
  /// (heads, capacity): room for one row of scores per head.
  public let scores: UnsafeMutablePointer<Float>

  public init(
    queries: Matrix, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, heads: Int,
    headSize: Int, capacity: Int, firstPosition: Int, output: MutableMatrix,
    scores: UnsafeMutablePointer<Float>
  ) {
    assert(queries.columns == heads * headSize && output.columns == heads * headSize)
    assert(queries.rows == output.rows && firstPosition + queries.rows <= capacity)
    (self.queries, self.keys, self.values, self.output) = (queries, keys, values, output)
    (self.heads, self.headSize, self.capacity) = (heads, headSize, capacity)
    (self.firstPosition, self.scores) = (firstPosition, scores)
  }

  /// 1/√headSize
  @inline(__always) var scale: Float { 1 / Float(headSize).squareRoot() }

  /// Scores and weighted values, both 2 · headSize a pair of positions.
  public static func flops(rows: Int, firstPosition: Int, channels: Int) -> Double {
    4 * pairs(rows: rows, firstPosition: firstPosition) * Double(channels)
  }

  /// Of a query and a position that it sees.
  fileprivate static func pairs(rows: Int, firstPosition: Int) -> Double {
    Double(rows) * Double(firstPosition) + Double(rows) * Double(rows + 1) / 2
  }

  /// Keys and values of all positions once, queries and output once.
  public static func bytes(
    rows: Int, firstPosition: Int, channels: Int, cache: WeightPrecision = .f32
  ) -> Double {
    cachedBytes(firstPosition: firstPosition + rows, channels: channels, cache: cache)
      + 8 * Double(channels) * Double(rows)
  }

  /// Of `bytes`, the keys and values of positions before: those of the new ones have just been stored.
  public static func cachedBytes(
    firstPosition: Int, channels: Int, cache: WeightPrecision = .f32
  ) -> Double {
    2 * cache.bytes(outputs: firstPosition, inputs: channels)
  }
}
