import Foundation
import GPT2Model

enum Export: Command {
  static let description = CommandDescription(
    name: "export", summary: "writes a model's weights and vocabulary in another format",
    examples: [
      (
        "a Hugging Face folder",
        "gpt2-bench export --model weights/tiny --format safetensors --out copy"
      ),
      (
        "llm.c's file of GPT-2",
        "gpt2-bench export --model weights/gpt2 --format llmc --out gpt2_124M.bin"
      ),
      (
        "a file for llama.cpp, in eight bits",
        "gpt2-bench export --model weights/tiny --format gguf --weights q8_0 --out q8"
      ),
    ],
    options: [
      .model.defaulting(to: "none, it must be given"),
      Option(
        "--format", value: "F", choices: ExportFormat.allCases.map(\.rawValue),
        default: "none, it must be given", help: formats),
      Option(
        "--weights", value: "W", choices: GGUFWeights.allCases.map(\.rawValue),
        default: GGUFWeights.float32.rawValue, help: "with --format gguf, what matrices become: \(weights)"),
      Option(
        "--out", value: "PATH", default: "none, it must be given",
        help:
          "a folder, or a file: .safetensors (without a vocabulary), .gguf, or .bin with a vocabulary file next "
          + "to it"
      ),
    ])

  private static let formats = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
  private static let weights = GGUFWeights.allCases.map(\.rawValue).joined(separator: ", ")

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let model = try arguments.required("--model", arguments.string("--model"), expected: "a model")
    let format = try arguments.required(
      "--format", arguments.choice("--format", of: ExportFormat.allCases), expected: formats)
    let weights = try arguments.choice("--weights", of: GGUFWeights.allCases)
    if let weights, format != .gguf {
      throw UsageError(
        "--weights: found \(weights.rawValue) with --format \(format.rawValue), expected --format gguf")
    }
    let out = try arguments.required(
      "--out", arguments.string("--out").flatMap { $0.isEmpty ? nil : $0 }, expected: "a folder or a file")
    let choice = try ModelChoice(model, for: .measuring, Project(), console)
    for file in try format.write(
      choice.checkpoint, weights ?? .float32, of: choice.source, to: out)
    {
      console.note("\(file): written")
    }
    return .done
  }
}

private enum ExportFormat: String, CaseIterable {
  case safetensors, llmc, seed, gguf

  /// Writes a model's weights, and its vocabulary where it has one.
  ///
  /// - Parameters:
  ///   - weights: of GGUF's matrices.
  ///   - out: a folder, made where there is none, or a file that ends as the format's do.
  /// - Returns: the files that were written.
  func write(
    _ checkpoint: Checkpoint, _ weights: GGUFWeights, of source: ModelSource, to out: String
  ) throws -> [String] {
    switch self {
    case .safetensors:
      return try Self.writeSafetensors(checkpoint, of: source, to: out)
    case .llmc:
      // llm.c names its files for the number of parameters: `gpt2_124M.bin`, `gpt2_1558M.bin`.
      let millions = max((checkpoint.configuration.parameterCount + 500_000) / 1_000_000, 1)
      return try Self.write(
        checkpoint, of: source, to: out, named: "gpt2_\(millions)M.bin", beside: LLMCTokenizer.fileName,
        { try checkpoint.exportLLMC(to: $0) }, { try $0.exportLLMC(to: $1) })
    case .seed:
      return try Self.write(
        checkpoint, of: source, to: out, named: "model.bin", beside: SeedVocabulary.fileName,
        { try checkpoint.exportSeed(to: $0) }, { try $0.exportSeed(to: $1) })
    case .gguf:
      let file = try Self.file(out, ".gguf", named: "model.gguf")
      let tokenizer = try source.tokenizer(for: checkpoint.configuration)
      try checkpoint.exportGGUF(to: file, weights: weights, tokenizer: tokenizer)
      return [file]
    }
  }

  /// The file that is meant by a path: itself, or one in the folder that it names, which is made where there is none.
  private static func file(_ out: String, _ ending: String, named name: String) throws -> String {
    guard !out.hasSuffix(ending) else { return out }
    try Output.makeFolder(out, for: out)
    return out + "/" + name
  }

  /// One file of weights, and one of the vocabulary beside it.
  ///
  /// - Parameter name: the weights' file where `out` is a folder.
  private static func write(
    _ checkpoint: Checkpoint, of source: ModelSource, to out: String, named name: String,
    beside vocabularyName: String, _ writeWeights: (String) throws -> Void,
    _ writeVocabulary: (Tokenizer, String) throws -> Void
  ) throws -> [String] {
    let weights = try file(out, ".bin", named: name)
    let folder = (weights as NSString).deletingLastPathComponent
    let vocabulary = folder.isEmpty ? vocabularyName : folder + "/" + vocabularyName
    let tokenizer = try source.tokenizer(for: checkpoint.configuration)
    // First what may be refused: half a gigabyte of weights without their vocabulary helps nobody.
    if let tokenizer { try writeVocabulary(tokenizer, vocabulary) }
    try writeWeights(weights)
    return [weights] + (tokenizer == nil ? [] : [vocabulary])
  }

  private static func writeSafetensors(
    _ checkpoint: Checkpoint, of source: ModelSource, to out: String
  ) throws -> [String] {
    guard !out.hasSuffix(".safetensors") else {
      try checkpoint.exportSafetensors(to: out)
      return [out]
    }
    let ends: Set<Int>
    if case .huggingFace = source.tokenizerLocation {
      ends = try source.endTokens(for: checkpoint.configuration)
    } else {
      ends =
        try source.tokenizer(for: checkpoint.configuration)?.ends
        ?? source.endTokens(for: checkpoint.configuration)
    }
    try checkpoint.exportSafetensors(to: out, ends: ends)
    let written =
      try ["config.json", "model.safetensors"]
      + source.exportTokenizer(to: out, for: checkpoint.configuration)
    return written.map { out + "/" + $0 }
  }
}
