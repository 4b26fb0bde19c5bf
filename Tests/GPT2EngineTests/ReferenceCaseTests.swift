import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Reference files, well-formed and not: an error names the file and the field.
struct ReferenceCaseTests {
  static let usual = [
    "name": "\"p0\"", "ids": "[1, 2, 0]", "positions": "[0, 2]", "logits": "\"p0.npy\"",
    "argmax": "[3, 0, 1]",
    "top5": "[[3, 1], [0, 1], [1, 2]]", "top5_logits": "[[0.5, 0.25], [1, 0], [2, 1.5]]",
    "max_abs_logit": "2.5", "greedy": "[1, 3]",
  ]

  /// A folder with one prompt of these fields; nil takes one away.
  private func folder(
    _ changes: [String: String?] = [:], top: [String: String] = [:], npy: NPY? = nil
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var fields = Self.usual
    for (name, value) in changes { fields[name] = value }
    let prompt = fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
    var file = ["format": "1", "case": "\"c\"", "model": "\"synthetic:tiny\"", "prompts": "[{\(prompt)}]"]
    file.merge(top) { $1 }
    let text = file.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
    try folder.write("{\(text)}", to: "reference.json")
    let logits = npy ?? NPY(rows: 2, columns: 4, values: [0, 1, 2, 3, 4, 5, 6, 7])
    try logits.write(to: folder("p0.npy"))
    return folder
  }

  /// What reading says, without the folder's path; nil where it is accepted.
  private func refusal(_ folder: TemporaryFolder) -> String? {
    do {
      _ = try ReferenceCase(folder: folder.path)
      return nil
    } catch {
      #expect(!error.description.contains { $0.isNewline })
      return error.description.replacing(folder.path + "/", with: "")
    }
  }

  @Test func aWellFormedCaseIsRead() throws {
    let folders = try [["unknown": "{}"], ["greedy": nil], ["greedy": "null"]].map { try folder($0) }
    let reference = try ReferenceCase(folder: folders[0].path)
    expectEqual(reference.name, "c")
    expectEqual(reference.model, "synthetic:tiny")
    expectEqual(reference.prompts.count, 1)
    let prompt = reference.prompts[0]
    expectEqual(prompt.name, "p0")
    expectEqual(prompt.ids, [1, 2, 0])
    expectEqual(prompt.positions, [0, 2])
    expectEqual(Array(prompt.logits.row(1)), [4, 5, 6, 7])
    expectEqual(prompt.argmax, [3, 0, 1])
    expectEqual(prompt.top[1], [0, 1])
    expectEqual(prompt.topLogits[0], [0.5, 0.25])
    expectEqual(prompt.largestLogit, 2.5)
    expectEqual(prompt.greedy, [1, 3])
    for folder in folders.dropFirst() {
      #expect(try ReferenceCase(folder: folder.path).prompts[0].greedy.isEmpty)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let field: String
    let value: String?
    let says: String
    var testDescription: String { "\(field) = \(value ?? "nothing")" }

    init(_ field: String, _ value: String?, _ says: String) {
      self.field = field
      self.value = value
      self.says = says
    }
  }

  static let malformed: [Case] =
    ["name", "ids", "positions", "logits", "argmax", "top5", "top5_logits", "max_abs_logit"].map {
      Case($0, nil, "prompts[0].\($0): found nothing")
    } + [
      Case("ids", "[]", "prompts[p0].ids: found none"),
      Case("ids", "\"1\"", "prompts[0].ids: found another type"),
      Case("ids", "[1, 2.5, 0]", "reference.json: not valid JSON"),
      Case("ids", "[1, 2]", "prompts[p0].argmax: found 3"),
      Case("ids", "[1, 2, 4]", "an id outside the vocabulary, expected 0 to 3"),
      Case("ids", "null", "prompts[0].ids"),
      Case("argmax", "[1]", "prompts[p0].argmax: found 1, expected one for each of 3"),
      Case("argmax", "[1, 2, 4]", "an id outside the vocabulary"),
      Case("argmax", "[1, 2, -1]", "an id outside"),
      Case("top5", "[[1]]", "prompts[p0].top5: found 1"),
      Case("top5", "[[1], [1], [1]]", "prompts[p0].top5_logits"),
      Case("top5", "[[3, 9], [0, 1], [1, 2]]", "an id outside"),
      Case("top5_logits", "[[1, 2]]", "prompts[p0].top5_logits: found 1"),
      Case("top5_logits", "[[1, \"x\"], [1, 0], [2, 1]]", "prompts[0].top5_logits"),
      Case("positions", "[0, 3]", "prompts[p0].positions: found [0, 3]"),
      Case("positions", "[-1, 0]", "prompts[p0].positions"),
      Case("positions", "[0]", "prompts[p0].logits: found 2 rows, expected 1"),
      Case("max_abs_logit", "0", "prompts[p0].max_abs_logit: found 0"),
      Case("max_abs_logit", "-1", "prompts[p0].max_abs_logit"),
      Case("max_abs_logit", "1e999", "reference.json"), Case("greedy", "[4]", "an id outside"),
      Case("greedy", "7", "prompts[0].greedy"), Case("logits", "\"none.npy\"", "none.npy: cannot be read"),
      Case("logits", "\"reference.json\"", "reference.json: not a .npy file"),
    ]

  @Test(arguments: malformed)
  func aMalformedPromptIsRefused(_ malformed: Case) throws {
    let text = refusal(try folder([malformed.field: malformed.value])) ?? "accepted"
    expectContains(text, malformed.says, comment: "\(text)")
    #expect(text.hasPrefix("reference.json: ") || text.contains(".npy"), "\(text)")
  }

  @Test(
    arguments: [
      ("format", "2", "format: found 2, expected 1"), ("format", "\"1\"", "format: found another type"),
      ("case", "7", "case: found another type"), ("model", "null", "model: found"),
      ("prompts", "[]", "prompts: found none"), ("prompts", "{}", "prompts: found another type"),
      ("prompts", "[3]", "prompts[0]: found another type"),
    ])
  func aMalformedCaseIsRefused(_ field: String, _ value: String, _ says: String) throws {
    let text = refusal(try folder(top: [field: value])) ?? "accepted"
    #expect(text.hasPrefix("reference.json: ") && text.contains(says), "\(text)")
  }

  @Test func logitsThatAreNotFiniteAreRefused() throws {
    for value in [Float.nan, .infinity] {
      let npy = NPY(rows: 2, columns: 4, values: [0, 1, 2, 3, 4, value, 6, 7])
      expectEqual(
        refusal(try folder(npy: npy))?.contains("prompts[p0].logits: found a value that is not finite"),
        true)
    }
  }

  @Test(arguments: ["", "{", "[]", "null", "{\"format\": 1"])
  func whatIsNoReferenceIsRefused(_ text: String) throws {
    let folder = try TemporaryFolder()
    expectEqual(refusal(folder)?.hasPrefix("reference.json: cannot be read"), true)
    try folder.write(text, to: "reference.json")
    expectEqual(refusal(folder)?.hasPrefix("reference.json: "), true)
  }

  /// A continuation that the model's context cuts off was not compared to its end, and that is said.
  @Test func aContinuationLongerThanTheContextFails() throws {
    let checkpoint = try Checkpoint(
      inMemory: Configuration(layers: 1, heads: 1, channels: 4, vocabulary: 4, context: 5), name: "short")
    let engine = try Engine(checkpoint, variant: .oracle, threads: 1)
    let greedy = try engine.greedy([1, 2, 0], count: 3)
    let rows = try engine.logitsThrough([1, 2, 0])
    func check(_ greedy: [Int]) throws -> LogitComparison {
      let winners = try rows.map { row in try row.withUnsafeBufferPointer { try argmax($0, position: 0) } }
      let folder = try folder(
        [
          "argmax": "\(winners)", "top5": "[[], [], []]", "top5_logits": "[[], [], []]",
          "greedy": "\(greedy)",
          "max_abs_logit": "1",
        ], npy: NPY(rows: 2, columns: 4, values: rows[0] + rows[2]))
      return try engine.check(against: ReferenceCase(folder: folder.path))
    }
    expectEqual(greedy.count, 3)
    #expect(try check(greedy).passed)
    try expectEqual(check(greedy + [1]).failure, "p0: the context ends after 3 of 4 greedy tokens")
    let wrong = [greedy[0], (greedy[1] + 1) % 4]
    try expectEqual(check(wrong).failure, "p0: greedy token 1 is \(greedy[1]), expected \(wrong[1])")
  }
}
