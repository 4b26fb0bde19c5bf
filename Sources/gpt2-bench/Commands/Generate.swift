import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model

enum Generate: Command {
  static let description = CommandDescription(
    name: "generate", summary: "continues a prompt, streaming; with --variants through each in turn",
    operands: "[PROMPT]", operandCount: 0...1,
    options: [.model, .variant, .variants, .threads] + GenerationOptions.options + [
      .ids,
      Option("--print-ids", help: "print the new ids, separated by spaces, instead of the text"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let variants = try variants(arguments)
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let options = try GenerationOptions(arguments)
    let request = try GenerationRequest(arguments, options, console)
    Interruption.watch()
    StandardStream.surviveClosedPipes()
    if arguments.flag("--variants") {
      return try SideBySide(request: request, variants: variants, threads: threads, console: console).run()
    }
    let generation = try request.perform(variants[0], threads: threads, console)
    // What became of the output is the caller's to say.
    guard StandardStream.failure == nil else { return .done }
    console.note(generation.statistics())
    return generation.isInterrupted ? .interrupted : .done
  }

  /// One, or those that are to run side by side.
  private static func variants(_ arguments: Arguments) throws -> [Variant] {
    guard arguments.flag("--variants") else { return [try arguments.variant()] }
    if let variant = arguments.string("--variant") {
      throw UsageError("--variant", found: variant, expected: "one of --variant and --variants")
    }
    return try arguments.variants()
  }
}
