import Foundation
import GPT2Model
import TestSupport
import Testing

struct ConfigurationTests {
  @Test func derivedSizes() throws {
    let gpt2 = try Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 50257, context: 1024)
    expectEqual(gpt2.parameterCount, 124_439_808)
    expectEqual(gpt2.headSize, 64)
    expectEqual(gpt2.hidden, 3072)
    #expect(gpt2.layerNormEpsilon == 1e-5 && gpt2.tiesEmbeddings)
    let xl = try Configuration(layers: 48, heads: 25, channels: 1600, vocabulary: 50257, context: 1024)
    expectEqual(xl.parameterCount, 1_557_611_200)
  }

  @Test func parametersAreNamedAsHuggingFaceDoes() throws {
    let parameters = try Configuration.small(tied: false).parameters
    expectEqual(
      parameters.prefix(14).map(\.name),
      [
        "wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.ln_1.bias", "h.0.attn.c_attn.weight",
        "h.0.attn.c_attn.bias", "h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias", "h.0.ln_2.weight",
        "h.0.ln_2.bias", "h.0.mlp.c_fc.weight", "h.0.mlp.c_fc.bias", "h.0.mlp.c_proj.weight",
        "h.0.mlp.c_proj.bias",
      ])
    expectEqual(parameters.suffix(3).map(\.name), ["ln_f.weight", "ln_f.bias", "lm_head.weight"])
    expectEqual(parameters[10].shape, [6, 24])
    expectEqual(parameters[12].shape, [24, 6])
    try expectEqual(Configuration.small().parameters.count, 2 + 2 * 12 + 2)
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
    expectEqual(refusal(naming: "model configuration: ") { try Self.make(shape) }?.contains(says), true)
    expectEqual(
      refusal(naming: "some/file: ") { try Self.make(shape, source: "some/file") }?
        .hasPrefix("some/file: "), true)
  }

  @Test(arguments: [0, -1e-5, Float.infinity, .nan])
  func anEpsilonThatIsNotPositiveIsRefused(_ epsilon: Float) {
    let text = refusal(naming: "model configuration: ") { try Self.make([1, 1, 1, 1, 1], epsilon: epsilon) }
    expectEqual(text?.contains("layer norm epsilon is \(epsilon)"), true)
  }

  @Test func theLargestShapeDoesNotOverflow() throws {
    let largest = try Self.make([4096, 1 << 20, 1 << 20, 1 << 20, 1 << 20])
    #expect(largest.parameterCount > 1 << 55)
    expectEqual(largest.headSize, 1)
  }

  private static func make(
    _ n: [Int], epsilon: Float = 1e-5, source: String? = nil
  ) throws -> Configuration {
    try Configuration(
      layers: n[0], heads: n[1], channels: n[2], vocabulary: n[3], context: n[4],
      layerNormEpsilon: epsilon, source: source)
  }
}

struct HuggingFaceConfigurationTests {
  /// The configuration of a folder whose `config.json` has these fields beside (or instead of) the usual ones; nil
  /// takes one away.
  private func open(_ changes: [String: String?], tied: Bool = true) throws -> Configuration {
    let folder = try TemporaryFolder()
    let model = try Configuration.small(tied: tied)
    try folder.write(SafetensorsFile(of: model).bytes, to: "model.safetensors")
    var fields = [
      "model_type": "\"gpt2\"", "n_layer": "2", "n_head": "2", "n_embd": "6", "vocab_size": "11",
      "n_positions": "5",
    ]
    for (name, value) in changes { fields[name] = value }
    let text = fields.map { "\"\($0.key)\": \($0.value)" }.sorted().joined(separator: ",\n")
    try folder.write("{\(text)}", to: "config.json")
    do { return try Checkpoint(folder: folder.path).configuration } catch {
      // The folder's own path differs from run to run.
      throw Refusal(text: error.description.replacing(folder.path + "/", with: ""))
    }
  }

  private struct Refusal: Error {
    let text: String
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let changes: [String: String?]
    let says: String
    var testDescription: String { "\(changes)" }

    init(_ changes: [String: String?], _ says: String) {
      self.changes = changes
      self.says = says
    }
  }

  static let accepted: [[String: String?]] = [
    [:], ["n_inner": "24"], ["n_inner": "null"], ["activation_function": "\"gelu_new\""],
    ["activation_function": "\"gelu_pytorch_tanh\""], ["activation_function": "null"],
    ["n_positions": nil, "n_ctx": "5"], ["n_positions": "null", "n_ctx": "5"],
    ["n_positions": "5", "n_ctx": "99"], ["model_type": nil], ["tie_word_embeddings": "true"],
    ["scale_attn_weights": "true"], ["layer_norm_epsilon": "1e-5"], ["unknown": "[1, {\"a\": null}]"],
    ["resid_pdrop": "0.1"], ["tie_word_embeddings": "null"],
  ]

  @Test(arguments: accepted)
  func whatTheEngineRunsIsAccepted(_ changes: [String: String?]) throws {
    try expectEqual(open(changes), .small())
  }

  @Test func epsilonAndTyingAreTaken() throws {
    try expectEqual(open(["layer_norm_epsilon": "0.25"]).layerNormEpsilon, 0.25)
    try expectEqual(open(["layer_norm_epsilon": "1"]).layerNormEpsilon, 1)
    #expect(try !open(["tie_word_embeddings": "false"], tied: false).tiesEmbeddings)
  }

  static let refused: [Case] = [
    Case(["n_inner": "23"], "n_inner: found 23, expected null or 4 × n_embd = 24"),
    Case(["n_inner": "true"], "n_inner: found"),
    Case(["n_embd": "9223372036854775807", "n_inner": "4"], "config.json:"),
    Case(["n_embd": "4611686018427387904", "n_inner": "0"], "config.json:"),
    Case(["n_head": "4"], "heads: found 4, expected a divisor of the 6 channels"),
    Case(["n_head": "0"], "heads: found 0"), Case(["n_layer": "-1"], "layers: found -1"),
    Case(["model_type": "\"gptj\""], "model_type: found gptj, expected gpt2"),
    Case(["model_type": "7"], "model_type: found 7"),
    Case(["activation_function": "\"relu\""], "activation_function: found relu, expected gelu_new"),
    Case(["activation_function": "\"gelu\""], "activation_function: found gelu, expected gelu_new"),
    Case(["activation_function": "false"], "activation_function: found"),
    Case(["n_layer": "true"], "n_layer: found"), Case(["n_embd": "6.5"], "n_embd: found 6.5"),
    Case(["n_embd": "\"6\""], "n_embd: found 6, expected a whole number"),
    Case(["n_embd": "1e300"], "n_embd: found"), Case(["n_embd": "[6]"], "n_embd: found"),
    Case(["n_layer": nil], "n_layer: found nothing, expected a whole number"),
    Case(["n_head": "null"], "n_head: found nothing"), Case(["vocab_size": nil], "vocab_size: found nothing"),
    Case(["n_embd": nil], "n_embd: found nothing"), Case(["n_positions": nil], "n_ctx: found nothing"),
    Case(["layer_norm_epsilon": "0"], "found 0"),
    Case(["layer_norm_epsilon": "\"x\""], "layer_norm_epsilon: found x"),
    Case(["layer_norm_epsilon": "true"], "layer_norm_epsilon: found"),
    Case(["layer_norm_epsilon": "1e-300"], "epsilon"),
    Case(["tie_word_embeddings": "1"], "tie_word_embeddings: found 1, expected true or false"),
    Case(["tie_word_embeddings": "\"yes\""], "tie_word_embeddings: found yes"),
    Case(["scale_attn_weights": "false"], "scale_attn_weights: found false, expected true"),
    Case(["scale_attn_by_inverse_layer_idx": "true"], "scale_attn_by_inverse_layer_idx: found true"),
    Case(["add_cross_attention": "true"], "add_cross_attention: found true"),
    Case(["n_layer": "1"], "h.1.ln_1.weight: its layer is 1"),
    Case(["n_layer": "3"], "tensor h.2.ln_1.weight is missing"),
    Case(["n_embd": "8"], "wte.weight: shape is [11, 6], expected [11, 8]"),
    Case(["vocab_size": "12"], "wte.weight: shape is [11, 6], expected [12, 6]"),
    Case(["n_positions": "6"], "wpe.weight: shape is [5, 6], expected [6, 6]"),
    Case(["tie_word_embeddings": "false"], "tensor lm_head.weight is missing"),
  ]

  @Test(arguments: refused)
  func whatTheEngineWouldComputeDifferentlyIsRefused(_ refused: Case) throws {
    let error = #expect(throws: Refusal.self) { try open(refused.changes) }
    let text = error?.text ?? ""
    expectContains(text, refused.says, comment: "\(text)")
    #expect(text.hasPrefix("config.json: ") || text.hasPrefix("model.safetensors: "))
    #expect(!text.contains { $0.isNewline })
  }

  @Test(arguments: ["", "{", "[]", "3", "\"gpt2\"", "null", "{\"n_layer\": 1", "\u{0}"])
  func whatIsNoJSONObjectIsRefused(_ text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: "config.json")
    try folder.write("x", to: "model.safetensors")
    expectEqual(refusal(naming: path) { try Checkpoint(folder: folder.path) }, "\(path): not a JSON object")
  }

  @Test func aFolderWithoutAConfigurationIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder("config.json")
    try folder.write("x", to: "model.safetensors")
    expectEqual(refusal(naming: path) { try Checkpoint(folder: folder.path) }?.hasPrefix(path), true)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    expectEqual(
      refusal(naming: path) { try Checkpoint(folder: folder.path) }?.contains("cannot be read"), true)
  }
}
