import Foundation
import TestSupport
import Testing

@testable import gpt2_bench

/// What a newcomer asks the built command, and what it says where the question is nearly right.
struct HelpCommandTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  @Test(arguments: Main.commands.map { $0.description.name })
  func helpOfASubcommandIsItsHelp(_ name: String) throws {
    let long = try BuiltCommand.run([name, "--help"], in: sandbox)
    let short = try BuiltCommand.run(["help", name], in: sandbox)
    expectEqual(long.status, 0)
    expectEqual(short.status, 0)
    expectEqual(long.error, "")
    expectEqual(short.error, "")
    expectEqual(long.output, short.output)
    #expect(long.output == (try Main.command(name).description.help))
  }

  @Test func helpAloneIsTheOverview() throws {
    try expectEqual(BuiltCommand.run(["help"], in: sandbox).output, Main.overview)
    try expectEqual(BuiltCommand.run(["--help"], in: sandbox).output, Main.overview)
  }

  @Test func theVersionSaysWhichBuildItIs() throws {
    let result = try BuiltCommand.run(["--version"], in: sandbox)
    expectEqual(result.status, 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 6)
    expectEqual(lines[0], "gpt2-bench 0.1.0")
    // The sandbox is no checkout.
    expectEqual(lines[1], "commit     not known: it was not built in a git checkout")
    #expect(lines[2].hasPrefix("compiler   Swift "))
    #expect(lines[3].firstMatch(of: #/^build {6}(debug|release), -m(arch|cpu)=/#) != nil)
    #expect(lines[4].firstMatch(of: #/^cpu paths {2}vectors of \d+ bits in \d+ registers, /#) != nil)
  }

  /// Nearly right, and what the one line on standard error says to do.
  private static let wrongUses: [(words: [String], advice: String)] = [
    (["al"], "unknown subcommand 'al', did you mean 'all'?"),
    (["genrate", "a"], "unknown subcommand 'genrate', did you mean 'generate'?"),
    (["--quiet", "all"], "expected a subcommand before options"),
    (["--versoin"], "did you mean '--version'?"),
    (["help", "comapre"], "did you mean 'compare'?"),
    (["completions", "zhs"], "expected one of bash, zsh, fish; did you mean 'zsh'?"),
    (["all", "--modle", "x"], "unknown option '--modle', did you mean '--model'?"),
    (["all", "--variants", "naive,packd"], "did you mean 'packed'?"),
    (["generate", "a", "--variant", "kvcache"], "did you mean 'kv-cache'?"),
    (["all", "--model", "gpt2-meduim"], "did you mean 'synthetic:gpt2-medium'?"),
    (["all", "--model", "synthetic:tinny"], "did you mean 'synthetic:tiny'?"),
    (["all", "--suite", "fulll"], "did you mean 'full'?"),
    (["report", "r.json", "--format", "htlm"], "did you mean 'html'?"),
    (["list", "variant"], "did you mean 'variants'?"),
    (["ops", "--ops", "softmx"], "did you mean 'softmax'?"),
    (["run", "-p", "8", "--threads", "0"], "--threads: found '0', expected a whole number from 1 to 256"),
    (["run", "-p", "8", "-t", "0"], "-t: found '0', expected a whole number from 1 to 256"),
    (["run", "--depth", "3"], "--depth: found '3', expected -n with it, the tokens to decode"),
    (
      ["generate", "a", "--model", "synthetic:tiny"],
      "no tokenizer, expected --ids and --print-ids, or a model with tokenizer.json"
    ),
    (["compare", "a.json"], "expected two records, BASE and HEAD, or --against PATH"),
  ]

  @Test(arguments: wrongUses.indices)
  func aWrongUseIsToldWhatToDo(_ index: Int) throws {
    let (words, advice) = Self.wrongUses[index]
    let result = try BuiltCommand.run(words, in: sandbox)
    expectEqual(result.status, 2)
    expectEqual(result.output, "")
    expectEqual(result.errorLines.count, 1)
    expectContains(result.error, advice, comment: "\(words): \(result.error)")
  }

  @Test func aMisspeltPathIsToldItsNeighbour() throws {
    try sandbox.copy(sandbox.tinyModel, to: "weights-here")
    let cases: [(String, String?)] = [("./wieghts-here", "./weights-here"), ("weights/tinny", nil)]
    for (path, meant) in cases {
      let result = try BuiltCommand.run(["generate", "a", "--model", path], in: sandbox)
      expectEqual(result.status, 1)
      #expect(result.error.contains("did you mean") == (meant != nil))
      if let meant {
        expectContains(
          result.error, "\(path): cannot be read: no such file or folder; did you mean '\(meant)'?")
      }
    }
  }

  /// `weights/NAME` is the project's where the working folder has none.
  @Test func theProjectsWeightsAreFoundFromElsewhere() throws {
    let words = ["generate", "--ids", "1", "--print-ids", "-n", "2", "--model", "weights/tiny"]
    let result = try BuiltCommand.run(words, in: sandbox)
    expectEqual(result.status, 0, "\(result.error)")
    expectEqual(result.output.split(separator: " ").count, 2)
  }

  /// Where Foundation fails, the system's words are shown, and none of its own sentences.
  @Test func noSentenceOfFoundationsIsShown() throws {
    try sandbox.file("file", "")
    let result = try BuiltCommand.run(
      ["export", "--model", "synthetic:tiny", "--format", "safetensors", "--out", "file/below"], in: sandbox)
    expectEqual(result.status, 1)
    expectEqual(result.error, "gpt2-bench: export: file/below: cannot be written: not a directory\n")
  }
}
