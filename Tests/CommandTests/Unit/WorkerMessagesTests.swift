import Foundation
import GPT2Engine
import GPT2Kernels
import Record
import TestSupport
import Testing

@testable import gpt2_bench

/// The lines that older and newer builds must understand of each other.
struct WorkerMessagesTests {
  private func json(_ message: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(message), as: UTF8.self)
  }

  private func decoded<Message: Decodable>(_ type: Message.Type, _ json: String) throws -> Message {
    try JSONDecoder().decode(type, from: Data(json.utf8))
  }

  @Test(arguments: [
    (OperationShape.matmul(m: 1, k: 2, n: 3), "\"gemm\":{\"k\":2,\"m\":1,\"n\":3}"),
    (.gelu(rows: 1, channels: 2), "\"operation\":{\"gelu\":{\"channels\":2,\"rows\":1}}"),
  ])
  func operationsStandWhereTheyStood(shape: OperationShape, field: String) throws {
    let run = RunRequest(operation: shape)
    try expectEqual(json(run), "{\(field)}")
    try expectEqual(decoded(RunRequest.self, json(run)).operation, shape)
    let check = CheckRequest(operation: shape)
    try expectEqual(
      json(check),
      "{\(field),\"oraclePrompts\":[],\"references\":[],\"scope\":\(json(CheckScope.full))}")
    let back = try decoded(CheckRequest.self, json(check))
    #expect(back.operation == shape && back.references.isEmpty && back.batch == nil)
  }

  @Test func aTextStandsBesideTheOthers() throws {
    let check = CheckRequest(perplexity: ModelFileRequest(file: "a/text.txt", model: "m"))
    try expectContains(json(check), "\"perplexity\":{\"file\":\"a\\/text.txt\",\"model\":\"m\"}")
    let back = try decoded(CheckRequest.self, json(check))
    expectEqual(back.perplexity?.file, "a/text.txt")
    expectEqual(back.perplexity?.model, "m")
    let answer =
      "{\"references\":[],\"perplexity\":{\"perplexity\":20.5,\"float32\":20,\"failure\":\"over\"}}"
    let contestant = Contestant(kind: .variant(.oracle), threads: 1)
    let rows = try decoded(CheckAnswer.self, answer).rows(for: check, of: contestant)
    expectEqual(rows.map(\.reference), ["text text.txt"])
    expectEqual(rows.map(\.failure), ["over"])
    #expect(abs((rows[0].deltaPerplexity ?? 0) - 0.025) < 1e-12)
    expectNil(rows[0].kl)
    expectEqual(rows[0].argmaxCompared, 0)
    #expect(try decoded(CheckAnswer.self, "{\"references\":[]}").rows(for: check, of: contestant).isEmpty)
  }

  /// Of float32 those of all owners; of fewer bits each owner's own.
  @Test func tokensMustAgreeWhereWeightsAreTheSameBits() {
    var tokens = AgreedTokens<String>()
    expectNil(tokens.differing([[1, 2]], of: "base", on: 0, isExact: true))
    expectNil(tokens.differing([[1, 2]], of: "head", on: 0, isExact: true))
    expectEqual(tokens.differing([[1, 3]], of: "head", on: 0, isExact: true)?.owner, "base")
    expectNil(tokens.differing([[1, 3]], of: "base", on: 1, isExact: false))
    expectNil(tokens.differing([[1, 4]], of: "head", on: 1, isExact: false))
    expectEqual(tokens.differing([[1, 5]], of: "head", on: 1, isExact: false)?.ids, [[1, 4]])
  }

  @Test func aGenerationStandsAlone() throws {
    let run = RunRequest(prompts: [[1, 2]], tokens: 3)
    try expectEqual(json(run), "{\"generation\":{\"prompts\":[[1,2]],\"tokens\":3}}")
    let back = try decoded(RunRequest.self, json(run))
    expectEqual(back.generation?.prompts, [[1, 2]])
    expectNil(back.operation)
  }

  /// Some older builds require a field that others do not have.
  @Test func bothKindsOfOlderBuildsAreUnderstood() throws {
    let kernel = OperationShape.matmul(m: 1, k: 2, n: 3)
    let found = try kernel.problem(kernel: Variant.oracle.kernel(threads: 1), rotation: nil).check()
    let field = "\"worstRatio\":0"
    for line in [try json(LogitComparison()), try json(found)] { expectContains(line, field) }
    let without = try json(found).replacing(",\(field)", with: "")
    try expectEqual(decoded(ValueCheck.self, without).tolerance, found.tolerance)
    let logits = try json(LogitComparison()).replacing(",\(field)", with: "")
    #expect(!logits.contains(field))
    try expectEqual(decoded(LogitComparison.self, logits).argmaxCompared, 0)
  }

  @Test(arguments: [true, false])
  func aCheckOfAnOperationSaysWhose(isMatmul: Bool) throws {
    let kernel = OperationShape.matmul(m: 1, k: 2, n: 3)
    let found = try kernel.problem(kernel: Variant.oracle.kernel(threads: 1), rotation: nil).check()
    let answer =
      isMatmul
      ? CheckAnswer(matmul: found, matmulFailure: "1x1x1: off")
      : CheckAnswer(operation: found, operationFailure: "1x1x1: off")
    let name = isMatmul ? "gemm" : "operation"
    try expectEqual(
      json(answer),
      "{\"\(name)\":\(json(found)),\"\(name)Failure\":\"1x1x1: off\",\"references\":[]}")
    let back = try decoded(CheckAnswer.self, json(answer))
    #expect((back.matmul != nil) == isMatmul && (back.operation == nil) == isMatmul)
    #expect((isMatmul ? back.matmulFailure : back.operationFailure) == "1x1x1: off")
  }
}
