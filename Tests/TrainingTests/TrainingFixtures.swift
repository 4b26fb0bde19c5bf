import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

/// Models small enough to be trained many times, and windows for them.
enum Fixtures {
  /// Every tile divides it.
  static let tiny = "synthetic:tiny"
  /// No tile divides it; the context is 33.
  static let ragged = "synthetic:3,5,35,131,33"
  static let small = "synthetic:2,2,10,23,12"

  static func checkpoint(_ name: String) throws -> Checkpoint {
    try ModelSource(name).open(cacheFolder: "none")
  }

  /// - Parameter tokens: of each window, its last target not among them.
  static func windows(_ count: Int, of tokens: Int, below vocabulary: Int, seed: UInt64 = 1) -> [Window] {
    var random = RandomStream(seed: seed)
    return (0..<count).map { _ in Window(random.ids(tokens + 1, below: vocabulary).map(Int32.init)) }
  }

  static func options(
    batch: Int, context: Int, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) -> TrainingOptions {
    var options = TrainingOptions()
    (options.batch, options.context, options.steps) = (batch, context, 10)
    change(&options)
    return options
  }

  static func trainer(
    _ model: String, _ options: TrainingOptions, variant: Variant = .preferred, threads: Int = 1
  ) throws -> Trainer {
    try Trainer(checkpoint(model), variant: variant, threads: threads, options: options)
  }

  static let references = ["tiny-synthetic", "ragged"]

  static func reference(_ name: String) throws -> GradientReference {
    try GradientReference(path: Project.file("Benchmarks/reference/gradients/\(name).json"))
  }
}

extension Trainer {
  /// A copy of everything that it holds of its parameters.
  func state() -> [[Float]] {
    State.allCases.flatMap { state in
      configuration.parameters.indices.map { Array(values(state, of: $0)) }
    }
  }

  func gradients(of windows: [Window]) throws -> (loss: Double, values: [[Float]]) {
    var all: [[Float]] = []
    let loss = try withGradients(of: windows) { index, values in
      expectEqual(index, all.count)
      all.append(Array(values))
    }
    return (loss, all)
  }
}

func hasSameBits(_ a: [[Float]], _ b: [[Float]]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { firstBitDifference($0, $1) == nil }
}

extension Variant: CustomTestStringConvertible {
  public var testDescription: String { name }
}

extension DoubleModel {
  func loss(of windows: [Window]) -> Double { loss(of: windows.map { $0.tokens.map(Int.init) }) }
}
