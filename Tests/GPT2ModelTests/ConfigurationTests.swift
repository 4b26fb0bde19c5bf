import GPT2Model
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  @Test func derivedSizes() throws {
    let gpt2 = try Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 50257, context: 1024)
    #expect(gpt2.parameterCount == 124_439_808)
    #expect(gpt2.headSize == 64 && gpt2.hidden == 3072)
    #expect(gpt2.layerNormEpsilon == 1e-5 && gpt2.tiesEmbeddings)
    let xl = try Configuration(layers: 48, heads: 25, channels: 1600, vocabulary: 50257, context: 1024)
    #expect(xl.parameterCount == 1_557_611_200)
  }

  @Test func parametersAreNamedAsHuggingFaceDoes() throws {
    let parameters = try Configuration.small(tied: false).parameters
    #expect(
      parameters.prefix(14).map(\.name) == [
        "wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.ln_1.bias", "h.0.attn.c_attn.weight",
        "h.0.attn.c_attn.bias", "h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias", "h.0.ln_2.weight",
        "h.0.ln_2.bias", "h.0.mlp.c_fc.weight", "h.0.mlp.c_fc.bias", "h.0.mlp.c_proj.weight",
        "h.0.mlp.c_proj.bias",
      ])
    #expect(parameters.suffix(3).map(\.name) == ["ln_f.weight", "ln_f.bias", "lm_head.weight"])
    #expect(parameters[10].shape == [6, 24] && parameters[12].shape == [24, 6])
    #expect(try Configuration.small().parameters.count == 2 + 2 * 12 + 2)
  }

  @Test(
    arguments: [
      ([0, 1, 1, 1, 1], "layers is 0"),
      ([4097, 1, 1, 1, 1], "layers is 4097, expected a number from 1 to 4096"),
      ([1, 0, 1, 1, 1], "heads is 0"), ([1, 1, 0, 1, 1], "channels is 0"),
      ([1, 1, 1, 0, 1], "vocabulary is 0"),
      ([1, 1, 1, 1, 0], "context is 0"), ([1, 1, 1 << 20 + 1, 1, 1], "channels is"),
      ([1, 1, 1, Int.max, 1], "vocabulary is"), ([1, 1, 1, 1, Int.min], "context is"),
      ([1, 5, 64, 9, 9], "heads is 5, expected a divisor of the 64 channels"),
      ([1, 64, 5, 9, 9], "heads is 64, expected a divisor"),
    ])
  func dimensionsOutOfRangeAreRefused(_ shape: [Int], _ says: String) {
    #expect(refusal(naming: "model configuration: ") { try Self.make(shape) }?.contains(says) == true)
    #expect(
      refusal(naming: "some/file: ") { try Self.make(shape, source: "some/file") }?
        .hasPrefix("some/file: ") == true)
  }

  @Test(arguments: [0, -1e-5, Float.infinity, .nan])
  func anEpsilonThatIsNotPositiveIsRefused(_ epsilon: Float) {
    let text = refusal(naming: "model configuration: ") { try Self.make([1, 1, 1, 1, 1], epsilon: epsilon) }
    #expect(text?.contains("layer norm epsilon is \(epsilon)") == true)
  }

  @Test func theLargestShapeDoesNotOverflow() throws {
    let largest = try Self.make([4096, 1 << 20, 1 << 20, 1 << 20, 1 << 20])
    #expect(largest.parameterCount > 1 << 55)
    #expect(largest.headSize == 1)
  }

  private static func make(
    _ n: [Int], epsilon: Float = 1e-5, source: String? = nil
  ) throws -> Configuration {
    try Configuration(
      layers: n[0], heads: n[1], channels: n[2], vocabulary: n[3], context: n[4],
      layerNormEpsilon: epsilon, source: source)
  }
}
