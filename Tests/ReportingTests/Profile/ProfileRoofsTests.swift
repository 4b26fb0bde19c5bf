import Testing

@testable import Record
@testable import Reporting

@Suite struct ProfileRoofsTests {
  private let ceiling: Ceiling

  init() {
    var ceiling = Ceiling(threads: 2, fmaGFLOPS: 1000, dramGBPerSecond: 10)
    ceiling.memory = [("L2", 1_000_000, 100.0), ("DRAM", Int?.none, 10)].map { name, capacity, rate in
      MemoryRoof(
        level: name, capacityBytes: capacity, workingSetBytes: 1, streams: 1, prefetchBytes: 0,
        trials: [Double](repeating: rate, count: 3), remark: nil)
    }
    self.ceiling = ceiling
  }

  private func entry(_ phase: ProfilePhase, activations: Double) -> Profile.Entry {
    Profile.Entry(
      phase: phase, layer: 0, calls: 2, nanoseconds: 1, waitNanoseconds: 0, flops: 1, streamedBytes: 0,
      activationBytes: activations)
  }

  /// Two calls of 4 MB: a layer norm has all of a call's in its hands, a softmax only a query's 62.5 kB.
  @Test func aSoftmaxIsHeldAgainstTheMemoryThatHoldsAQuerys() throws {
    let roofs = ProfileRoofs(ceiling, streamedBytesOfPass: 1e9, queries: 64)
    let norm = try #require(roofs.bound([entry(.layerNorm, activations: 8e6)]))
    #expect(norm.roof == .memory(level: "DRAM") && abs(norm.nanoseconds - 8e5) < 1)
    let softmax = try #require(roofs.bound([entry(.attentionSoftmax, activations: 8e6)]))
    #expect(softmax.roof == .memory(level: "L2") && abs(softmax.nanoseconds - 8e4) < 1)
    let token = ProfileRoofs(ceiling, streamedBytesOfPass: 1e9, queries: 1)
    #expect(token.bound([entry(.attentionSoftmax, activations: 8e6)])?.roof == .memory(level: "DRAM"))
  }
}
