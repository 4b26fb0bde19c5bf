import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Arithmetic and traffic against numbers worked out by hand.
struct WorkTests {
  let gpt2: Configuration

  init() throws {
    gpt2 = try Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 50257, context: 1024)
  }

  /// 512 positions of GPT-2 124M: 12 layers of 12 · 768² weights, two operations each for 512 rows, are 86.97 GFLOP;
  /// 512 · 513 / 2 pairs of positions, 4 · 768 operations each in 12 layers, are 4.84 GFLOP; one row of logits is
  /// 2 · 50257 · 768.
  @Test func prefillOf512Positions() {
    let work = Work(of: gpt2, rows: 512, firstPosition: 0)
    let (layers, attention, logits) = (86_973_087_744.0, 4_841_275_392.0, 77_194_752.0)
    expectEqual(work.flops, layers + attention + logits)
    let all = Work(of: gpt2, rows: 512, firstPosition: 0, logitRows: 512)
    expectEqual(all.flops, layers + attention + 512 * logits)
  }

  /// One row at position 0: all weights but the position embeddings it does not read and the final norm, which is
  /// 497.76 MB less 3.15 MB, and the row's own embeddings, keys and values.
  @Test func decodingTheFirstPosition() {
    let work = Work(ofStepIn: gpt2, decoding: .cache, position: 0)
    let flops: Int = 2 * 84_934_656 + 12 * 4 * 768 + 77_194_752
    expectEqual(work.flops, Double(flops))
    let vectors: Int = 12 * 13 * 768 + 2 * 768 + 12 * 2 * 768
    let floats: Int = 84_934_656 + 50257 * 768 + vectors
    expectEqual(work.bytes, 4 * Double(floats))
    let weights = 4 * Double(gpt2.parameterCount)
    #expect(abs(weights - 497.76e6) < 0.01e6)
    #expect(abs(work.bytes / weights - 1) < 0.01)
  }

  /// Matrices and embedding, 123,532,032 weights, and the embedding's row of the token; vectors, keys and values and the
  /// row of the position stay floats. What a token needs: 249 MB in bf16, 132 in int8, 70 in int4.
  @Test func narrowWeightsAreFewerBytesForTheSameArithmetic() {
    let exact = Work(ofStepIn: gpt2, decoding: .cache, position: 0)
    let values: Int = 12 * 13 * 768 + 768 + 12 * 2 * 768
    let floats: Double = 4 * Double(values)
    let bytes: [(WeightPrecision, Double)] = [(.f32, 4), (.bf16, 2), (.int8, 1.0625), (.int4, 0.5625)]
    for (precision, bytesOfAWeight) in bytes {
      let work = Work(ofStepIn: gpt2, decoding: .cache, position: 0, weights: precision)
      expectEqual(work.flops, exact.flops)
      let weights: Double = Double(123_532_032 + 768) * bytesOfAWeight
      expectEqual(work.bytes, weights + floats)
      let prefill = Work(of: gpt2, rows: 512, firstPosition: 0, weights: precision)
      expectEqual(
        Work(ofStepIn: gpt2, decoding: .recompute, position: 511, weights: precision), prefill)
    }
  }

  /// Position 1,023 reads 1,024 cached positions of keys and values: 12 · 2 · 768 floats for each.
  @Test func decodingLaterReadsTheCache() {
    let (first, last) = (
      Work(ofStepIn: gpt2, decoding: .cache, position: 0),
      Work(ofStepIn: gpt2, decoding: .cache, position: 1023)
    )
    expectEqual(last.bytes - first.bytes, 1023 * 12 * 2 * 768 * 4)
    expectEqual(last.flops - first.flops, 1023 * 12 * 4 * 768)
  }

  /// Two bytes of each key and value in place of four, and the same arithmetic.
  @Test func aNarrowCacheIsHalfTheBytes() {
    let (wide, narrow) = (
      Work(ofStepIn: gpt2, decoding: .cache, position: 511, sequences: 2),
      Work(ofStepIn: gpt2, decoding: .cache, position: 511, sequences: 2, cache: .bf16)
    )
    expectEqual(wide.bytes - narrow.bytes, 2 * 512 * 12 * 2 * 768 * 2)
    expectEqual(wide.flops, narrow.flops)
    expectEqual(Work.cacheBytes(of: gpt2, positions: 576, sequences: 2), 2 * 576 * 12 * 2 * 768 * 4)
    let half = Work.cacheBytes(of: gpt2, positions: 576, sequences: 2, cache: .bf16)
    expectEqual(half, 2 * 576 * 12 * 2 * 768 * 2)
  }

  @Test func recomputingIsAPrefill() {
    expectEqual(
      Work(ofStepIn: gpt2, decoding: .recompute, position: 511), Work(of: gpt2, rows: 512, firstPosition: 0)
    )
  }

  /// 124,439,808 parameters on 4 · 64 tokens; the update reads and writes four floats of each.
  @Test func aStepOfTraining() {
    let work = Work(ofTrainingStepIn: gpt2, tokens: 256)
    expectEqual(work.flops, 6 * 124_439_808 * 256)
    expectEqual(work.bytes, 32 * 124_439_808)
  }

  @Test func aBatchSharesTheWeights() {
    let (one, eight) = (
      Work(ofStepIn: gpt2, decoding: .cache, position: 9),
      Work(ofStepIn: gpt2, decoding: .cache, position: 9, sequences: 8)
    )
    expectEqual(eight.flops, 8 * one.flops)
    let own = 4.0 * (12 * 2 * 768 * 10 + 2 * 768)
    expectEqual(eight.bytes - one.bytes, 7 * own)
  }
}

/// The phases' work against the whole pass's, and marks against what they are marks of.
struct PhaseWorkTests {
  private static let shapes: [(rows: Int, firstPosition: Int, logitRows: Int)] = [
    (64, 0, 1), (1, 0, 1), (1, 511, 1), (7, 9, 7),
  ]

  private func gpt2() throws -> Configuration {
    try Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 50257, context: 1024)
  }

  /// All operations of a pass, as the engine runs them.
  private func sum(
    _ configuration: Configuration, rows: Int, firstPosition: Int, logitRows: Int,
    weights: WeightPrecision = .f32, cache: WeightPrecision = .f32, _ value: (PhaseWork) -> Double,
    of phases: [Phase]
  ) -> Double {
    func work(_ phase: Phase, _ part: Mark = .operation, isInLayer: Bool = true) -> Double {
      value(
        PhaseWork(
          of: phase, part: part, isInLayer: isInLayer, in: configuration, rows: rows,
          firstPosition: firstPosition, logitRows: logitRows, weights: weights, cache: cache))
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
      default: return total
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
    expectEqual(sum, whole.flops + softmax + gelu)
  }

  /// What a pass streams is what it must read, and the keys and values that it writes, which `Work` counts as read; the
  /// final norm's vectors come on top, which `Work` leaves out.
  @Test(arguments: shapes.indices) func streamsAddUpToThePass(index: Int) throws {
    let (rows, first, logitRows) = Self.shapes[index]
    let configuration = try gpt2()
    for weights in WeightPrecision.allCases {
      for cache in Variant.cachePrecisions {
        let whole = Work(
          of: configuration, rows: rows, firstPosition: first, logitRows: logitRows, weights: weights,
          cache: cache)
        let sum = sum(
          configuration, rows: rows, firstPosition: first, logitRows: logitRows, weights: weights,
          cache: cache, \.streamedBytes, of: Phase.allCases.filter { !$0.isOfTraining })
        expectEqual(sum, whole.bytes + 8 * 768)
      }
    }
  }

  /// Products of matrices forward and backward are 6 · weights · tokens; attention's are 3.5 times the forward pass's.
  @Test func productsAddUpToAStepOfTraining() throws {
    let configuration = try gpt2()
    func flops(_ phases: Phase...) -> Double {
      phases.reduce(0) { sum, phase in
        sum
          + PhaseWork(
            of: phase, in: configuration, rows: 64, firstPosition: 0, sequences: 4, logitRows: 256
          ).flops
      }
    }
    let forward = 12 * flops(.qkv, .projection, .up, .down) + flops(.logits)
    let backward =
      12 * flops(.qkvGradient, .projectionGradient, .upGradient, .downGradient) + flops(.logitsGradient)
    let weights = 84_934_656 + 50257 * 768
    expectEqual(forward, 2 * Double(weights) * 256)
    expectEqual(backward, 2 * forward)
    let softmax = 4 * Softmax.flops(rows: 64, firstPosition: 0, heads: 12)
    let attention = flops(.causalAttention) - softmax
    expectEqual(attention, 4 * Attention.flops(rows: 64, firstPosition: 0, channels: 768))
    expectEqual(flops(.attentionGradient), 2.5 * attention + softmax)
    #expect(Phase.allCases.filter(\.isOfTraining).allSatisfy { flops($0) > 0 })
  }

  @Test func aMarkSaysWhatItIsOf() throws {
    for phase in Phase.allCases {
      for layer in [nil, 0, 1, 47, 65_534] {
        let place = try #require(Mark(phase, layer: layer).place)
        expectEqual(place.phase, phase)
        expectEqual(place.layer, layer)
      }
    }
    for part: Mark in [.operation, .scores, .softmax, .values, .gelu, .residual, .waiting] {
      expectNil(part.place)
    }
    expectNil(Mark(rawValue: .max).place)
  }
}
