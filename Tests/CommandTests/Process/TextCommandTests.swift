import Foundation
import GPT2Kernels
import TestSupport
import Testing

@testable import gpt2_bench

struct TextCommandTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func output(_ arguments: String..., input: String = "") throws -> String {
    let result = try BuiltCommand.run(arguments, in: sandbox, input: input)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return result.output
  }

  // MARK: - help and list

  @Test func helpIsThereAtEveryLevel() throws {
    for word in ["--help", "-h", "help"] {
      try expectContains(output(word), "usage: gpt2-bench SUBCOMMAND [options]")
    }
    for command in Main.commands {
      let description = command.description
      try expectEqual(output(description.name, "--help"), description.help)
      #expect(try output("--help").contains("  \(description.name) ") != description.isHidden)
    }
    let bare = try BuiltCommand.run([], in: sandbox)
    expectEqual(bare.status, 2)
    expectEqual(bare.output, "")
    expectContains(bare.error, "usage: gpt2-bench SUBCOMMAND")
  }

  @Test func listGivesOneNameALine() throws {
    func names(_ what: String) throws -> [Substring] {
      try output("list", what).split(separator: "\n").map { $0.prefix { $0 != " " } }
    }
    try expectEqual(names("variants").map(String.init), Variant.all.map(\.name) + ["blas"])
    #expect(try output("list", "variants").hasSuffix(" (not found)\n"))
    try expectEqual(names("suites"), ["compare", "full", "quick"])
    let models = try names("models")
    #expect(models.contains("synthetic:gpt2"))
    #expect(models.contains("synthetic:tiny"))
    #expect(models.contains("weights/tiny"))
  }

  /// As a baseline that cannot be read is; the others stay.
  @Test func aSuiteThatCannotBeUsedIsListedWithTheReason() throws {
    let suites = "\(sandbox.home)/Benchmarks/suites"
    let manager = FileManager.default
    try manager.removeItem(atPath: suites)
    for folder in [suites, "\(suites)/folder.json"] {
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }
    for (name, text) in [("broken", "{}"), ("tiny", Suites.tiny)] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(suites)/\(name).json"))
    }
    expectEqual(mkfifo("\(suites)/pipe.json", 0o600), 0)
    let result = try BuiltCommand.run(["list", "suites"], in: sandbox)
    expectEqual(result.status, 0)
    expectEqual(result.error, "")
    let lines = result.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 4)
    let field = "summary: found nothing, expected a value"
    expectEqual(lines[0], "broken  cannot be used: \(suites)/broken.json: \(field)")
    #expect(lines[1].hasPrefix("folder  cannot be used: \(suites)/folder.json: "))
    expectEqual(lines[2], "pipe    cannot be used: \(suites)/pipe.json: cannot be read: it is not a file")
    expectEqual(lines[3], "tiny    tiny")
  }

  // MARK: - tokenize

  @Test func tokenizeTakesTextFromTheCommandLineAndFromStandardInput() throws {
    let model = sandbox.tinyModel
    let ids = try output("tokenize", "ROMEO: what light?", "--model", model)
    #expect(ids.hasSuffix("\n"))
    #expect(ids.split(separator: " ").count > 1)
    try expectEqual(output("tokenize", "--model", model, input: "ROMEO: what light?"), ids)
    try expectEqual(output("tokenize", "--model", model, input: ""), "\n")
  }

  @Test(arguments: [
    "a", "ROMEO:\nBut soft, it’s 4 o'clock…", " 日本語 🙂  two  spaces ", "\t\r\n", "<|endoftext|>",
  ])
  func decodingGivesTheTextBack(_ text: String) throws {
    let ids = try output("tokenize", text, "--model", sandbox.tinyModel)
    let decoded = try output(
      "tokenize", "--decode", ids.trimmingCharacters(in: .whitespacesAndNewlines), "--model",
      sandbox.tinyModel)
    expectEqual(decoded, text + "\n")
  }

  /// A text and ids too long for a command line, which is also long enough to say how fast it went.
  @Test func aMegabyteGoesThroughStandardInputAndBack() throws {
    let text = String(repeating: "But soft, what light through yonder window breaks?\n", count: 20_000)
    let encoded = try BuiltCommand.run(["tokenize", "--model", sandbox.tinyModel], in: sandbox, input: text)
    expectEqual(encoded.status, 0)
    expectContains(encoded.error, "encoded 1.0 MB into 440000 tokens in ", " MB/s, one thread")
    let decode = ["tokenize", "--decode", "-", "--model", sandbox.tinyModel]
    try expectEqual(BuiltCommand.run(decode, in: sandbox, input: encoded.output).output, text + "\n")
    let refused = try BuiltCommand.run(decode, in: sandbox, input: "1 2 x")
    #expect(refused.status == 1 && refused.error.contains("standard input: found 'x', expected token ids"))
  }

  // MARK: - generate

  @Test func greedyTextIsTheSameAgain() throws {
    let arguments = ["generate", "ROMEO:", "--model", sandbox.tinyModel, "-n", "40"]
    let first = try BuiltCommand.run(arguments, in: sandbox)
    expectEqual(first.status, 0)
    #expect(first.output.hasPrefix("ROMEO:"))
    #expect(first.output.count > 60)
    expectContains(first.error, "+ 40 tokens, \(Defaults.variant)")
    let quiet = try BuiltCommand.run(arguments + ["--quiet"], in: sandbox)
    expectEqual(quiet.output, first.output)
    expectEqual(quiet.error, "")
  }

  @Test func theTinyModelIsTheDefaultForTextAndStandardErrorSaysSo() throws {
    let result = try BuiltCommand.run(["generate", "KING", "-n", "4"], in: sandbox)
    expectEqual(result.status, 0)
    #expect(result.error.hasPrefix("model: "))
    expectContains(result.error, "weights/tiny, the tiny model that comes with the project\n")
  }

  @Test func aSeedMakesADrawAgain() throws {
    func draw(_ seed: String) throws -> String {
      try output(
        "generate", "ROMEO:", "--model", sandbox.tinyModel, "-n", "30", "--temperature", "0.9", "--top-k",
        "50", "--top-p", "0.95", "--seed", seed)
    }
    let seven = try draw("7")
    try expectEqual(draw("7"), seven)
    #expect(try draw("8") != seven)
  }

  @Test func textIsTheDecodingOfTheIds() throws {
    let model = sandbox.tinyModel
    let ids = try output("generate", "ROMEO:", "--model", model, "-n", "20", "--print-ids")
    expectEqual(ids.split(separator: " ").count, 20)
    let text = try output("generate", "ROMEO:", "--model", model, "-n", "20")
    try expectEqual(
      "ROMEO:" + output("tokenize", "--decode", ids.trimmingCharacters(in: .newlines), "--model", model),
      text)
  }

  /// The mission's own criterion: the float32 variants choose the same 100 tokens.
  @Test func allVariantsGiveTheSameHundredIds() throws {
    for (model, prompt) in [("synthetic:tiny", "1 2 3"), (sandbox.tinyModel, "50 60 70")] {
      var expected: String?
      for variant in Variant.all {
        let ids = try output(
          "generate", "--ids", prompt, "--print-ids", "-n", "100", "--model", model, "--variant", variant.name
        )
        expectEqual(ids.split(separator: " ").count, 100)
        guard variant.weights == .f32 else { continue }
        #expect(ids == expected ?? ids, "\(model) \(variant.name)")
        expected = ids
      }
    }
  }

  @Test func threadsDoNotChangeTheIds() throws {
    func ids(_ threads: String) throws -> String {
      try output(
        "generate", "--ids", "9", "--print-ids", "-n", "50", "--model", "synthetic:tiny", "--variant",
        "threaded", "-t", threads)
    }
    try expectEqual(ids("1"), ids("3"))
  }
}
