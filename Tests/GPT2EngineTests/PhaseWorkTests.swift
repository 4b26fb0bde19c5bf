import GPT2Engine
import GPT2Kernels
import GPT2Model
import Testing

/// The phases' work against the whole pass's, and marks against what they are marks of.
@Suite struct PhaseWorkTests {
  private static let shapes: [(rows: Int, firstPosition: Int, logitRows: Int)] = [
    (64, 0, 1), (1, 0, 1), (1, 511, 1), (7, 9, 7),
  ]

  private func gpt2() throws -> Configuration {
    try Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 50257, context: 1024)
  }

  /// All operations of a pass, as the engine runs them.
  private func sum(
    _ configuration: Configuration, rows: Int, firstPosition: Int, logitRows: Int,
    _ value: (PhaseWork) -> Double, of phases: [Phase]
  ) -> Double {
    func work(_ phase: Phase, _ part: Mark = .operation, isInLayer: Bool = true) -> Double {
      value(
        PhaseWork(
          of: phase, part: part, isInLayer: isInLayer, in: configuration, rows: rows,
          firstPosition: firstPosition, logitRows: logitRows))
    }
    return phases.reduce(0) { total, phase in
      let layers = Double(configuration.layers)
      switch phase {
      case .embedding, .logits, .sampling, .between: return total + work(phase)
      case .layerNorm: return total + 2 * layers * work(phase) + work(phase, isInLayer: false)
      case .attention:
        return total + layers
          * [Mark.scores, .softmax, .values, .operation].reduce(0) { $0 + work(phase, $1) }
      case .up: return total + layers * (work(phase) + work(phase, .gelu))
      case .qkv, .cacheStore, .projection, .down: return total + layers * work(phase)
      }
    }
  }

  @Test(arguments: shapes.indices) func productsAddUpToThePass(index: Int) throws {
    let (rows, first, logitRows) = Self.shapes[index]
    let configuration = try gpt2()
    let whole = Work(of: configuration, rows: rows, firstPosition: first, logitRows: logitRows)
    let products: [Phase] = [.qkv, .attention, .projection, .up, .down, .logits]
    let sum = sum(
      configuration, rows: rows, firstPosition: first, logitRows: logitRows, \.flops, of: products)
    let softmax = 12 * Softmax.flops(rows: rows, firstPosition: first, heads: 12)
    let gelu = 12 * GELU.flops(count: rows * 3072)
    #expect(sum == whole.flops + softmax + gelu)
  }

  /// What a pass streams is what it must read, and the keys and values that it writes, which `Work` counts as read; the
  /// final norm's vectors come on top, which `Work` leaves out.
  @Test(arguments: shapes.indices) func streamsAddUpToThePass(index: Int) throws {
    let (rows, first, logitRows) = Self.shapes[index]
    let configuration = try gpt2()
    let whole = Work(of: configuration, rows: rows, firstPosition: first, logitRows: logitRows)
    let sum = sum(
      configuration, rows: rows, firstPosition: first, logitRows: logitRows, \.streamedBytes,
      of: Phase.allCases)
    #expect(sum == whole.bytes + 8 * 768)
  }

  @Test func aMarkSaysWhatItIsOf() throws {
    for phase in Phase.allCases {
      for layer in [nil, 0, 1, 47, 65_534] {
        let place = try #require(Mark(phase, layer: layer).place)
        #expect(place.phase == phase && place.layer == layer)
      }
    }
    for part: Mark in [.operation, .scores, .softmax, .values, .gelu, .residual, .waiting] {
      #expect(part.place == nil)
    }
    #expect(Mark(rawValue: .max).place == nil)
  }
}
