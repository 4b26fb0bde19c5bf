import GPT2Kernels

/// How large the operands of a check are.
public enum Operands: CaseIterable, Sendable {
  case ordinary
  /// So small that results, or what they are made of, are subnormal numbers: a kernel that takes those for zero is wrong.
  case subnormal
}

/// Memory that an operation writes. Before a check it is filled with NaN, so that a value that is not written, or is read
/// before it is, shows; so is a little more after its end, where nothing may be written.
struct PoisonedOutput: ~Copyable {
  private let buffer: FloatBuffer
  private let count: Int

  /// A NaN with a payload of its own, which arithmetic hands on.
  private static let poison = Float(bitPattern: 0x7FC5_A5A5)
  private static let margin = 64

  init(_ count: Int) throws(EngineError) {
    buffer = try makeBuffer(count + Self.margin)
    self.count = count
  }

  var base: UnsafeMutablePointer<Float> { buffer.base }

  func fill() { base.update(repeating: Self.poison, count: buffer.count) }

  static func isPoison(_ value: Float) -> Bool { value.bitPattern == poison.bitPattern }

  /// Fails the check where something was written after the end.
  func hold(_ result: inout ValueCheck) {
    let place = (count..<buffer.count).first { !Self.isPoison(base[$0]) }
    if let place { result.fail("value \(place) was written, expected \(count) values") }
  }
}

/// The distance of subnormal numbers from each other: a rounding to one of them is off by half of it at most.
let subnormalStep = 0x1p-149
