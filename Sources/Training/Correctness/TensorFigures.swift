import Foundation
import GPT2Engine
import GPT2Model
import Statistics

/// What a reference keeps of a tensor: √Σx², Σx, four sums with signs of their own, and some elements. The signs of
/// element i are the lowest bits of splitmix64(i), one for plus.
struct TensorFigures {
  static let signedSums = 4
  static let samples = 58
  static let count = 2 + signedSums + samples

  let norm: Double
  /// Σx, then the sums with signs.
  let sums: [Double]
  /// Spread evenly from the first element to the last.
  let elements: [Double]

  init(of values: UnsafeBufferPointer<Float>) {
    var squares = 0.0
    var sums = Array(repeating: 0.0, count: 1 + Self.signedSums)
    for (i, value) in values.enumerated() {
      let x = Double(value)
      var mixer = SplitMix64(seed: UInt64(i))
      let bits = mixer.next()
      squares += x * x
      sums[0] += x
      for bit in 0..<Self.signedSums { sums[1 + bit] += bits >> UInt64(bit) & 1 == 1 ? x : -x }
    }
    norm = squares.squareRoot()
    self.sums = sums
    elements = (0..<Self.samples).map { Double(values[Self.place(of: $0, in: values.count)]) }
  }

  /// - Parameter row: `count` figures, as `scripts/reference_gradients.py` writes them.
  init(_ row: ArraySlice<Float>) {
    let row = row.map(Double.init)
    norm = row[0]
    sums = Array(row[1..<2 + Self.signedSums])
    elements = Array(row[(2 + Self.signedSums)...])
  }

  /// The element that a sample is.
  static func place(of sample: Int, in count: Int) -> Int { sample * (count - 1) / (samples - 1) }

  /// The largest difference from a reference as a share of what is allowed; infinite for what is no number.
  /// - Parameters:
  ///   - relative: what is allowed of an element, to the tensor's root mean square; likewise of the norm to the norm,
  ///     and of a sum too, because errors of the elements add up like steps of a random walk.
  ///   - skipped: elements that are not compared; where there are some, neither are norm and sums.
  func error(
    from reference: TensorFigures, elements count: Int, relative: Double, skipped: Range<Int> = 0..<0
  ) -> Double {
    var largest = 0.0
    if skipped.isEmpty {
      largest = abs(norm - reference.norm) / reference.norm
      for (sum, expected) in zip(sums, reference.sums) {
        largest = Self.larger(largest, abs(sum - expected) / reference.norm)
      }
    }
    let rootMeanSquare = reference.norm / Double(count).squareRoot()
    for sample in 0..<Self.samples where !skipped.contains(Self.place(of: sample, in: count)) {
      largest = Self.larger(
        largest, abs(elements[sample] - reference.elements[sample]) / rootMeanSquare)
    }
    return largest.isNaN ? .infinity : largest / relative
  }

  /// NaN where either is.
  private static func larger(_ a: Double, _ b: Double) -> Double { a > b || a.isNaN ? a : b }
}

/// How the gradients of a step compare with a reference's.
public struct GradientComparison: Equatable, Sendable {
  /// The largest error of any tensor as a share of what is allowed, and that tensor's name.
  public fileprivate(set) var worst = 0.0
  public fileprivate(set) var tensor = ""
  /// What float32's gradients may be off, to their tensor's root mean square.
  public let tolerance: Double
  /// Why it failed, in a line; nil where it passed.
  public fileprivate(set) var failure: String?

  public var passed: Bool { failure == nil }
}

extension GradientReference {
  /// How far float32's gradients may lie from exact ones: the forward pass's errors, as `Tolerance` adds them up, as
  /// much again on the way back, and those of two more sums, over the vocabulary and over the tokens.
  func tolerance(_ configuration: Configuration) -> Double {
    let oneWay = Tolerance(configuration, positions: context, largestLogit: 1).absolute
    let tokens = windows.count * context
    let sums = Double(configuration.vocabulary).squareRoot() + Double(tokens).squareRoot()
    return 2 * oneWay + 0x1p-24 * sums
  }

  /// Holds the gradients that a trainer computes from where it is against the reference's.
  /// - Parameter trainer: of the reference's model and `options`, before its first step.
  public func check(_ trainer: Trainer) throws(TrainingError) -> GradientComparison {
    let tolerance = tolerance(trainer.configuration)
    let parameters = trainer.configuration.parameters
    var comparison = GradientComparison(tolerance: tolerance)
    guard gradients.count == parameters.count else {
      comparison.failure =
        "\(name): it has gradients of \(gradients.count) tensors, expected the model's \(parameters.count)"
      return comparison
    }
    let loss = try trainer.withGradients(of: windows) { index, values in
      let error = TensorFigures(of: values).error(
        from: gradients[index], elements: values.count, relative: tolerance)
      if error > comparison.worst {
        (comparison.worst, comparison.tensor) = (error, parameters[index].name)
      }
    }
    if !(abs(loss - self.loss) <= tolerance * self.loss) {
      comparison.failure = "\(name): the loss is \(loss), expected \(self.loss)"
    } else if comparison.worst > 1 {
      let error = String(format: "%.1e", comparison.worst * tolerance)
      let allowed = String(format: "%.1e", tolerance)
      comparison.failure =
        "\(name): the gradient of \(comparison.tensor) is off by \(error) of its size, allowed \(allowed)"
    }
    return comparison
  }

  /// Holds the parameters of a trainer that has made the reference's steps against the reference's.
  /// - Parameters:
  ///   - relative: what is allowed of an element, to the tensor's root mean square.
  ///   - skipping: elements that are not compared.
  /// - Returns: the largest error of each tensor as a share of what is allowed, by its name; nil where the reference has no
  ///   steps.
  func parameterErrors(
    of trainer: Trainer, relative: Double, skipping: (Parameter) -> Range<Int>
  ) -> [String: Double]? {
    guard let steps else { return nil }
    var errors: [String: Double] = [:]
    for (index, parameter) in trainer.configuration.parameters.enumerated() {
      let values = trainer.values(.parameters, of: index)
      errors[parameter.name] = TensorFigures(of: values).error(
        from: steps.parameters[index], elements: values.count, relative: relative,
        skipped: skipping(parameter))
    }
    return errors
  }
}
