import Dispatch
import NumberFormats

struct StoredTensor {
  let mapping: Mapping
  /// Bytes from the start of the mapping.
  let offset: Int
  let encoding: TensorEncoding
  /// Of a linear weight; whatever else there is lies in its parameter's shape.
  var order = MatrixOrder.inputsFirst

  /// The values where they lie, where they are floats at an address for floats.
  func floats(_ elements: Range<Int>) -> UnsafePointer<Float>? {
    guard encoding == .float32, offset % MemoryLayout<Float>.alignment == 0 else { return nil }
    return UnsafePointer((mapping.base + offset).assumingMemoryBound(to: Float.self) + elements.lowerBound)
  }

  /// Hands over some values, in the file's order: where they lie, or widened for the call by `decode`.
  func withFloats(
    _ elements: Range<Int>, _ decode: (Self) -> (Range<Int>, UnsafeMutablePointer<Float>) -> Void,
    _ body: (UnsafePointer<Float>) -> Void
  ) {
    if let floats = floats(elements) { return body(floats) }
    let floats = UnsafeMutablePointer<Float>.allocate(capacity: elements.count)
    defer { floats.deallocate() }
    decode(self)(elements, floats)
    body(floats)
  }

  /// Widens values to float32, in the order of the file.
  func decode(_ elements: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    encoding.decode(
      mapping.base + offset + encoding.bytes(of: elements.lowerBound), elements.count, to: target)
  }

  func bytes(_ elements: Range<Int>) -> Range<Int> {
    offset + encoding.bytes(of: elements.lowerBound)..<offset + encoding.bytes(of: elements.upperBound)
  }

  /// Likewise on all cores, from the first value on.
  func decodeInParallel(_ elements: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    nonisolated(unsafe) let target = target
    inParallel(elements.upperBound, by: 1 << 18) { decode($0, to: target + $0.lowerBound) }
  }
}

/// Hands the numbers below `count` to all cores, `slice` at a time.
func inParallel(_ count: Int, by slice: Int, _ body: @Sendable (Range<Int>) -> Void) {
  DispatchQueue.concurrentPerform(iterations: (count + slice - 1) / slice) { index in
    body(index * slice..<min((index + 1) * slice, count))
  }
}

/// target[c, r] = source[r, c], on all cores, in square blocks so that neither side takes a page for each value.
func transpose(
  _ source: UnsafePointer<Float>, rows: Int, columns: Int, to target: UnsafeMutablePointer<Float>
) {
  let block = 32
  nonisolated(unsafe) let (source, target) = (source, target)
  inParallel(columns, by: block) { columnBlock in
    for firstRow in stride(from: 0, to: rows, by: block) {
      let lastRow = min(firstRow + block, rows)
      for column in columnBlock {
        for row in firstRow..<lastRow { target[column &* rows &+ row] = source[row &* columns &+ column] }
      }
    }
  }
}
