import GPT2Kernels
import Statistics

/// Memory in which the weights of timed linear layers take turns, so that by the time a matrix is read again all the
/// others have been: larger than the caches, it gives every call weights from memory, as decoding has them.
///
/// One for all shapes of a process. Matrices of different shapes overlap in it, so its numbers are in no shape's order;
/// they are ordinary ones in −1 to 1, which take as long as any, and so is each half of one in half precision, and as
/// bfloat16.
public final class WeightRotation {
  public let bytes: Int
  private let buffer: FloatBuffer

  /// Where matrices begin: at pages, as a buffer of their own would.
  static let grain = 4096 / MemoryLayout<Float>.stride

  /// Floats of the pages that so many take.
  static func wholePages(_ count: Int) -> Int { (count + grain - 1) / grain * grain }

  public init(bytes: Int) throws(EngineError) {
    let count = max(bytes / MemoryLayout<Float>.stride, 1)
    buffer = try makeBuffer(count, isFilledAtOnce: true)
    self.bytes = count * MemoryLayout<Float>.stride
    // Drawing them all would take seconds.
    let drawn = min(count, 1 << 20)
    var generator = SeededGenerator(seed: 1)
    draw(buffer.base, count: drawn, &generator)
    // The lower half becomes a number of about that size too, ±2⁻³ to ±2 in half precision.
    for index in 0..<drawn {
      let bits = max(min(buffer.base[index], 0.999), -0.999).bitPattern
      buffer.base[index] = Float(bitPattern: bits & 0xFFFF_8FFF | 0x3000)
    }
    for start in stride(from: drawn, to: count, by: drawn) {
      (buffer.base + start).update(from: buffer.base, count: min(drawn, count - start))
    }
  }

  /// All of the memory, and the floats it holds.
  var base: UnsafePointer<Float> { UnsafePointer(buffer.base) }
  var count: Int { buffer.count }

  /// Where the matrix of this turn lies; nil for one that is larger than the rotation, which needs none.
  ///
  /// Turns go through all memory and begin again; a round's last matrix may overlap the one before.
  func weights(turn: Int, count: Int) -> UnsafePointer<Float>? {
    guard count <= buffer.count else { return nil }
    let stride = Self.wholePages(count)
    let matrices = (buffer.count + stride - 1) / stride
    let last = (buffer.count - count) / Self.grain * Self.grain
    return UnsafePointer(buffer.base) + min(turn % matrices * stride, last)
  }
}

/// Goes through a rotation's memory over and over, as passes do: what it gives was read a whole round ago.
final class WeightWalk {
  /// Floats of a round, the most that it gives at once.
  let count: Int

  private let rotation: WeightRotation
  private var place = 0
  private var turn = 0

  /// The memory's part that is kept apart.
  private static let apart = 8
  /// A prime: slots are taken in an order in which neighbours are far apart.
  private static let hop = 7919

  init(_ rotation: WeightRotation) {
    self.rotation = rotation
    let grain = WeightRotation.grain
    count = (rotation.count - rotation.count / Self.apart) / grain * grain
  }

  /// The next `count` floats; nil for more than a round.
  func next(_ count: Int) -> UnsafePointer<Float>? {
    guard count <= self.count else { return nil }
    if place + count > self.count { place = 0 }
    defer { place += WeightRotation.wholePages(count) }
    return rotation.base + place
  }

  /// `count` floats of a part of the memory that `next` leaves alone: a few beside many, which no cache still holds when
  /// their turn comes again, and which follow nothing in memory that was read shortly before. Nil for more than the part has.
  func apart(_ count: Int) -> UnsafePointer<Float>? {
    let slot = WeightRotation.wholePages(count)
    let slots = (rotation.count - self.count) / slot
    guard slots > 0 else { return nil }
    turn += 1
    return rotation.base + self.count + turn * Self.hop % slots * slot
  }
}

/// A linear layer that stands beside an operation in a pass. The one before it leaves the operation's input in the caches of
/// the threads that computed their shares of it, after the weights that they read from memory; the one after it has
/// all threads read the operation's output, so that its next writer has to take the lines back from them.
final class AdjacentLinear {
  let inputs: Int
  private let rows, outputs: Int
  private let kernel: any Kernel
  private let layout: WeightLayout
  private let walk: WeightWalk
  /// (rows, inputs), small enough for sums in about −1 to 1.
  private let input: FloatBuffer
  /// (rows, outputs), for a layer whose output nobody reads.
  private let unread: FloatBuffer

  /// - Parameters:
  ///   - layout: of the weights; the kernel's own unless given.
  ///   - walk: where the weights come from, call after call.
  init(
    rows: Int, inputs: Int, outputs: Int, kernel: any Kernel, layout: WeightLayout? = nil, walk: WeightWalk
  ) throws(EngineError) {
    var generator = SeededGenerator(seed: 1)
    input = try drawn(rows * inputs, spread: (3 / Double(inputs)).squareRoot(), &generator)
    unread = try makeBuffer(rows * outputs)
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
    (self.kernel, self.walk) = (kernel, walk)
    self.layout = layout ?? kernel.weightLayout
  }

  /// Nothing, and false, where one matrix is larger than what the walk goes through.
  ///
  /// - Parameters:
  ///   - source: (rows, inputs); its own unless given.
  ///   - output: (rows, outputs); where nobody reads it unless given.
  ///   - residual: (rows, outputs), grows by the output; `output` is scratch then. Nil for none.
  ///   - bias: (outputs)
  @discardableResult func run(
    from source: UnsafePointer<Float>? = nil, to output: UnsafeMutablePointer<Float>? = nil,
    residual: UnsafeMutablePointer<Float>? = nil, bias: UnsafePointer<Float>? = nil
  ) -> Bool {
    let count = layout.count(outputs: outputs, inputs: inputs)
    guard let weights = walk.next(count) else { return false }
    kernel.run(
      Linear(
        input: Matrix(source ?? UnsafePointer(input.base), rows: rows, columns: inputs),
        weight: Weight(weights, outputs: outputs, inputs: inputs, layout: layout),
        bias: bias.map { Vector($0, count: outputs) },
        output: MutableMatrix(output ?? unread.base, rows: rows, columns: outputs),
        epilogue: residual.map { .residual(MutableMatrix($0, rows: rows, columns: outputs)) } ?? .none))
    return true
  }
}
