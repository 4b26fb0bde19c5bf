import Chat
import Foundation
import GPT2Model

enum Tokenize: Command {
  static let description = CommandDescription(
    name: "tokenize", summary: "turns text into token ids, and back with --decode", operands: "[TEXT]",
    operandCount: 0...1,
    examples: [
      ("the ids of a text", "gpt2-bench tokenize \"Once upon a time\""),
      ("the text of ids", "gpt2-bench tokenize --decode \"1 2 3\" --model weights/tiny"),
      ("a file", "gpt2-bench tokenize <text.txt"),
    ],
    options: [
      Option(
        "--model", value: "MODEL", in: .subject,
        default: "weights/gpt2 where a vocabulary has been downloaded, else weights/tiny",
        help: "a model with a vocabulary, or a folder that holds only a vocabulary"),
      Option(
        "--decode", value: "\"1 2 3\"", in: .subject, default: "encode TEXT, else standard input",
        help: "print the text of these ids; - reads them from standard input"),
    ])

  /// From this many bytes on, the time of encoding says something, and standard error gets it.
  private static let timedLength = 1_000_000

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let ids = try ids(arguments)
    if ids != nil, !arguments.operands.isEmpty {
      throw UsageError("--decode: found text too, expected one of the two")
    }
    let tokenizer = try tokenizer(arguments, console)
    if let ids {
      console.print(try tokenizer.decode(ids))
      return .done
    }
    let text = arguments.operands.first.map { Array($0.utf8) } ?? StandardStream.readInput()
    let start = ContinuousClock.now
    let encoded = try tokenizer.prefix + tokenizer.encode(utf8: text)
    let time = ContinuousClock.now - start
    if text.count >= timedLength { console.note(speed(bytes: text.count, tokens: encoded.count, time)) }
    console.print(encoded.map(String.init).joined(separator: " "))
    return .done
  }

  private static func ids(_ arguments: Arguments) throws -> [Int]? {
    guard arguments.string("--decode") == "-" else { return try arguments.ids("--decode") }
    let words = StandardStream.readInput().split { $0 <= 0x20 || $0 == UInt8(ascii: ",") }
    return try tokenIDs(words.lazy.map { String(decoding: $0, as: UTF8.self) }) {
      RunError("standard input: found '\($0.prefix(40))', expected token ids such as 1 2 3")
    }
  }

  private static func speed(bytes: Int, tokens: Int, _ time: Duration) -> String {
    let seconds = time / .seconds(1)
    let megabytes = Double(bytes) / 1e6
    return String(
      format: "encoded %.1f MB into %d tokens in %.1f ms: %.1f MB/s, one thread", megabytes, tokens,
      seconds * 1e3, megabytes / seconds)
  }

  /// A vocabulary alone will do here, so a downloaded one is taken even without weights beside it.
  private static func tokenizer(_ arguments: Arguments, _ console: Console) throws -> Tokenizer {
    if let name = arguments.string("--model") {
      guard let location = try Project().model(name).tokenizerLocation else {
        throw RunError(
          "\(name) has no tokenizer, expected \(ModelChoice.tokenizerFiles) beside it")
      }
      return try location.load()
    }
    let project = try Project()
    let isDownloaded = FileManager.default.fileExists(atPath: project.downloadedModel + "/vocab.json")
    console.note("vocabulary: \(isDownloaded ? "GPT-2's, downloaded" : "the tiny model's")")
    return try Tokenizer(folder: isDownloaded ? project.downloadedModel : project.tinyModel)
  }
}
