import Foundation
import Testing

/// What `check` makes of known continuations: those of a model that is there, that is not, and that is another.
@Suite struct KnownContinuationsTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func check(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(["check", "--variants", "packed", "-t", "1"] + arguments, in: sandbox)
  }

  /// A folder of references with the tiny model's continuations alone, a piece of the text replaced.
  private func reference(_ old: String = "", _ new: String = "") throws -> String {
    let folder = try sandbox.folder("r")
    let path = Sandbox.project + "/Benchmarks/reference/tiny-trained/continuations.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try sandbox.file(
      "r/continuations.json", old.isEmpty ? text : text.replacingOccurrences(of: old, with: new))
    return folder
  }

  @Test func theTinyModelSaysWhatItIsKnownToSayWhereverItLies() throws {
    let result = try check("--model", sandbox.tinyModel)
    #expect(result.status == 0, Comment(rawValue: result.error))
    #expect(result.output.contains("tiny-trained greedy"))
    #expect(result.output.contains("81/81"))
    let copy = try BuiltCommand.run(
      ["export", "--model", sandbox.tinyModel, "--format", "safetensors", "--out", "elsewhere"], in: sandbox)
    #expect(copy.status == 0)
    let other = try check("--model", "elsewhere", "--reference", reference())
    #expect(other.status == 0, Comment(rawValue: other.error))
    #expect(other.output.contains("tiny-trained greedy"))
  }

  @Test func aWrongContinuationFailsTheVariant() throws {
    let result = try check("--reference", reference("[46, 11, 291,", "[46, 11, 290,"))
    #expect(result.status == 4)
    #expect(result.output.contains("greedy token 2 is 291, expected 290"))
    #expect(result.output.contains("59/81"))
  }

  @Test func aModelThatIsNotThereIsSkippedWithAWord() throws {
    let folder = try reference("\"model\": \"weights/tiny\"", "\"model\": \"weights/gpt2\"")
    let result = try check("--reference", folder)
    #expect(result.status == 0)
    #expect(
      result.error == "tiny-trained greedy: skipped, weights/gpt2 is not there; it comes with the project\n")
  }

  @Test func anotherModelInItsPlaceIsSkippedWithTheDifference() throws {
    let folder = try reference("0.0662685", "0.0662")
    let result = try check("--reference", folder)
    #expect(result.status == 0)
    #expect(
      result.error.hasPrefix(
        "tiny-trained greedy: skipped, weights/tiny is another model: its position embedding"))
  }
}
