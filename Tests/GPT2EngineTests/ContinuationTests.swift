import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Known greedy continuations: files well-formed and not, and a check that passes and can fail.
struct ContinuationTests {
  private static let committed = Project.file("Benchmarks/reference/tiny-trained/continuations.json")

  private func tiny() throws -> Checkpoint { try Checkpoint(folder: Project.file("weights/tiny")) }

  private func tokenizer() throws -> Tokenizer { try Tokenizer(folder: Project.file("weights/tiny")) }

  /// The committed case with a piece of its text replaced.
  private func changed(_ text: String, to new: String) throws -> (TemporaryFolder, path: String) {
    let folder = try TemporaryFolder()
    let whole = try String(contentsOfFile: Self.committed, encoding: .utf8)
    expectContains(whole, text)
    return (folder, try folder.write(whole.replacing(text, with: new, maxReplacements: 1), to: "c.json"))
  }

  @Test(arguments: [Variant.oracle, .preferred])
  func theTinyModelSaysWhatItIsKnownToSay(_ variant: Variant) throws {
    let known = try ContinuationCase(path: Self.committed)
    let checkpoint = try tiny()
    expectNil(known.difference(to: checkpoint))
    let check = try Engine(checkpoint, variant: variant, threads: 2).check(
      against: known, tokenizer: tokenizer())
    #expect(check.passed && check.failure == nil)
    expectEqual(check.tokensAgreed, known.prompts.reduce(0) { $0 + $1.greedy.count })
  }

  @Test func theReleasedModelsCaseIsReadAndIsOfNoOther() throws {
    let known = try ContinuationCase(
      path: Project.file("Benchmarks/reference/gpt2-released/continuations.json"))
    expectEqual(known.prompts.map(\.greedy.count), [18, 8])
    try expectEqual(known.difference(to: tiny())?.hasPrefix("its shape is 4 layers"), true)
  }

  @Test func anotherModelOfTheShapeIsTold() throws {
    let (folder, path) = try changed("[1, 64, -0.0550215]", to: "[1, 64, -0.0551]")
    defer { _ = folder }
    let difference = try ContinuationCase(path: path).difference(to: tiny())
    expectEqual(difference?.contains("at [1, 64], expected -0.0551"), true)
  }

  @Test(
    arguments: [
      ("[40, 457, 731,", "[40, 457, 730,", "\"ROMEO:\\n\": greedy token 2 is 731, expected 730"),
      (
        "\"ids\": [352, 504]", "\"ids\": [352, 505]",
        "\"The king\": the text has the ids [352, 504], expected [352, 505]"
      ), ("KING RICHARD II", "KING RICHARD IV", "the continuation's ids spell "),
    ])
  func whatIsNotAsExpectedIsNamed(_ old: String, _ new: String, _ says: String) throws {
    let (folder, path) = try changed(old, to: new)
    defer { _ = folder }
    let engine = try Engine(tiny(), variant: .preferred, threads: 1)
    let check = try engine.check(against: ContinuationCase(path: path), tokenizer: tokenizer())
    #expect(!check.passed)
    expectEqual(check.failure?.contains(says), true, "\(check.failure ?? "passed")")
  }

  @Test func withoutATokenizerTheIdsAreComparedAlone() throws {
    let (folder, path) = try changed("KING RICHARD II", to: "KING RICHARD IV")
    defer { _ = folder }
    let engine = try Engine(tiny(), variant: .preferred, threads: 1)
    #expect(try engine.check(against: ContinuationCase(path: path), tokenizer: nil).passed)
  }

  @Test(
    arguments: [
      ("\"format\": 1", "\"format\": 2", "format: found 2, expected 1"),
      ("\"layers\": 4", "\"layers\": \"4\"", "shape.layers: found another type"),
      ("\"how_to_get\"", "\"howToGet\"", "how_to_get: found nothing"),
      ("[0, 0, ", "[256, 0, ", "position_embedding: found [256.0, 0.0"),
      ("[0, 0, ", "[0.5, 0, ", "position_embedding: found [0.5"),
      ("[0, 0, -0.0424538]", "[0]", "position_embedding: found [0.0]"),
      ("\"ids\": [352, 504]", "\"ids\": []", "prompts[1].ids, greedy: found none"),
      (
        "\"ids\": [352, 504]", "\"ids\": [352, 1024]",
        "prompts[1].ids, greedy: found 1024, expected 0 to 1023"
      ),
      ("\"context\": 256", "\"context\": 26", "position_embedding: found [128.0"),
      ("\"channels\": 128", "\"channels\": -1", "shape: found 4 layers, 4 heads, -1 channels"),
      ("\"vocabulary\": 1024", "\"vocabulary\": 0", "expected sizes from 1 to 1048576"),
      ("\"context\": 256", "\"context\": 9223372036854775807", "a context of 9223372036854775807, expected"),
      ("\"prompts\"", "\"others\"", "prompts: found nothing"), ("{", "", "not valid JSON"),
    ])
  func aMalformedFileIsRefused(_ old: String, _ new: String, _ says: String) throws {
    let (folder, path) = try changed(old, to: new)
    defer { _ = folder }
    let error = #expect(throws: ModelError.self) { try ContinuationCase(path: path) }
    let text = error?.description ?? ""
    #expect(text.contains(path) && text.contains(says), "\(text)")
  }

  @Test func aFileThatIsNotThereIsNamed() {
    #expect(throws: ModelError.self) { try ContinuationCase(path: "/none/continuations.json") }
  }
}
