/// Memory for floats between two guards. Everything starts as a NaN with a payload of its own: a value that is read
/// before it was written shows as NaN, and one that was never written keeps its bits.
public final class GuardedFloats: @unchecked Sendable {
  public static let canary = Float(bitPattern: 0x7FC5_A5A5)

  public let base: UnsafeMutablePointer<Float>
  public let count: Int
  private let memory: UnsafeMutablePointer<Float>
  private static let margin = 64

  public init(_ count: Int) {
    self.count = count
    memory = .allocate(capacity: count + 2 * Self.margin)
    memory.initialize(repeating: Self.canary, count: count + 2 * Self.margin)
    base = memory + Self.margin
  }

  public convenience init(_ values: [Float]) {
    self.init(values.count)
    for (i, value) in values.enumerated() { base[i] = value }
  }

  /// Rows of `columns` values, `stride` apart, with NaN between them.
  public convenience init(_ values: [Float], columns: Int, stride: Int) {
    let rows = columns == 0 ? 0 : values.count / columns
    self.init(rows * stride)
    for row in 0..<rows {
      for column in 0..<columns { base[row * stride + column] = values[row * columns + column] }
    }
  }

  deinit { memory.deallocate() }

  public var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  public func isWritten(_ index: Int) -> Bool {
    base[index].bitPattern != Self.canary.bitPattern
  }

  /// Whether both guards are as they were.
  public var guardsHold: Bool {
    (0..<Self.margin).allSatisfy {
      memory[$0].bitPattern == Self.canary.bitPattern
        && (base + count)[$0].bitPattern == Self.canary.bitPattern
    }
  }
}
