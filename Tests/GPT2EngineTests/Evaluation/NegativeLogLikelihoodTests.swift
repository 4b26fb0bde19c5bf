import Foundation
import TestSupport
import Testing

@testable import GPT2Engine

@Suite struct NegativeLogLikelihoodTests {
  private func nats(_ logits: [Float], _ token: Int) -> Double {
    logits.withUnsafeBufferPointer { negativeLogLikelihood(of: token, $0) }
  }

  /// −log(exp(lₜ) / Σ exp(lᵢ)), which needs no shift where logits are small.
  @Test func itIsTheLogarithmOfTheDirectSum() {
    var random = RandomStream(seed: 3)
    for count in [1, 2, 7, 8, 9, 17, 50257] {
      let logits = random.floats(count, spread: 40)
      let sum = logits.reduce(0) { $0 + exp(Double($1)) }
      for token in [0, count / 2, count - 1] {
        #expect(abs(nats(logits, token) + log(exp(Double(logits[token])) / sum)) < 1e-11)
      }
    }
  }

  @Test func largeLogitsNeitherOverflowNorVanish() {
    #expect(nats([3e38, 3e38], 0) == log(2))
    #expect(nats([-3e38, -3e38, -3e38, -3e38], 2) == log(4))
    #expect(nats([1000, 0], 0) == 0)
    #expect(nats([1000, 0], 1) == 1000)
    #expect(nats([-.infinity, 1], 1) == 0)
    #expect(nats([-.infinity, 1], 0) == .infinity)
  }

  /// exp of a constant more is a factor that cancels; what is added is exact in float32.
  @Test func aShiftOfAllLogitsChangesNothing() {
    let logits: [Float] = [0.5, -1.25, 2, 0.75]
    for shift: Float in [-65536, 1024, 65536] {
      #expect(nats(logits.map { $0 + shift }, 1) == nats(logits, 1))
    }
  }

  @Test func whatIsNoNumberGivesNone() {
    for count in [3, 8, 11] {
      for place in 0..<count {
        for value in [Float.nan, .infinity] {
          var logits = [Float](repeating: 1, count: count)
          logits[place] = value
          #expect(nats(logits, 2).isNaN)
        }
      }
      #expect(nats([Float](repeating: -.infinity, count: count), 2).isNaN)
    }
  }
}
