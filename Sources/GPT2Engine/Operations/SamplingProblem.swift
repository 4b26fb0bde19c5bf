import Foundation
import GPT2Kernels
import Statistics

/// The choice of one token from logits that all threads have written, each its share of them, while they read all of a
/// table: the first have left the caches by then, and the last have not. Each call has logits of its own, or the
/// processor would learn where one vector's largest lie.
public final class SamplingProblem: OperationProblem {
  private let vocabulary: Int
  private let parameters: SamplingParameters
  /// Where the table and what it is multiplied with come from; nil where nothing is timed.
  private let walk: WeightWalk?
  /// What is checked.
  private let logits: FloatBuffer
  /// What is timed.
  private let written: FloatBuffer
  /// What the table is multiplied with.
  private let state: FloatBuffer
  private let chosen: FloatBuffer
  private var sampler: Sampler
  /// The logits; nil where nothing is timed.
  private let linear: AdjacentLinear?
  private var isWritten = false

  public var callsPerPreparation: Int? { walk == nil ? nil : 1 }

  /// - Parameters:
  ///   - kernel: whose threads write the logits.
  ///   - rotation: memory that is taken for the table; nil to choose from its own logits only.
  public init(
    vocabulary: Int, parameters: SamplingParameters, kernel: any Kernel, rotation: WeightRotation?
  ) throws(EngineError) {
    var generator = SeededGenerator(seed: 1)
    logits = try drawn(vocabulary, spread: 4, &generator)
    written = try makeBuffer(vocabulary)
    state = try makeBuffer(Self.mostWidth)
    chosen = try makeBuffer(1)
    (self.vocabulary, self.parameters) = (vocabulary, parameters)
    let walk = rotation.map(WeightWalk.init)
    self.walk = walk
    linear = try walk.map { walk throws(EngineError) in
      try AdjacentLinear(
        rows: 1, inputs: Self.width(walk.count / vocabulary), outputs: vocabulary, kernel: kernel,
        layout: kernel.outputLayout, walk: walk)
    }
    sampler = Sampler(parameters)
  }

  /// Of the table that is read: at most what there is room for, in whole lines of a cache.
  private static func width(_ most: Int) -> Int {
    most < lineWidth ? max(most, 1) : min(most, mostWidth) / lineWidth * lineWidth
  }

  private static let lineWidth = 16
  private static let mostWidth = 1024
  /// Of the logits, whose distribution is close to normal: of values that are uniform between −1 and 1 the product of
  /// two has a standard deviation of 1/3.
  private static let deviation: Float = 2

  public func prepare() {
    guard let walk, let linear, let values = walk.apart(linear.inputs) else { return }
    let scale = Self.deviation * 3 / Float(linear.inputs).squareRoot()
    for i in 0..<linear.inputs { state.base[i] = scale * values[i] }
    isWritten = linear.run(from: UnsafePointer(state.base), to: written.base)
  }

  var timedLogits: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: UnsafePointer(isWritten ? written.base : logits.base), count: vocabulary)
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    chosen.base[0] = (try? sampler.next(timedLogits, after: [])).map { Float($0) } ?? .nan
    return UnsafePointer(chosen.base)
  }

  /// Draws, and compares the shares of what was drawn with the probabilities that the parameters leave.
  ///
  /// A share of n draws lies within 6 standard deviations of its probability p, √(p(1 − p)/n), and the one more draw
  /// that rare events take; what has no probability is never drawn.
  public func check() -> ValueCheck {
    let draws = parameters.temperature == 0 ? 1 : max(min(2_000_000 / vocabulary, 500), 20)
    var counts = [Int](repeating: 0, count: vocabulary)
    var sampler = Sampler(parameters)
    let own = UnsafeBufferPointer(start: UnsafePointer(logits.base), count: vocabulary)
    // A choice that fails is missing from the shares.
    for _ in 0..<draws { if let id = try? sampler.next(own, after: []) { counts[id] += 1 } }
    var result = ValueCheck(total: vocabulary)
    for (id, p) in probabilities().enumerated() {
      let deviation = (p * (1 - p) / Double(draws)).squareRoot()
      result.add(
        Float(counts[id]) / Float(draws), p,
        tolerance: p == 0 ? 0 : 6 * deviation + 2 / Double(draws) + unitRoundoff, row: 0, column: id)
    }
    return result
  }

  /// Temperature, top-k, top-p, min-p by their definitions; there is no text to penalise.
  private func probabilities() -> [Double] {
    let order = (0..<vocabulary).sorted {
      logits.base[$0] == logits.base[$1] ? $0 < $1 : logits.base[$0] > logits.base[$1]
    }
    var result = [Double](repeating: 0, count: vocabulary)
    guard parameters.temperature > 0 else {
      result[order[0]] = 1
      return result
    }
    let kept = order.prefix(parameters.topK ?? vocabulary)
    let largest = Double(logits.base[order[0]])
    let powers = kept.map { exp((Double(logits.base[$0]) - largest) / Double(parameters.temperature)) }
    let all = powers.reduce(0, +)
    var (reached, nucleus) = (0.0, 0)
    while nucleus < powers.count, nucleus == 0 || reached < Double(parameters.topP) * all {
      reached += powers[nucleus]
      nucleus += 1
    }
    let drawn = zip(kept, powers.prefix(nucleus)).filter { $0.1 >= Double(parameters.minP) }
    let sum = drawn.reduce(0) { $0 + $1.1 }
    for (id, power) in drawn { result[id] = power / sum }
    return result
  }
}
