import Files
import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Reporting

enum Perplexity: Command {
  static let description = CommandDescription(
    name: "perplexity", summary: "measures how well a model predicts a text, and how fast",
    operands: "[FILE]",
    operandCount: 0...1,
    examples: [
      ("how well the tiny model predicts a file", "gpt2-bench perplexity text.txt --model weights/tiny"),
      ("windows that do not overlap, as others measure it", "gpt2-bench perplexity text.txt --stride 1024"),
    ],
    options: [
      .textModel, .variant, .variants.defaulting(to: "the one of --variant"), .kv, .threads,
      Option(
        "--context", value: "N", in: .subject, default: "the model's context",
        help: "tokens that a window takes in"),
      Option(
        "--stride", value: "S", in: .subject, default: "half the context",
        help: "tokens between two windows; N for adjacent windows"),
      Option(
        "--whole-windows", in: .subject, help: "leave out the tokens after the last whole window"),
      Option(
        "--format", value: "F", choices: PageFormat.allCases.map(\.rawValue),
        default: "a table for the terminal, md in a file",
        help: PageFormat.allCases.map(\.rawValue).joined(separator: ", ")),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let variants = try arguments.oneOrMoreVariants { _ in
      UsageError("--variants: found --variant too, expected one of the two")
    }
    let threads = try arguments.threads()
    let format = try arguments.choice("--format", of: PageFormat.allCases)
    let out = try arguments.outFile()
    let choice = try ModelChoice(arguments.string("--model"), for: .text, Project(), console)
    let windows = try windows(arguments, context: choice.configuration.context)
    guard let tokenizer = try choice.tokenizer() else {
      throw choice.withoutTokenizer(orElse: nil)
    }
    var input = try TokenReader(arguments.operands.first, tokenizer)
    let run = try PerplexityRun(choice.checkpoint, variants, threads: threads, tokenizer: tokenizer)
    var progress = PerplexityProgress(console: console)
    try run.score(&input, windows) { progress.show(run, $0) }
    console.endProgressLine()
    guard !run.results.isEmpty else {
      let expected =
        windows.wholeOnly
        ? "at least \(windows.context + 1) for a whole window"
        : "at least 2: the first is what the others are predicted from"
      throw RunError(
        "\(input.text.name): found \(run.tokens) token\(run.tokens == 1 ? "" : "s"), expected \(expected)")
    }
    let report = PerplexityReport(
      model: choice.name, text: input.text.name, context: windows.context, stride: windows.stride,
      wholeWindows: windows.wholeOnly, tokens: run.tokens, scoredTokens: run.scored,
      scoredBytes: run.scoredBytes, results: run.results)
    try Output.put(
      format == nil && out == nil
        ? report.terminalText(colour: console.usesColor, width: console.width, isTerminal: console.isTerminal)
        : report.text(as: format ?? .markdown), out, console)
    return .done
  }

  private static func windows(_ arguments: Arguments, context most: Int) throws -> TokenWindows {
    let context = try arguments.integer("--context", in: 1...most) ?? most
    let stride = try arguments.integer("--stride", in: 1...context) ?? max(1, context / 2)
    return TokenWindows(context: context, stride: stride, wholeOnly: arguments.flag("--whole-windows"))
  }
}

/// How far a text is, drawn over on a terminal a few times a second.
private struct PerplexityProgress {
  let console: Console
  var last = ContinuousClock.now
  let start = ContinuousClock.now

  mutating func show(_ run: PerplexityRun, _ input: TokenReader) {
    let now = ContinuousClock.now
    guard now - last > .milliseconds(100) else { return }
    last = now
    let rate = Double(run.scored) / ((now - start) / .seconds(1))
    var text = "\(run.scored) tokens"
    if let bytes = input.text.bytes, bytes > 0 {
      let share = Double(run.scoredBytes) / Double(bytes)
      text += String(format: ", %.0f %%", min(100, 100 * share))
    }
    if let nats = run.natsPerToken { text += String(format: ", %.4f nats per token", nats) }
    text += String(format: ", %.0f tok/s", rate)
    console.drawProgress(text)
  }
}

/// Takes one text through one or several variants, a window at a time, each window through all of them in turn: so a text
/// is read once, and a machine that drifts drifts for all.
private final class PerplexityRun {
  private struct Reader {
    let engine: Engine
    let sequence: TokenSequence
    var score = TextScore()
    var elapsed = Duration.zero
  }

  private var readers: [Reader]
  private let byteCounts: [Int]
  private(set) var tokens = 0
  private(set) var scoredBytes = 0

  init(_ checkpoint: Checkpoint, _ variants: [Variant], threads: Int, tokenizer: Tokenizer) throws {
    readers = try variants.map { variant in
      let engine = try Engine(checkpoint, variant: variant, threads: threads)
      return Reader(engine: engine, sequence: try engine.makeSequence())
    }
    byteCounts = try (0..<tokenizer.vocabularyCount).map { try tokenizer.bytes(of: $0).count }
  }

  var scored: Int { readers[0].score.tokens }

  var natsPerToken: Double? { readers[0].score.natsPerToken }

  /// - Parameter onWindow: called after each window, for progress.
  /// - Throws: `ModelError` where the text cannot be read, `RunError` where a variant's logits are not finite.
  func score(_ input: inout TokenReader, _ windows: TokenWindows, onWindow: (TokenReader) -> Void) throws {
    var windows = windows
    var isAtEnd = false
    while !isAtEnd {
      if let ids = try input.next() {
        tokens += ids.count
        windows.append(ids)
      } else {
        windows.finish()
        isAtEnd = true
      }
      while let window = windows.next() {
        for index in readers.indices { try score(window, by: index) }
        scoredBytes += window.targets.reduce(0) { $0 + byteCounts[$1] }
        onWindow(input)
      }
    }
  }

  private func score(_ window: TokenWindow, by index: Int) throws {
    let (engine, known) = (readers[index].engine, readers[index].score.tokens)
    let clock = ContinuousClock()
    let start = clock.now
    let nats: Double
    do { nats = try engine.nats(of: window, in: readers[index].sequence) } catch {
      throw RunError(
        "\(engine.variant.name): tokens \(known + 1) to \(known + window.targets.count) of the text: \(error)"
      )
    }
    readers[index].elapsed += clock.now - start
    readers[index].score.add(nats: nats, tokens: window.targets.count)
  }

  /// What was found; empty before anything was scored.
  var results: [PerplexityReport.Result] {
    readers.compactMap { reader in
      guard let nats = reader.score.natsPerToken, let perplexity = reader.score.perplexity else {
        return nil
      }
      let seconds = reader.elapsed / .seconds(1)
      return PerplexityReport.Result(
        variant: reader.engine.variant.name, weights: reader.engine.variant.weights.rawValue,
        threads: reader.engine.threads, natsPerToken: nats, perplexity: perplexity,
        bitsPerByte: reader.score.bitsPerByte(bytes: scoredBytes), seconds: seconds,
        tokensPerSecond: Double(reader.score.tokens) / seconds)
    }
  }
}
