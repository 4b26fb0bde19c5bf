import Dispatch

extension StoredTensor {
  /// Widens all values, in the order of the file, on all cores.
  func decodeInParallel(to target: UnsafeMutableBufferPointer<Float>) {
    let slice = 1 << 18
    let destination = DisjointTarget(target.baseAddress!)
    let count = target.count
    DispatchQueue.concurrentPerform(iterations: (count + slice - 1) / slice) { index in
      let elements = index * slice..<min((index + 1) * slice, count)
      decode(elements, to: destination.base + elements.lowerBound)
    }
  }
}

/// target[c, r] = source[r, c], on all cores, in square blocks so that neither side runs through a page for each value.
func transpose(
  _ source: UnsafePointer<Float>, rows: Int, columns: Int, to target: UnsafeMutablePointer<Float>
) {
  let block = 32
  let origin = SharedSource(source)
  let destination = DisjointTarget(target)
  DispatchQueue.concurrentPerform(iterations: (columns + block - 1) / block) { index in
    let (source, target) = (origin.base, destination.base)
    let columnBlock = index * block..<min((index + 1) * block, columns)
    for firstRow in stride(from: 0, to: rows, by: block) {
      let lastRow = min(firstRow + block, rows)
      for column in columnBlock {
        for row in firstRow..<lastRow { target[column &* rows &+ row] = source[row &* columns &+ column] }
      }
    }
  }
}

/// Memory that several threads read.
private struct SharedSource: @unchecked Sendable {
  let base: UnsafePointer<Float>
  init(_ base: UnsafePointer<Float>) { self.base = base }
}

/// Memory of which each thread fills a part of its own.
private struct DisjointTarget: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  init(_ base: UnsafeMutablePointer<Float>) { self.base = base }
}
