import Foundation
import GPT2Model

enum Tokenize: Command {
  static let description = CommandDescription(
    name: "tokenize", summary: "text to token ids, and back with --decode", operands: "[TEXT]",
    operandCount: 0...1,
    options: [
      Option("--model", value: "M", help: "a model with a vocabulary, or a folder with one alone"),
      Option("--decode", value: "\"1 2 3\"", help: "print the text of these ids"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let ids = try arguments.ids("--decode")
    if ids != nil, !arguments.operands.isEmpty {
      throw UsageError("--decode: found text beside it, expected one of the two")
    }
    let tokenizer = try tokenizer(arguments, console)
    if let ids {
      console.print(try tokenizer.decode(ids))
      return .done
    }
    let encoded =
      if let text = arguments.operands.first {
        try tokenizer.encode(text)
      } else {
        try tokenizer.encode(utf8: [UInt8](FileHandle.standardInput.readDataToEndOfFile()))
      }
    console.print(encoded.map(String.init).joined(separator: " "))
    return .done
  }

  /// A vocabulary alone will do here, so a downloaded one is taken even without weights beside it.
  private static func tokenizer(_ arguments: Arguments, _ console: Console) throws -> Tokenizer {
    if let name = arguments.string("--model") {
      guard let location = try ModelSource(name).tokenizerLocation else {
        throw RunError(
          "\(name) has no tokenizer, expected vocab.json and merges.txt, gpt2_tokenizer.bin or vocab.bin beside it"
        )
      }
      return try location.load()
    }
    let project = try Project()
    let isDownloaded = FileManager.default.fileExists(atPath: project.downloadedModel + "/vocab.json")
    console.note("vocabulary: \(isDownloaded ? "GPT-2's, downloaded" : "the tiny model's")")
    return try Tokenizer(folder: isDownloaded ? project.downloadedModel : project.tinyModel)
  }
}
