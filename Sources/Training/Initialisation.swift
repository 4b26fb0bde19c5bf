import Foundation
import GPT2Kernels
import GPT2Model
import Statistics

/// New parameters as GPT-2 began (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019): normal
/// numbers of deviation 0.02, of projections to the residual stream divided by √(2 · layers); norms 1 and biases 0.
/// A number depends on the seed, its tensor and its place alone.
struct Initialisation {
  let seed: UInt64

  /// Values that are drawn together; even, because normal numbers come in pairs.
  private static let part = 1 << 14

  /// - Parameter kernel: whose threads draw.
  func fill(_ memory: ParameterMemory, on kernel: some Kernel) {
    for (index, parameter) in memory.space.parameters.enumerated() {
      let values = memory[index]
      switch parameter.role {
      case .normWeight: values.update(repeating: 1)
      case .bias: values.update(repeating: 0)
      case .linearWeight, .tokenEmbedding, .positionEmbedding, .outputEmbedding:
        let deviation = deviation(of: parameter, layers: memory.space.configuration.layers)
        kernel.forEachPiece(of: values.count, size: Self.part) { piece in
          fill(
            UnsafeMutableBufferPointer(rebasing: values[piece]), tensor: index, from: piece.lowerBound,
            deviation: deviation)
        }
      }
    }
  }

  private func deviation(of parameter: Parameter, layers: Int) -> Double {
    let addsToStream = parameter.role == .linearWeight && parameter.name.hasSuffix("c_proj.weight")
    return addsToStream ? 0.02 / Double(2 * layers).squareRoot() : 0.02
  }

  /// Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958, in Double.
  /// - Parameter first: an even place.
  private func fill(
    _ values: UnsafeMutableBufferPointer<Float>, tensor: Int, from first: Int, deviation: Double
  ) {
    var mixer = SplitMix64(seed: seed)
    let key = mixer.next() &+ UInt64(tensor) << 40
    for place in stride(from: 0, to: values.count, by: 2) {
      var source = SplitMix64(seed: key &+ UInt64(first + place))
      let radius = (-2 * log(Double((source.next() >> 11) + 1) * 0x1p-53)).squareRoot() * deviation
      let angle = 2 * Double.pi * Double(source.next() >> 11) * 0x1p-53
      values[place] = Float(radius * cos(angle))
      if place + 1 < values.count { values[place + 1] = Float(radius * sin(angle)) }
    }
  }
}
