import GPT2Kernels
import TestSupport
import Testing

@Suite struct ElementwiseTests {
  static let counts = [0, 1, 7, 8, 9, 15, 17, 1023, 1024, 1025, 5000]

  @Test(arguments: KernelCase.all)
  func geluMatchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for count in Self.counts {
      var random = RandomStream(seed: UInt64(count))
      let x = random.floats(count, spread: 8)
      let values = GuardedFloats(x)
      kernel.run(GELU(values.base, count: count))
      let wrong = x.indices.first { !Oracle.gelu(x[$0]).allows(values.base[$0]) }
      #expect(wrong == nil, "\(count) elements")
      #expect(values.guardsHold)
    }
  }

  @Test(arguments: KernelCase.all)
  func geluHoldsAtTheEdges(_ kernelCase: KernelCase) {
    let subnormal = Float.leastNonzeroMagnitude
    let large: [Float] = [12, 100, 1e4, 1e12, 1e13, 1e20, 3e38, .greatestFiniteMagnitude]
    let x =
      large + large.map { -$0 }
      + [
        0, -0, subnormal, -subnormal, subnormal * 70_000, subnormal * -70_000, .leastNormalMagnitude, .nan,
        .infinity,
      ]
    let values = GuardedFloats(x)
    kernelCase.kernel().run(GELU(values.base, count: x.count))
    for (x, y) in zip(x, values.values) {
      switch x {
      case _ where x.isNaN: #expect(y.isNaN)
      case 12...: #expect(y == x, "gelu(\(x))")
      case ...(-12): #expect(abs(y) <= 1e-25, "gelu(\(x)) is \(y)")
      default: #expect(Oracle.gelu(x).allows(y), "gelu(\(x)) is \(y)")
      }
    }
  }

  @Test(arguments: KernelCase.divisible)
  func onlyTheElementsAskedForChange(_ kernelCase: KernelCase) throws {
    let kernel = try kernelCase.divisibleKernel()
    var random = RandomStream(seed: 3)
    let x = random.floats(100, spread: 4)
    let addend = GuardedFloats(random.floats(100))
    for elements in [0..<0, 0..<5, 3..<11, 9..<90, 99..<100] {
      let (activated, added) = (GuardedFloats(x), GuardedFloats(x))
      kernel.gelu(GELU(activated.base, count: 100), elements: elements)
      kernel.add(Addition(to: added.base, addend: addend.base, count: 100), elements: elements)
      for i in x.indices {
        #expect((activated.base[i] != x[i]) == elements.contains(i))
        #expect((added.base[i] != x[i]) == elements.contains(i))
      }
    }
  }

  @Test(arguments: KernelCase.all)
  func additionIsExactlyRounded(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for count in Self.counts + [8191, 8192, 8193, 40_000] {
      var random = RandomStream(seed: UInt64(count))
      let (x, y) = (random.floats(count), random.floats(count, spread: 1000))
      let (target, addend) = (GuardedFloats(x), GuardedFloats(y))
      kernel.run(Addition(to: target.base, addend: addend.base, count: count))
      #expect(firstBitDifference(target.values, zip(x, y).map { $0 + $1 }) == nil)
      #expect(target.guardsHold)
    }
  }
}
