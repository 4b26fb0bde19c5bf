import Foundation

extension LayerNormGradient {
  /// As the formula, rows first and columns after them.
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type) {
    let (rows, channels) = (input.rows, input.columns)
    let rowBlock = max(4096 / max(channels, 1), 1)
    let (means, inverses) = (means, inverses)
    kernel.forEachPiece(of: rows, size: rowBlock) { piece in
      for row in piece {
        (means[row], inverses[row]) = addInputGradient(ofRow: row, as: V.self)
      }
    }
    kernel.forEachPiece(of: channels, size: 128) { columns in
      addParameterGradients(columns: columns, means: means, inverses: inverses, as: V.self)
    }
  }

  /// - Returns: the row's mean and the inverse of its deviation.
  private func addInputGradient<V: FloatVector>(ofRow row: Int, as _: V.Type) -> (mean: Float, inverse: Float)
  {
    let channels = input.columns
    let (x, dy, dx, w) = (input.row(row), outputGradient.row(row), inputGradient.row(row), weight.base)
    var sums = V(repeating: 0)
    forEachVector(of: channels, as: V.self) { i, count in sums += V(loading: x + i, count: count) }
    let mean = sums.laneSum / Float(channels)
    var squares = V(repeating: 0)
    forEachVector(of: channels, as: V.self) { i, count in
      let centered = V(loading: x + i, count: count, padding: mean) - mean
      squares = squares.adding(centered, times: centered)
    }
    let inverse = 1 / (squares.laneSum / Float(channels) + epsilon).squareRoot()
    var (totals, products) = (V(repeating: 0), V(repeating: 0))
    forEachVector(of: channels, as: V.self) { i, count in
      let d = V(loading: dy + i, count: count) * V(loading: w + i, count: count)
      totals += d
      products = products.adding(d, times: (V(loading: x + i, count: count) - mean) * inverse)
    }
    let (total, product) = (totals.laneSum / Float(channels), products.laneSum / Float(channels))
    forEachVector(of: channels, as: V.self) { i, count in
      let d = V(loading: dy + i, count: count) * V(loading: w + i, count: count) - total
      let normal = (V(loading: x + i, count: count) - mean) * inverse
      let slope = d - normal * product
      V(loading: dx + i, count: count).adding(slope, times: V(repeating: inverse)).store(
        to: dx + i, count: count)
    }
    return (mean, inverse)
  }

  /// Over the rows in their order, whatever the columns.
  private func addParameterGradients<V: FloatVector>(
    columns: Range<Int>, means: UnsafePointer<Float>, inverses: UnsafePointer<Float>, as _: V.Type
  ) {
    let room = (columns.count + V.scalarCount - 1) / V.scalarCount * V.scalarCount
    withThreadMemory(2 * room) { products in
      let sums = products + room
      products.initialize(repeating: 0, count: 2 * room)
      for row in 0..<input.rows {
        let x = input.row(row) + columns.lowerBound
        let dy = outputGradient.row(row) + columns.lowerBound
        let (mean, inverse) = (means[row], inverses[row])
        forEachVector(of: columns.count, as: V.self) { i, count in
          let d = V(loading: dy + i, count: count)
          let normal = (V(loading: x + i, count: count) - mean) * inverse
          V(loading: products + i).adding(d, times: normal).store(to: products + i)
          (V(loading: sums + i) + d).store(to: sums + i)
        }
      }
      for column in 0..<columns.count {
        weightGradient[columns.lowerBound + column] += products[column]
        biasGradient[columns.lowerBound + column] += sums[column]
      }
    }
  }
}

/// Calls `body` for each vector of `count` values with where it begins and how many values it has: fewer than lanes only
/// the last.
@inline(__always)
private func forEachVector<V: FloatVector>(
  of count: Int, as _: V.Type, _ body: (_ first: Int, _ count: Int) -> Void
) {
  var i = 0
  while i &+ V.scalarCount <= count {
    body(i, V.scalarCount)
    i &+= V.scalarCount
  }
  if i < count { body(i, count &- i) }
}

extension GELUGradient {
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type) {
    kernel.forEachPiece(of: count, size: Self.part) { piece in
      let first = piece.lowerBound
      multiplyBySlopes(inputs + first, gradient + first, count: piece.count, as: V.self)
    }
  }
}

/// Not inlined: in a larger function the compiler does not inline the power.
@inline(never)
private func multiplyBySlopes<V: FloatVector>(
  _ inputs: UnsafePointer<Float>, _ gradient: UnsafeMutablePointer<Float>, count: Int, as _: V.Type
) {
  var i = 0
  while i < count {
    let used = min(V.scalarCount, count &- i)
    let slope = geluSlope(V(loading: inputs + i, count: used))
    (V(loading: gradient + i, count: used) * slope).store(to: gradient + i, count: used)
    i &+= V.scalarCount
  }
}

extension CrossEntropy {
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type) {
    kernel.forEach(logits.rows) { row in
      let (x, target) = (logits.row(row), Int(targets[row]))
      assert(target >= 0 && target < logits.columns)
      let logit = x[target]
      let (sum, maximum) = softmaxNumerators(x, count: logits.columns, scale: 1, as: V.self)
      losses[row] = logf(sum) - (logit - maximum)
      guard let scale else { return }
      let factor = V(repeating: scale / sum)
      forEachVector(of: logits.columns, as: V.self) { i, count in
        (V(loading: x + i, count: count) * factor).store(to: x + i, count: count)
      }
      x[target] -= scale
    }
  }
}
