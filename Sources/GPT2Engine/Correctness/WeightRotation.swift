import GPT2Kernels
import Statistics

/// Memory in which the weights of timed matrix products take turns, so that by the time a matrix is read again all the
/// others have been: larger than the caches, it gives every call weights from memory, as decoding has them.
///
/// One for all shapes of a process. Matrices of different shapes overlap in it, so its numbers are in no shape's order;
/// they are ordinary ones in −1 to 1, which take as long as any.
public final class WeightRotation {
  public let bytes: Int
  private let buffer: FloatBuffer

  /// Where matrices begin: at pages, as a buffer of their own would.
  static let grain = 4096 / MemoryLayout<Float>.stride

  /// Floats of the pages that so many take.
  static func wholePages(_ count: Int) -> Int { (count + grain - 1) / grain * grain }

  public init(bytes: Int, seed: UInt64 = 1) throws(EngineError) {
    let count = max(bytes / MemoryLayout<Float>.stride, 1)
    buffer = try makeBuffer(count, isFilledAtOnce: true)
    self.bytes = count * MemoryLayout<Float>.stride
    // Drawing them all would take seconds.
    let drawn = min(count, 1 << 20)
    var generator = SeededGenerator(seed: seed)
    for i in 0..<drawn { buffer.base[i] = Float(generator.unit() * 2 - 1) }
    for start in stride(from: drawn, to: count, by: drawn) {
      (buffer.base + start).update(from: buffer.base, count: min(drawn, count - start))
    }
  }

  /// All of the memory, and the floats it holds.
  var base: UnsafePointer<Float> { UnsafePointer(buffer.base) }
  var count: Int { buffer.count }

  /// Where the matrix of this turn lies; nil for one that is larger than the rotation, which needs none.
  ///
  /// The turns go through all of the memory and begin again; the last matrix of a round overlaps the one before it
  /// where the size does not divide the memory.
  func weights(turn: Int, count: Int) -> UnsafePointer<Float>? {
    guard count <= buffer.count else { return nil }
    let stride = Self.wholePages(count)
    let matrices = (buffer.count + stride - 1) / stride
    let last = (buffer.count - count) / Self.grain * Self.grain
    return UnsafePointer(buffer.base) + min(turn % matrices * stride, last)
  }
}
