import Foundation
import GPT2Kernels
import Statistics

/// The choice of one token from logits that all threads have written, each its share of them, while they read all of a
/// table: the first have left the caches by then, and the last have not.
public final class SamplingProblem: OperationProblem {
  private let vocabulary: Int
  private let parameters: SamplingParameters
  private let kernel: any Kernel
  private let rotation: WeightRotation?
  /// What is checked.
  private let logits: FloatBuffer
  /// What is timed.
  private let written: FloatBuffer
  private let chosen: FloatBuffer
  private var sampler: Sampler
  /// A part of the logits' product; nil where nothing is timed.
  private let product: AdjacentProduct?
  private var preparations = 0

  public var callsPerPreparation: Int? { rotation == nil ? nil : 1 }

  /// - Parameters:
  ///   - kernel: whose threads write the logits.
  ///   - rotation: where the logits for timing are copied from; nil to choose from its own only.
  public init(
    vocabulary: Int, parameters: SamplingParameters, kernel: any Kernel, rotation: WeightRotation?,
    seed: UInt64 = 1
  ) throws(EngineError) {
    logits = try makeBuffer(vocabulary)
    written = try makeBuffer(vocabulary)
    chosen = try makeBuffer(1)
    (self.vocabulary, self.parameters) = (vocabulary, parameters)
    (self.kernel, self.rotation) = (kernel, rotation)
    product = try rotation.map { rotation throws(EngineError) in
      try AdjacentProduct(
        rows: 1, inputs: Self.width, outputs: max(rotation.count / (Self.parts * Self.width), 1),
        kernel: kernel, layout: .rows, rotation: rotation)
    }
    sampler = Sampler(parameters)
    var generator = SeededGenerator(seed: seed)
    draw(logits.base, count: vocabulary, spread: 4, &generator)
  }

  /// Inputs of the product.
  private static let width = 1024
  /// Of the table that is read, and of the logits that are written with it.
  private static let parts = 8
  /// Logits that a thread copies at a time.
  private static let share = 1024

  public func prepare() {
    guard let values = rotation?.scattered(turn: preparations, count: vocabulary) else { return }
    preparations += 1
    for part in 0..<Self.parts {
      product?.run(turn: part)
      copy(values, part * vocabulary / Self.parts..<(part + 1) * vocabulary / Self.parts)
    }
  }

  private func copy(_ values: UnsafePointer<Float>, _ range: Range<Int>) {
    let target = written.base
    kernel.forEach((range.count + Self.share - 1) / Self.share) { index in
      let start = range.lowerBound + index * Self.share
      (target + start).update(from: values + start, count: min(Self.share, range.upperBound - start))
    }
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    let source = UnsafePointer(preparations == 0 ? logits.base : written.base)
    chosen.base[0] = Float(sampler.next(UnsafeBufferPointer(start: source, count: vocabulary), after: []))
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
    for _ in 0..<draws { counts[sampler.next(own, after: [])] += 1 }
    var result = ValueCheck(compared: vocabulary, total: vocabulary)
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

  /// The first failure among ragged sizes; nil where there is none.
  public static func firstRaggedFailure(
    of parameters: SamplingParameters, _ kernel: any Kernel
  ) throws(EngineError) -> String? {
    for vocabulary in RaggedSizes.widths {
      let problem = try SamplingProblem(
        vocabulary: vocabulary, parameters: parameters, kernel: kernel, rotation: nil)
      if let failure = problem.check().failure { return "\(vocabulary): \(failure)" }
    }
    return nil
  }
}
