/// Panels of a matrix that nobody has packed as a whole, made where they are needed.
extension PanelShape {
  /// Some inputs of some outputs as (inputs, width), without a gap; padding becomes 0.
  /// - Parameter weight: in `rows` or `columns`.
  func pack<V: FloatVector>(
    _ weight: Weight, inputs: Range<Int>, outputs: Range<Int>, width: Int,
    to target: UnsafeMutablePointer<Float>, as _: V.Type
  ) {
    switch weight.layout {
    case .columns:
      let source = weight.base + (inputs.lowerBound &* weight.outputs &+ outputs.lowerBound)
      packRows(
        source, stride: weight.outputs, rows: inputs.count, columns: outputs.count, width: width, to: target,
        as: V.self)
    default:
      let source = weight.base + (outputs.lowerBound &* weight.inputs &+ inputs.lowerBound)
      packColumns(
        source, stride: weight.inputs, rows: outputs.count, columns: inputs.count, width: width, to: target)
    }
  }

  /// What `pack` will read; nil where that is nothing, or no lines one below the other.
  func lines(of weight: Weight, fromInput input: Int, count: Int, panelAt first: Int) -> CacheLines? {
    guard first < weight.outputs else { return nil }
    let outputs = min(columns, weight.outputs - first)
    if weight.layout == .columns {
      return CacheLines(
        weight.base + (input * weight.outputs + first), rows: count, step: weight.outputs,
        floatsPerRow: outputs)
    }
    return count == weight.inputs ? CacheLines(weight.base + first * count, count: outputs * count) : nil
  }
}

/// target[r, c] = source[r, c] for columns up to `width`; those that the source lacks become 0.
func packRows<V: FloatVector>(
  _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, width: Int,
  to target: UnsafeMutablePointer<Float>, as _: V.Type
) {
  let lanes = V.scalarCount
  let whole = columns / lanes &* lanes
  for row in 0..<rows {
    let (from, to) = (source + row &* stride, target + row &* width)
    var column = 0
    while column < whole {
      V(loading: from + column).store(to: to + column)
      column &+= lanes
    }
    while column < width {
      to[column] = column < columns ? from[column] : 0
      column &+= 1
    }
  }
}

/// target[c, r] = source[r, c] for rows up to `width`; those that the source lacks become 0.
func packColumns(
  _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, width: Int,
  to target: UnsafeMutablePointer<Float>
) {
  transpose(source, stride: stride, rows: rows, columns: columns, to: target, stride: width)
  guard rows < width else { return }
  for column in 0..<columns {
    (target + (column &* width &+ rows)).update(repeating: 0, count: width &- rows)
  }
}
