import GPT2Engine
import GPT2Kernels
import GPT2Model
import Testing

/// Arithmetic and traffic against numbers worked out by hand.
@Suite struct WorkTests {
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
    #expect(work.flops == layers + attention + logits)
    let all = Work(of: gpt2, rows: 512, firstPosition: 0, logitRows: 512)
    #expect(all.flops == layers + attention + 512 * logits)
  }

  /// One row at position 0: all weights but the position embeddings it does not read and the final norm, which is
  /// 497.76 MB less 3.15 MB, and the row's own embeddings, keys and values.
  @Test func decodingTheFirstPosition() {
    let work = Work(ofStepIn: gpt2, decoding: .cache, position: 0)
    let flops: Int = 2 * 84_934_656 + 12 * 4 * 768 + 77_194_752
    #expect(work.flops == Double(flops))
    let vectors: Int = 12 * 13 * 768 + 2 * 768 + 12 * 2 * 768
    let floats: Int = 84_934_656 + 50257 * 768 + vectors
    #expect(work.bytes == 4 * Double(floats))
    let weights = 4 * Double(gpt2.parameterCount)
    #expect(abs(weights - 497.76e6) < 0.01e6)
    #expect(abs(work.bytes / weights - 1) < 0.01)
  }

  /// Position 1,023 reads 1,024 cached positions of keys and values: 12 · 2 · 768 floats for each.
  @Test func decodingLaterReadsTheCache() {
    let (first, last) = (
      Work(ofStepIn: gpt2, decoding: .cache, position: 0),
      Work(ofStepIn: gpt2, decoding: .cache, position: 1023)
    )
    #expect(last.bytes - first.bytes == 1023 * 12 * 2 * 768 * 4)
    #expect(last.flops - first.flops == 1023 * 12 * 4 * 768)
  }

  @Test func recomputingIsAPrefill() {
    #expect(
      Work(ofStepIn: gpt2, decoding: .recompute, position: 511) == Work(of: gpt2, rows: 512, firstPosition: 0)
    )
  }

  @Test func aBatchSharesTheWeights() {
    let (one, eight) = (
      Work(ofStepIn: gpt2, decoding: .cache, position: 9),
      Work(ofStepIn: gpt2, decoding: .cache, position: 9, sequences: 8)
    )
    #expect(eight.flops == 8 * one.flops)
    let own = 4.0 * (12 * 2 * 768 * 10 + 2 * 768)
    #expect(eight.bytes - one.bytes == 7 * own)
  }
}
