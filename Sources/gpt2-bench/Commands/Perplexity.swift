import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Reporting

enum Perplexity: Command {
  static let description = CommandDescription(
    name: "perplexity", summary: "how well a model predicts a text, and how fast", operands: "[FILE]",
    operandCount: 0...1,
    options: [
      .model, .variant,
      Option("--variants", value: "A,B", help: "several variants in one table, or all"),
      .threads,
      Option("--context", value: "N", help: "tokens that a window takes in (default: the model's context)"),
      Option(
        "--stride", value: "S",
        help: "tokens between two windows (default: half the context); N for adjacent windows"),
      Option("--whole-windows", help: "leave out the tokens behind the last whole window"),
      Option("--format", value: "F", help: "md, csv or json (default: a table for the terminal)"), .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let variants = try variants(arguments)
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let format = try arguments.choice("--format", of: PerplexityReport.Format.allCases.map(\.rawValue))
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    let choice = try ModelChoice(arguments.string("--model"), for: .text, Project(), console)
    let checkpoint = try choice.open()
    let windows = try windows(arguments, context: checkpoint.configuration.context)
    guard let tokenizer = try choice.tokenizer(of: checkpoint.configuration) else {
      throw UsageError("\(choice.source.name) has no tokenizer, expected a model with a vocabulary")
    }
    var input = try TextInput(arguments.operands.first, tokenizer)
    let run = try PerplexityRun(checkpoint, variants, threads: threads, tokenizer: tokenizer)
    var progress = PerplexityProgress(console)
    try run.score(&input, windows) { progress.show(run, $0) }
    console.endProgressLine()
    guard !run.results.isEmpty else {
      throw nothingScored(tokens: run.tokens, input.name, windows)
    }
    let report = PerplexityReport(
      model: choice.source.name, text: input.name, context: windows.context, stride: windows.stride,
      wholeWindows: windows.wholeOnly, tokens: run.tokens, scoredTokens: run.scored,
      scoredBytes: run.scoredBytes, results: run.results)
    let text =
      if let format = format.flatMap(PerplexityReport.Format.init) {
        try report.text(as: format)
      } else if out != nil {
        try report.text(as: .markdown)
      } else {
        report.terminalText(colour: console.usesColor, width: console.width ?? 100)
      }
    try Output.put(text, out, console)
    return .done
  }

  private static func variants(_ arguments: Arguments) throws -> [Variant] {
    guard arguments.flag("--variants") else { return [try arguments.variant()] }
    guard !arguments.flag("--variant") else {
      throw UsageError("--variants: found --variant beside it, expected one of the two")
    }
    return try arguments.variants()
  }

  private static func windows(_ arguments: Arguments, context most: Int) throws -> TokenWindows {
    let context = try arguments.integer("--context", in: 1...most) ?? most
    let stride = try arguments.integer("--stride", in: 1...context) ?? max(1, context / 2)
    return TokenWindows(context: context, stride: stride, wholeOnly: arguments.flag("--whole-windows"))
  }

  private static func nothingScored(tokens: Int, _ name: String, _ windows: TokenWindows) -> RunError {
    let expected =
      windows.wholeOnly
      ? "at least \(windows.context + 1) for a whole window"
      : "at least 2: the first is what the others are predicted from"
    return RunError("\(name): found \(tokens) token\(tokens == 1 ? "" : "s"), expected \(expected)")
  }
}

/// How far a text is, drawn over on a terminal a few times a second.
private struct PerplexityProgress {
  private let console: Console
  private var last = ContinuousClock.now
  private let start = ContinuousClock.now

  init(_ console: Console) { self.console = console }

  mutating func show(_ run: PerplexityRun, _ input: TextInput) {
    let now = ContinuousClock.now
    guard now - last > .milliseconds(100) else { return }
    last = now
    let rate = Double(run.scored) / ((now - start) / .seconds(1))
    var text = "\(run.scored) tokens"
    if let bytes = input.bytes, bytes > 0 {
      let share = Double(run.scoredBytes) / Double(bytes)
      text += String(format: ", %.0f %%", min(100, 100 * share))
    }
    text += String(format: ", %.4f nats per token, %.0f tok/s", run.natsPerToken ?? 0, rate)
    console.drawProgress(text)
  }
}
