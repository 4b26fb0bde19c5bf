import CSystem

extension PanelKernel {
  /// Floats ahead of the one in use that are asked for: far enough for memory's latency.
  private static var lookahead: Int { 768 }

  /// One row: every weight is read once and used once, so all that counts is to keep memory busy. Each thread
  /// walks two neighbouring panels at a time, two streams, and asks for lines ahead of itself.
  func runGEMV(_ operation: Linear) {
    let panels = shape.panels(outputs: operation.weight.outputs)
    pool.split(0..<panels, grain: 2) { part in
      var panel = part.lowerBound
      while panel < part.upperBound {
        let outputs = operation.weight.outputs
        let isPair = panel + 2 <= part.upperBound && (panel + 2) * shape.columns <= outputs
        if isPair { runPair(operation, panel) } else { runSingle(operation, panel) }
        panel += isPair ? 2 : 1
      }
    }
  }

  private func runPair(_ operation: Linear, _ panel: Int) {
    let inputs = operation.weight.inputs
    let columns = shape.columns
    let x = operation.input.row(0)
    var w = operation.weight.base + panel &* columns &* inputs
    var v = w + columns &* inputs
    var (s, t) = (Strip3<V>(), Strip3<V>())
    for k in 0..<inputs {
      for line in stride(from: 0, to: columns, by: 16) {
        csystem_prefetch_ahead(w + (line &+ Self.lookahead))
        csystem_prefetch_ahead(v + (line &+ Self.lookahead))
      }
      s.add(x[k], times: Strip3(loading: w))
      t.add(x[k], times: Strip3(loading: v))
      w += columns
      v += columns
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * columns) { sums in
      let base = sums.baseAddress!
      s.store(to: base)
      t.store(to: base + columns)
      let first = panel * columns
      finish(operation, rows: 0..<1, outputs: first..<first + 2 * columns, sums: base, width: 2 * columns)
    }
  }

  private func runSingle(_ operation: Linear, _ panel: Int) {
    let inputs = operation.weight.inputs
    let first = panel * shape.columns
    let width = shape.width(at: first, outputs: operation.weight.outputs)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: shape.columns) { sums in
      let base = sums.baseAddress!
      PanelRows<V>(
        x: operation.input.row(0), stride: operation.input.stride, rows: 1,
        panel: operation.weight.base + first * inputs, panelStride: width, columns: width,
        inputs: inputs, sums: base, sumStride: width
      ).run(tileRows: tileRows)
      let outputs = first..<min(first + width, operation.weight.outputs)
      finish(operation, rows: 0..<1, outputs: outputs, sums: base, width: width)
    }
  }
}
