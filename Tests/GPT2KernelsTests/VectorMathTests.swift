import Foundation
import TestSupport
import Testing

@testable import GPT2Kernels

struct VectorMathTests {
  @Test func expIsWithinTwoUlps() {
    var (worst, place) = (0.0, Float(0))
    let step: Float = 0x1p-11
    for first in stride(from: Float(-87), to: 88, by: 8 * step) {
      let x = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) * step + first
      let y = GPT2Kernels.exp(x)
      for lane in 0..<8 where x[lane] <= 88 {
        let error = ulps(y[lane], from: Foundation.exp(Double(x[lane])))
        if !(error <= worst) { (worst, place) = (error, x[lane]) }
      }
    }
    #expect(worst <= 2, "at \(place)")
  }

  @Test func expHoldsAtTheEdges() {
    let x = SIMD8<Float>(0, -0, .nan, -88, -.infinity, -1000, 1e-30, -.leastNonzeroMagnitude)
    let y = GPT2Kernels.exp(x)
    expectEqual(y[0], 1)
    expectEqual(y[1], 1)
    expectEqual(y[6], 1)
    expectEqual(y[7], 1)
    #expect(y[2].isNaN)
    expectEqual(y[3], 0)
    expectEqual(y[4], 0)
    expectEqual(y[5], 0)
    let large = GPT2Kernels.exp(SIMD8<Float>(repeating: .infinity))
    #expect(large[0] > 1e38 && large[0].isFinite)
  }

  @Test(arguments: [1, 2, 7, 8, 9, 16, 31, 100, 1023])
  func softmaxMatchesTheFormula(_ count: Int) {
    var random = RandomStream(seed: UInt64(count))
    let x = random.floats(count, center: 60, spread: 45)
    let expected = Oracle.softmax(x.map(Double.init))
    let tolerance = 4 * Oracle.sumFactor(count) + 8 * Oracle.unitRoundoff
    let (vector, scalar) = (GuardedFloats(x), GuardedFloats(x))
    softmax(vector.base, count: count)
    referenceSoftmax(scalar.base, count: count)
    for found in [vector, scalar] {
      #expect(found.guardsHold)
      for (y, exact) in zip(found.values, expected) {
        #expect(abs(Double(y) - exact) <= tolerance * exact + 1e-37)
      }
    }
  }

  /// Every width computes the same function of each lane, bit for bit.
  @Test func widthsAgree() {
    var random = RandomStream(seed: 5)
    let x = random.floats(1600, spread: 30)
    func mapped<V: FloatVector>(_: V.Type, _ function: (V) -> V) -> [Float] {
      let out = GuardedFloats(x)
      for i in stride(from: 0, to: x.count, by: V.scalarCount) {
        function(V(loading: out.base + i)).store(to: out.base + i)
      }
      return out.values
    }
    let exps = mapped(SIMD8<Float>.self) { GPT2Kernels.exp($0) }
    expectNil(firstBitDifference(exps, mapped(SIMD4<Float>.self) { GPT2Kernels.exp($0) }))
    expectNil(firstBitDifference(exps, mapped(SIMD16<Float>.self) { GPT2Kernels.exp($0) }))
    let active = mapped(SIMD8<Float>.self) { gelu($0) }
    expectNil(firstBitDifference(active, mapped(SIMD4<Float>.self) { gelu($0) }))
    expectNil(firstBitDifference(active, mapped(SIMD16<Float>.self) { gelu($0) }))
  }

  @Test func softmaxOfANaNIsNaN() {
    for place in [0, 5, 8, 10] {
      let x = GuardedFloats([Float](repeating: 1, count: 11))
      x.base[place] = .nan
      softmax(x.base, count: 11)
      #expect(x.values.allSatisfy { $0.isNaN })
    }
  }
}
