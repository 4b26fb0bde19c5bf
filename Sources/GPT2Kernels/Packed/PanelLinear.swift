import CSystem

/// Linear layers against panels, whatever the panels hold. Of floats in `rows` or `columns` a thread makes each panel when
/// it comes to it, in memory of its own.
struct PanelLinear<Sum: TileSum> {
  typealias V = Sum.Vector

  let pool: ThreadPool
  /// Rows of the highest tile: 2, 4 or 8, or the matrix unit's.
  let tileRows: Int
  let shape: PanelShape
  /// Whether rows become words before they are multiplied; else they are read as they are.
  let convertsRows: Bool

  func run(_ operation: Linear) {
    guard operation.input.rows > 0 else { return }
    let isPacked = isPacked(operation.weight)
    assert(isPacked || shape.precision == .f32 && operation.weight.layout.precision == .f32)
    withRowWords(operation.input) { rows in
      if operation.input.rows == 1, isPacked, !Sum.isMatrixUnit {
        runOneRow(operation, rows)
      } else {
        runRows(operation, rows)
      }
    }
  }

  private func isPacked(_ weight: Weight) -> Bool {
    weight.layout == .panels(vector: V.scalarCount, of: shape.precision)
  }

  /// The input in words, as they are multiplied.
  private struct RowWords: @unchecked Sendable {
    let base: UnsafePointer<Float>
    let stride: Int
  }

  private func withRowWords(_ input: Matrix, _ body: (RowWords) -> Void) {
    guard convertsRows else { return body(RowWords(base: input.base, stride: input.stride)) }
    let stride = Sum.rowWords(inputs: input.columns)
    withThreadMemory(input.rows * stride) { words in
      nonisolated(unsafe) let words = words
      pool.split(0..<input.rows, grain: max(8192 / max(input.columns, 1), 1)) { rows in
        for row in rows { Sum.convert(input.row(row), inputs: input.columns, to: words + row &* stride) }
      }
      body(RowWords(base: words, stride: stride))
    }
  }
}

extension PanelLinear {
  /// Rows up to which memory takes longer to bring a panel than the tiles to use it. A pass then takes few words: the
  /// tiles after the first find them in the first-level cache, what the next pass needs is on its way meanwhile, and
  /// little is asked for in vain where another thread takes the next panel.
  private var memoryBoundRows: Int { 2 * tileRows }
  private static var memoryBoundWordBlock: Int { 64 }

  /// Rows that the matrix unit takes in one tile: it is done with a panel as soon as memory has brought it, so each line
  /// is asked for some words before its turn.
  private static var streamedRows: Int { MatrixTile.rows / 2 }
  private static var streamLookahead: Int { 2048 }

  /// Rows of the input are cut into blocks that stay in cache, and each part is one block against one panel: it
  /// reads the panel once from memory and writes outputs of its own.
  private func runRows(_ operation: Linear, _ words: RowWords) {
    let (rows, inputs, outputs) = (operation.input.rows, operation.weight.inputs, operation.weight.outputs)
    let panels = shape.panels(outputs: outputs)
    let rowBytes = 4 * max(Sum.cachedWords(inputs: inputs), 1)
    let rowsInCache = max(Sum.rowBlockBytes / rowBytes / tileRows, 1) * tileRows
    let isPacked = isPacked(operation.weight)
    let fewest = (rows + rowsInCache - 1) / rowsInCache
    let blocks = isPacked ? evenBlocks(from: fewest, rows: rows, panels: panels) : fewest
    let blockRows = ((rows + blocks - 1) / blocks + tileRows - 1) / tileRows * tileRows
    let sumCount = blockRows * shape.columns
    let panelCount = isPacked ? 0 : min(Sum.passWords + 15, inputs) * shape.columns
    pool.split(0..<blocks * panels, grain: 1) { parts in
      withThreadMemory(sumCount + panelCount) { sums in
        for part in parts {
          let first = part / panels * blockRows
          runPart(
            operation, words, rows: first..<min(first + blockRows, rows), panel: part % panels, sums: sums,
            packing: isPacked ? nil : sums + sumCount)
        }
      }
    }
  }

  /// As few blocks of rows as the cache allows, or more where that has fewer threads wait for the last part: three panels
  /// keep two threads busy for three quarters of the time. A block has four of the highest tiles at least, so that its
  /// arithmetic still takes longer than its panel's way from memory.
  private func evenBlocks(from fewest: Int, rows: Int, panels: Int) -> Int {
    let most = max(fewest, rows / (4 * tileRows))
    func busyShare(_ blocks: Int) -> Double {
      let parts = blocks * panels
      let rounds = (parts + pool.threads - 1) / pool.threads
      return Double(parts) / Double(rounds * pool.threads)
    }
    return (fewest...min(most, fewest + 3)).reduce(fewest) {
      busyShare($0) >= 0.9 || busyShare($1) <= busyShare($0) ? $0 : $1
    }
  }

  /// - Parameters:
  ///   - sums: (rows, panel columns), for what several passes over the words add up to.
  ///   - packing: (words of a pass, panel columns), for the panel of a matrix that is not packed.
  private func runPart(
    _ operation: Linear, _ input: RowWords, rows: Range<Int>, panel: Int, sums: UnsafeMutablePointer<Float>,
    packing: UnsafeMutablePointer<Float>?
  ) {
    guard !rows.isEmpty else { return }
    let weight = operation.weight
    let words = shape.precision.words(inputs: weight.inputs)
    let first = panel * shape.columns
    let width = shape.width(at: first, outputs: weight.outputs)
    let outputs = first..<min(first + width, weight.outputs)
    let base = weight.base + (packing == nil ? shape.offset(ofPanelAt: first, inputs: weight.inputs) : 0)
    let scales = UnsafeRawPointer(base + words * width)
    let streams = Sum.isMatrixUnit && rows.count <= Self.streamedRows
    let limit =
      rows.count <= memoryBoundRows && !streams
      ? min(Self.memoryBoundWordBlock, Sum.passWords) : Sum.passWords
    let passes = max((words + limit - 1) / limit, 1)
    // Whole tiles of the matrix unit: its sums are the same only then.
    let block = ((words + passes - 1) / passes + 15) / 16 * 16
    var word = 0
    repeat {
      let count = min(block, words - word)
      let blocksBefore = word / Sum.panelWords
      let isLast = word + count >= words
      let next: CacheLines?
      if let packing {
        shape.pack(
          weight, inputs: word..<word + count, outputs: outputs, width: width, to: packing, as: V.self)
        next = shape.lines(
          of: weight, fromInput: isLast ? 0 : word + count,
          count: min(block, isLast ? words : words - word - count),
          panelAt: isLast ? first + shape.columns : first)
      } else {
        let ahead = streams ? Self.streamLookahead : count * width
        next = CacheLines(base + (word * width + ahead), count: count * width)
      }
      if isLast { askForStream(operation, rows: rows.prefix(tileRows), outputs: outputs) }
      PanelRows<Sum>(
        x: input.base + (rows.lowerBound * input.stride + blocksBefore * Sum.rowWords), stride: input.stride,
        rows: rows.count, panel: packing.map { UnsafePointer($0) } ?? base + word * width, panelStride: width,
        columns: width, words: count, scales: scales + blocksBefore * width * Sum.scaleBytes, sums: sums,
        sumStride: width, reusesSums: passes == 1, continues: word > 0, next: next
      ).run(tileRows: tileRows) { tile in
        guard isLast else { return }
        let finished = tile.lowerBound + rows.lowerBound..<tile.upperBound + rows.lowerBound
        finish(
          operation, rows: finished, outputs: outputs,
          sums: passes == 1 ? sums : sums + tile.lowerBound * width, width: width)
        askForStream(
          operation, rows: finished.upperBound..<min(finished.upperBound + tileRows, rows.upperBound),
          outputs: outputs)
      }
      word += count
    } while word < words
  }

  /// Asks for what a tile's epilogue will add to, while its arithmetic hides the way from memory.
  @inline(never)
  private func askForStream(_ operation: Linear, rows: Range<Int>, outputs: Range<Int>) {
    guard case .residual(let stream) = operation.epilogue else { return }
    for row in rows {
      for column in stride(from: outputs.lowerBound, to: outputs.upperBound, by: 16) {
        csystem_prefetch_ahead(stream.row(row) + column)
      }
    }
  }

  /// Bias and epilogue of a block of sums, (rows, width), on their way to where they belong. Not inlined, and the
  /// marks in a function of their own: calls in it, though never made, cost `store` registers.
  @inline(never)
  private func finish(
    _ operation: Linear, rows: Range<Int>, outputs: Range<Int>, sums: UnsafePointer<Float>, width: Int
  ) {
    guard case .gelu = operation.epilogue else {
      return store(operation, rows: rows, outputs: outputs, sums: sums, width: width)
    }
    Probe.enter(.gelu)
    store(operation, rows: rows, outputs: outputs, sums: sums, width: width)
    Probe.enter(.operation)
  }

  @inline(never)
  private func store(
    _ operation: Linear, rows: Range<Int>, outputs: Range<Int>, sums: UnsafePointer<Float>, width: Int
  ) {
    let lanes = V.scalarCount
    var column = outputs.lowerBound
    while column < outputs.upperBound {
      let count = min(lanes, outputs.upperBound &- column)
      let bias = operation.bias.map { V(loading: $0.base + column, count: count) } ?? V(repeating: 0)
      var source = sums + (column &- outputs.lowerBound)
      switch operation.epilogue {
      case .none:
        for row in rows {
          (V(loading: source) + bias).store(to: operation.output.row(row) + column, count: count)
          source += width
        }
      case .gelu:
        for row in rows {
          gelu(V(loading: source) + bias).store(to: operation.output.row(row) + column, count: count)
          source += width
        }
      case .residual(let stream):
        for row in rows {
          let target = stream.row(row) + column
          let sum = V(loading: target, count: count) + (V(loading: source) + bias)
          sum.store(to: target, count: count)
          source += width
        }
      }
      column &+= lanes
    }
  }
}

extension PanelLinear {
  /// Words ahead of the one in use that are asked for: far enough for memory's latency.
  private static var lookahead: Int { 576 }

  /// One row: every weight is read once and used once, so all that counts is to keep memory busy. Each thread
  /// walks two neighbouring panels at a time, two streams, and asks for lines ahead of itself: few at a time, between
  /// the products. A block's lines all at once would keep its products waiting, and memory would then wait for them.
  private func runOneRow(_ operation: Linear, _ words: RowWords) {
    let panels = shape.panels(outputs: operation.weight.outputs)
    pool.split(0..<panels, grain: 2) { part in
      var panel = part.lowerBound
      while panel < part.upperBound {
        let outputs = operation.weight.outputs
        let isPair = panel + 2 <= part.upperBound && (panel + 2) * shape.columns <= outputs
        if isPair { runPair(operation, words, panel) } else { runSingle(operation, words, panel) }
        panel += isPair ? 2 : 1
      }
    }
  }

  private func runPair(_ operation: Linear, _ input: RowWords, _ panel: Int) {
    let columns = shape.columns
    let inputs = operation.weight.inputs
    let words = shape.precision.words(inputs: inputs)
    let first = panel &* columns
    var x = input.base
    var w = operation.weight.base + shape.offset(ofPanelAt: first, inputs: inputs)
    var v = operation.weight.base + shape.offset(ofPanelAt: first &+ columns, inputs: inputs)
    var wScales = UnsafeRawPointer(w + words &* columns)
    var vScales = UnsafeRawPointer(v + words &* columns)
    var (s, t) = (Row<Strip3<Sum>>(), Row<Strip3<Sum>>())
    let step = Sum.panelWords &* columns
    var word = 0
    while word &+ Sum.panelWords <= words {
      s = s.beginning(x, stride: 0)
      t = t.beginning(x, stride: 0)
      for i in 0..<Sum.panelWords {
        let place = i &* columns
        for line in stride(from: place, to: place &+ columns, by: 16) {
          csystem_prefetch_ahead(w + (line &+ Self.lookahead))
          csystem_prefetch_ahead(v + (line &+ Self.lookahead))
        }
        let input = x + i &* Sum.inputWords
        s = s.adding(input, stride: 0, times: Strip3<Sum>.weights(w + place))
        t = t.adding(input, stride: 0, times: Strip3<Sum>.weights(v + place))
      }
      s = s.ending(x, stride: 0, scales: Strip3<Sum>.scales(wScales))
      t = t.ending(x, stride: 0, scales: Strip3<Sum>.scales(vScales))
      x += Sum.rowWords
      w += step
      v += step
      wScales += Sum.scaleBytes &* columns
      vScales += Sum.scaleBytes &* columns
      word &+= Sum.panelWords
    }
    while word < words {
      s = s.adding(x, stride: 0, times: Strip3<Sum>.weights(w))
      t = t.adding(x, stride: 0, times: Strip3<Sum>.weights(v))
      x += Sum.inputWords
      w += columns
      v += columns
      word &+= 1
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * columns) { sums in
      let base = sums.baseAddress!
      s.store(to: base, stride: 0)
      t.store(to: base + columns, stride: 0)
      finish(operation, rows: 0..<1, outputs: first..<first + 2 * columns, sums: base, width: 2 * columns)
    }
  }

  private func runSingle(_ operation: Linear, _ input: RowWords, _ panel: Int) {
    let inputs = operation.weight.inputs
    let words = shape.precision.words(inputs: inputs)
    let first = panel * shape.columns
    let width = shape.width(at: first, outputs: operation.weight.outputs)
    let weights = operation.weight.base + shape.offset(ofPanelAt: first, inputs: inputs)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: shape.columns) { sums in
      let base = sums.baseAddress!
      PanelRows<Sum>(
        x: input.base, stride: input.stride, rows: 1, panel: weights, panelStride: width, columns: width,
        words: words, scales: UnsafeRawPointer(weights + words * width), sums: base, sumStride: width
      ).run(tileRows: tileRows)
      let outputs = first..<min(first + width, operation.weight.outputs)
      finish(operation, rows: 0..<1, outputs: outputs, sums: base, width: width)
    }
  }
}

extension PanelLinear {
  /// Against a matrix in `rows`, as the token embedding lies in its file: vectors run along the inputs, four
  /// outputs at a time, each with a vector of sums for each row of the tile.
  func runByDotProducts<Floats>(_ operation: Linear) where Sum == FloatSum<Floats> {
    let rows = operation.input.rows
    let lanes = V.scalarCount
    guard rows > 0 else { return }
    pool.split(0..<operation.weight.outputs, grain: 32) { outputs in
      withThreadMemory(rows * lanes) { sums in
        for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: lanes) {
          let vector = first..<min(first + lanes, outputs.upperBound)
          for four in stride(from: first, to: vector.upperBound, by: 4) {
            multiply(
              operation, outputs: four..<min(four + 4, vector.upperBound),
              sums: sums + (four - first))
          }
          finish(operation, rows: 0..<rows, outputs: vector, sums: sums, width: lanes)
        }
      }
    }
  }

  /// All rows against four outputs, fewer at the end. Meanwhile the next four's weights are asked for: the tiles share
  /// them out, so that memory is as busy under the last as under the first.
  /// - Parameter sums: (rows, lanes)
  private func multiply(_ operation: Linear, outputs: Range<Int>, sums: UnsafeMutablePointer<Float>) {
    let (rows, inputs) = (operation.input.rows, operation.weight.inputs)
    let weights = QuadRows(operation.weight.row(outputs.lowerBound), stride: inputs, count: outputs.count)
    let highest = tileRows == 8 ? 4 : 2
    let linesPerStep = min((4 * highest + rows - 1) / rows, 4)
    var next = weights.a + 4 &* inputs
    var row = 0
    while row < rows {
      let left = rows &- row
      let product = DotProduct(
        x: operation.input.row(row), stride: operation.input.stride, weights: weights, inputs: inputs,
        sums: sums + row &* V.scalarCount, next: next,
        linesPerStep: next < weights.a + 8 &* inputs ? linesPerStep : 0)
      if left >= 4, highest == 4 {
        DotPair<DotPair<DotRow<V>>>.run(product)
        row &+= 4
      } else if left >= 2 {
        DotPair<DotRow<V>>.run(product)
        row &+= 2
      } else {
        DotRow<V>.run(product)
        row &+= 1
      }
      next += product.linesPerStep &* inputs
    }
  }
}
